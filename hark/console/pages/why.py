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
from hark.model import GROUPS


class WhyPage(Struct, frozen=True):
    """One customer and one campaign."""

    subject: int
    who: str
    campaign: str
    standing: tuple[Standing, ...]
    """What is asked of them now; what is lacking among it."""
    lines: tuple[Line, ...]
    """Every decision so far, newest first."""
    others: bool
    """The campaign is about others, such as a group of theirs: nothing is asked of them to enter."""

    @property
    def group(self) -> bool:
        return self.subject >= GROUPS

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
    """The context of the page; what a group's campaign says to a member is asked of the group. KeyError for a
    campaign that there is not."""
    record, key = here.state.record(subject), here.state.key(subject)
    known = record or fresh(subject, *(key or (str(subject), 0)))
    plan = plan_in_force(here)
    owner, own = plan.owner(campaign), plan.of(known)
    others = campaign in owner.current and owner is not own
    standing = () if others else tuple(why_not(known, own, campaign, here.now()))
    lines = explain(here.snapshot(subject).subject_events(subject), campaign)
    return WhyPage(subject, who(here, subject), campaign, standing, tuple(lines[::-1]), others)
