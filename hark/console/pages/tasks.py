"""Tasks: what campaigns ask people of the team to do, and what came of it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.asked import REPLY
from hark.errors import HarkError
from hark.model import JSON, Instant, ResponseName
from hark.store.contracts import OutboxRow
from hark.store.outbox_read import OutboxSearch

ROWS = 100
NOTE = 1_000
OUTCOMES = {
    "done": "Done",
    "not_reached": "Could not be reached",
    "not_needed": "Not needed any more",
}


class TaskLine(Struct, frozen=True):
    """One thing to do."""

    message: str
    subject: int
    who: str
    team: str
    """For whom it is; "" for anybody."""
    says: str
    campaign: str
    since: Instant
    reply: bool
    """It is an answer of the customer's, to be read."""


class TasksPage(Struct, frozen=True):
    """What is to be done, the oldest first."""

    rows: tuple[TaskLine, ...]
    more: bool
    """There are newer ones beyond these."""
    outcomes: tuple[tuple[str, str], ...] = tuple(OUTCOMES.items())
    handed: str = ""
    """The task that was just told as ended: it leaves the list in a moment."""


def view(request: HttpRequest) -> HttpResponse:
    """GET /tasks; POST message, outcome and note."""
    here = source()
    if request.method == "POST":
        return _ended(request, here)
    found = here.state.find_messages(OutboxSearch(state="sent", channel="task"), ROWS + 1)
    lines = tuple(_line(here, row) for _, row in found[:ROWS][::-1])
    return respond(
        request, "tasks.html", TasksPage(lines, len(found) > ROWS, handed=request.GET.get("handed", ""))
    )


def _line(here: Source, row: OutboxRow) -> TaskLine:
    team = str(row.content.get("for") or "")
    return TaskLine(
        *(row.message, row.subject, who(here, row.subject), team, row.detail, row.campaign, row.updated_at),
        reply=row.template == REPLY,
    )


def _ended(request: HttpRequest, here: Source) -> HttpResponse:
    row = here.state.message(request.POST.get("message", ""))
    outcome = request.POST.get("outcome", "")
    if row is None or row.channel != "task" or outcome not in OUTCOMES:
        raise Http404
    try:
        end(here, row, outcome, request.POST.get("note", ""), str(request.user))
    except HarkError as error:
        return unavailable(request, error.message)
    return redirect(f"/tasks?handed={row.message}")


def end(here: Source, row: OutboxRow, outcome: str, note: str, by: str) -> None:
    """A task is over; what came of it is on disk when this returns. Raises HarkError."""
    here.ended(*_rows(here, row, outcome, note.strip()[:NOTE], by))


def _rows(here: Source, row: OutboxRow, outcome: str, note: str, by: str) -> tuple[JSON, JSON]:
    """What came of it for the customer's history, and that the message's life is over."""
    said: dict[str, Any] = {"message": row.message, "campaign": row.campaign, "outcome": outcome, "by": by}
    if note:
        said["note"] = note
    response = {"name": ResponseName.TASK_ENDED, "subject": row.subject, "at": here.now(), "properties": said}
    return response, {"message": row.message, "what": "delivered", "provider": "team", "detail": outcome}
