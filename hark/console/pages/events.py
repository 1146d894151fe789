"""Events: the catalogue of what was seen, and what breaks the tracking plan."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.questions.events import EventLine, EventPage, EventsAnswer


class EventsPage(Struct, frozen=True):
    """The catalogue, or why there is none."""

    answer: EventsAnswer
    name: str = ""
    """Only events whose name holds this text; "" for all."""
    note: str = ""

    @property
    def events(self) -> tuple[EventLine, ...]:
        return tuple(one for one in self.answer.events if self.name.lower() in one.name.lower())


def index(request: HttpRequest) -> HttpResponse:
    """GET /events?name="""
    return respond(request, "events.html", catalogue(source(), request.GET.get("name", "").strip()))


def catalogue(here: Source, name: str) -> EventsPage:
    """The context of the catalogue."""
    try:
        found = here.ask({"events": {}})
    except HarkError as error:
        return EventsPage(EventsAnswer((), 0), name, f"{error.message}. {error.hint}")
    return EventsPage(msgspec.convert(found, EventsAnswer), name)


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /events/NAME"""
    try:
        found = source().ask({"events": {"name": name}})
    except HarkError as error:
        if error.id == "event.unknown":
            raise Http404 from None
        raise
    return respond(request, "event.html", msgspec.convert(found, EventPage))
