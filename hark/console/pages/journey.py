"""A campaign's journey as a drawing, and where its runs are now."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.campaigns import typed
from hark.console.diagram import ALONE, Counts, Diagram, diagram
from hark.console.pages.asked import patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.standing import Journey, Place
from hark.definitions.document import Document
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.questions import Progress


class JourneyPage(Struct, frozen=True):
    """One version of a campaign: its drawing, with counts once they are known."""

    name: str
    version: int
    drawing: Diagram
    journey: Journey | None = None
    progress: Progress | None = None
    """How far the counting is, as long as there are no counts."""
    problem: str = ""

    group: str = ""
    """The type of the groups that it is about; "" for customers."""

    @property
    def goals(self) -> int:
        return sum(self.journey.goals.values()) if self.journey else 0

    @property
    def entered(self) -> int:
        return sum(self.journey.entered.values()) if self.journey else 0


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/journey, with ?version=N for an older one."""
    versions = source().state.versions("campaign", name)
    asked = request.GET.get("version", "")
    found = next((one for one in versions[::-1] if asked in ("", str(one.version))), None)
    if found is None:
        raise Http404
    page = journey(source(), found, patience(request))
    return respond(
        request, "journey.html" if request.headers.get("HX-Request") else "journey_page.html", page
    )


def drawn(document: Document) -> JourneyPage:
    """The drawing alone."""
    campaign = typed(document)
    return JourneyPage(document.name, document.version, diagram(campaign), group=campaign.group)


def journey(here: Source, document: Document, patience_s: float) -> JourneyPage:
    """The drawing with its counts, or how far the counting is."""
    page, asked = drawn(document), {"campaign": document.name, "version": document.version}
    try:
        found = here.answer_or_progress({"journey": asked}, patience_s)
    except HarkError as error:
        return msgspec.structs.replace(page, problem=str(error))
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    known, campaign = msgspec.convert(found, Journey), typed(document)
    return msgspec.structs.replace(page, journey=known, drawing=diagram(campaign, counts(known, campaign)))


def counts(journey: Journey, campaign: Campaign) -> Counts:
    """What each box says of how many there are and were."""
    said = {(one.variant, one.step): list(_said(one)) for one in journey.places}
    said["", "start"] = [f"{sum(journey.entered.values()):,} entered"]
    if campaign.goal:
        said["", "goal"] = [f"{sum(journey.goals.values()):,} reached it"]
    return {place: lines for place, lines in said.items() if lines}


def _said(place: Place) -> Iterator[str]:
    numbers = (
        (place.waiting, "here now"),
        (place.queued, "queued"),
        (place.sent, "sent"),
        (place.withheld, "withheld"),
    )
    some = [f"{number:,} {what}" for number, what in numbers if number]
    if some:
        yield " · ".join(some)
    if place.alone:
        yield f"{place.alone:,} {ALONE} here now"
