"""Why one customer was, or was not, written to by one campaign, and what stands between them now."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.arms import plan_in_force
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.record import fresh
from hark.decide.why import Line, explain
from hark.decide.why_not import Standing, why_not


class WhyPage(Struct, frozen=True):
    """One customer and one campaign."""

    subject: int
    who: str
    campaign: str
    standing: tuple[Standing, ...]
    """What is asked of them now; what is lacking among it."""
    lines: tuple[Line, ...]
    """Every decision so far, newest first."""

    @property
    def lacking(self) -> bool:
        return any(one.holds is False for one in self.standing)


def view(request: HttpRequest, subject: int, campaign: str) -> HttpResponse:
    """GET /customers/SUBJECT/why/CAMPAIGN"""
    here = source()
    if here.state.find(f"#{subject}") != subject:
        raise Http404
    try:
        return respond(request, "why.html", why(here, subject, campaign))
    except KeyError:
        raise Http404 from None


def why(here: Source, subject: int, campaign: str) -> WhyPage:
    """The context of the page. KeyError for a campaign that is not about such."""
    record, key = here.state.record(subject), here.state.key(subject)
    known = record or fresh(subject, *(key or (str(subject), 0)))
    standing = why_not(known, plan_in_force(here).of(known), campaign, here.now())
    lines = explain(here.snapshot(subject).subject_events(subject), campaign)
    return WhyPage(subject, who(here, subject), campaign, tuple(standing), tuple(lines[::-1]))
