"""Tasks: what campaigns ask people of the team to do, and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.clock import moment
from hark.console.accounts.models import Account
from hark.console.pages.errors import unavailable
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import text
from hark.decide.asked import REPLY
from hark.errors import HarkError
from hark.model import JSON, Instant, ResponseName
from hark.store.contracts import OutboxRow

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
    assignee: str
    """The account whose it is; "" for anybody of the team."""
    unknown: str
    """Why nobody is: whom the campaign named, in words; "" where it named somebody we know, or nobody."""
    due: Instant | None
    overdue: bool


class TasksPage(Struct, frozen=True):
    """What is to be done, the soonest due first."""

    mine: bool
    """Only those of whoever asks."""
    rows: tuple[TaskLine, ...]
    more: bool
    """There are further ones, due later or never, beyond these."""
    outcomes: tuple[tuple[str, str], ...] = tuple(OUTCOMES.items())
    handed: str = ""
    """The task that was just told as ended: it leaves the list in a moment."""


def view(request: HttpRequest) -> HttpResponse:
    """GET /tasks?whose=mine; POST message, outcome and note."""
    here = source()
    if request.method == "POST":
        return _ended(request, here)
    mine = request.GET.get("whose") == "mine"
    found = here.state.tasks(str(request.user) if mine else "", ROWS + 1)
    team = Account.objects.addresses()
    lines = tuple(_line(here, row, team) for row in found[:ROWS])
    handed = request.GET.get("handed", "")
    return respond(request, "tasks.html", TasksPage(mine, lines, len(found) > ROWS, handed=handed))


def _line(here: Source, row: OutboxRow, accounts: Collection[str]) -> TaskLine:
    team, due = text(row.content.get("for") or ""), _due(row)
    named = text(row.content.get("assignee") or "")
    return TaskLine(
        *(row.message, row.subject, who(here, row.subject), team, row.detail, row.campaign, row.updated_at),
        reply=row.template == REPLY,
        assignee=named if named in accounts else "",
        unknown="" if named in accounts else _unknown(named, text(row.content.get("assigned_by") or "")),
        due=due,
        overdue=due is not None and here.now() > due,
    )


def _due(row: OutboxRow) -> Instant | None:
    due = row.content.get("due_by")
    return due if isinstance(due, int) else None


def _unknown(named: str, by: str) -> str:
    """Why nobody is assigned, though somebody should be; "" where the campaign leaves it to the team."""
    if not named:
        return f"{by} names nobody" if by else ""
    said = f"{named} ({by})" if by else named
    return f"{said} has no account here"


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
    said |= {one: row.content[one] for one in ("for", "assignee") if row.content.get(one)}
    if (due := _due(row)) is not None:
        said |= {"due": moment(due).isoformat(), "late": here.now() > due}
    if note:
        said["note"] = note
    response = {"name": ResponseName.TASK_ENDED, "subject": row.subject, "at": here.now(), "properties": said}
    return response, {"message": row.message, "what": "delivered", "provider": "team", "detail": outcome}
