"""Finding a customer: by any id, or among those seen last."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.live import newest, who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.model import Instant, Kind

LATEST = 12


class Latest(Struct, frozen=True):
    subject: int
    who: str
    at: Instant
    did: str


class SearchPage(Struct, frozen=True):
    """The search for a customer."""

    query: str
    found: tuple[Latest, ...]
    """Those who share the address that was asked for."""
    latest: tuple[Latest, ...]
    """Who was seen last, to have somebody to look at."""


def search(request: HttpRequest) -> HttpResponse:
    """GET /customers?q=ID: the customer with this id, or the search again."""
    query = request.GET.get("q", "").strip()
    subjects = source().state.find_all(query) if query else []
    if len(subjects) == 1:
        kept = "?format=json" if request.GET.get("format") == "json" else ""
        return redirect(f"/customers/{subjects[0]}{kept}")
    page = SearchPage(query, several(source(), subjects), latest(source()))
    return respond(request, "customers.html", page, 404 if query and not subjects else 200)


def several(here: Source, subjects: Sequence[int]) -> tuple[Latest, ...]:
    """Who may be meant, with what each did last."""
    events = [(one, here.snapshot(one).timeline(one, 1)) for one in subjects]
    return tuple(
        Latest(one, who(here, one), found[0].at if found else 0, found[0].name if found else "")
        for one, found in events
    )


def latest(here: Source) -> tuple[Latest, ...]:
    """The customers who did something last."""
    seen: dict[int, Latest] = {}
    for event in newest(here):
        subject = here.state.canonical(event.subject)
        if event.kind != Kind.FACT and subject not in seen:
            seen[subject] = Latest(subject, who(here, subject), event.at, event.name)
        if len(seen) == LATEST:
            break
    return tuple(seen.values())
