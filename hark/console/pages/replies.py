"""Replies: what customers answered to messages, until somebody says what came of it."""

from __future__ import annotations

from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.pages.live import who
from hark.console.pages.tasks import OUTCOMES, end
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import text
from hark.decide.asked import REPLY
from hark.errors import HarkError
from hark.model import Instant
from hark.store.contracts import OutboxRow
from hark.store.outbox_read import OutboxSearch

ROWS = 50
LEFT = "left"


class ReplyLine(Struct, frozen=True):
    """One answer."""

    message: str
    """The task to read it."""
    answers: str
    """The message that was answered."""
    subject: int
    who: str
    about: str
    """The mail's subject."""
    text: str
    whole: str
    """With what it quotes; "" where that is the same."""
    topic: str
    campaign: str
    template: str
    write: str
    """A link that opens one's own mail program; "" without an address."""
    wants_out: bool
    since: Instant
    ended: str
    """What came of it; "" while it waits."""


class RepliesPage(Struct, frozen=True):
    """The newest first."""

    ended: bool
    """Those of which somebody said what came of it."""
    rows: tuple[ReplyLine, ...]
    older: int
    outcomes: tuple[tuple[str, str], ...] = (("done", "Answered"), *tuple(OUTCOMES.items())[1:])
    handed: str = ""
    """The one that was just dealt with."""


def view(request: HttpRequest) -> HttpResponse:
    """GET /replies?ended=&before=; POST message, outcome and note, or outcome=left."""
    here = source()
    if request.method == "POST":
        return _dealt_with(request, here)
    ended, before = request.GET.get("ended") == "yes", request.GET.get("before", "")
    state = "delivered" if ended else "sent"
    asked = OutboxSearch(state, "task", text=REPLY, before=int(before) if before.isdecimal() else None)
    found = here.state.find_messages(asked, ROWS)
    rows = tuple(_line(here, row) for _, row in found)
    older = found[-1][0] if len(found) == ROWS else 0
    return respond(
        request, "replies.html", RepliesPage(ended, rows, older, handed=request.GET.get("handed", ""))
    )


def _line(here: Source, row: OutboxRow) -> ReplyLine:
    said = {name: text(value) for name, value in (row.content.get("data") or {}).items() if value is not None}
    words, whole = said.get("text", ""), said.get("whole", "")
    return ReplyLine(
        message=row.message,
        answers=said.get("message", ""),
        subject=row.subject,
        who=who(here, row.subject),
        about=said.get("subject", ""),
        text=words,
        whole=whole if whole.strip() != words.strip() else "",
        topic=said.get("topic", ""),
        campaign=said.get("campaign", ""),
        template=said.get("template", ""),
        write=_mailto(said.get("from", ""), said.get("subject", "")),
        wants_out=bool((row.content.get("data") or {}).get("wants_out")),
        since=row.due_at,
        ended=row.detail if row.state == "delivered" else "",
    )


def _mailto(address: str, about: str) -> str:
    if not address:
        return ""
    subject = about if about.lower().startswith("re:") else f"Re: {about}"
    return f"mailto:{quote(address, safe='@')}?subject={quote(subject)}"


def _dealt_with(request: HttpRequest, here: Source) -> HttpResponse:
    row = here.state.message(request.POST.get("message", ""))
    if row is None or row.template != REPLY:
        raise Http404
    outcome = request.POST.get("outcome", "")
    try:
        if outcome == LEFT:
            here.consent(_leaves(row))
            outcome = "done"
        elif outcome not in OUTCOMES:
            raise Http404
        end(here, row, outcome, request.POST.get("note", ""), str(request.user))
    except HarkError as error:
        return unavailable(request, error.message)
    return redirect(f"/replies?handed={row.message}")


def _leaves(row: OutboxRow) -> dict[str, object]:
    """They asked in words, and a person read it: the topic they answered to, or without one everything."""
    said = row.content.get("data") or {}
    return {
        "name": "Unsubscribed",
        "subject": row.subject,
        "topic": said.get("topic") or "",
        "channel": "email",
        "message": said.get("message") or "",
        "wording": f"asked in a reply: {str(said.get('text') or '')[:300]}",
    }
