"""Who was taken for one customer, and undoing it: what will go where, and a confirmation."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import Pair
from hark.errors import HarkError
from hark.model import Instant
from hark.store.contracts import Joined

CAUSES = {
    "identify": "identify named both ids",
    "alias": "alias said so",
}


class MergeLine(Struct, frozen=True):
    """One merge, and its undo if there is one."""

    number: int
    at: Instant
    cause: str
    by: str
    younger: int
    older: int
    ids: tuple[Pair, ...]
    """What the younger brought."""
    undone_at: Instant | None
    undone_by: str
    note: str


class UnmergePage(Struct, frozen=True):
    """Before a merge is undone."""

    subject: int
    who: str
    merge: MergeLine


def lines(here: Source, subject: int) -> tuple[MergeLine, ...]:
    """The merges of a customer, newest first."""
    return tuple(map(_line, here.state.joined(subject)))


def unmerge(request: HttpRequest, subject: int, number: int) -> HttpResponse:
    """GET and POST /customers/SUBJECT/merges/NUMBER/undo"""
    here = source()
    found = next((one for one in lines(here, subject) if one.number == number), None)
    if found is None or found.undone_at is not None:
        raise Http404
    if request.method != "POST":
        return respond(request, "unmerge.html", UnmergePage(subject, who(here, subject), found))
    note = request.POST.get("note", "").strip()[:500]
    command = {"name": "unmerge", "merge": number, "author": str(request.user), "note": note}
    try:
        here.command(command)
    except HarkError as error:
        return unavailable(request, f"Nothing was undone: {error.message}. Try again in a moment.")
    return redirect(f"/customers/{subject}?undoing={number}")


def _line(one: Joined) -> MergeLine:
    return MergeLine(
        *(one.number, one.at, CAUSES.get(one.cause, one.cause), one.by, one.younger, one.older),
        tuple(Pair(kind, value) for kind, value in one.ids),
        *(one.undone_at, one.undone_by, one.note),
    )
