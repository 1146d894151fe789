"""What the console says of a campaign in one line, on Home and in the list."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from django.conf import settings
from msgspec import Struct

from hark.console.source import Source
from hark.definitions.parse import definition
from hark.definitions.types import Campaign, Document, Send, Step, Variant
from hark.errors import HarkError
from hark.learn.report import Report
from hark.model import Instant
from hark.understand.wording import event, span


class CampaignLine(Struct, frozen=True):
    """One campaign among others."""

    name: str
    version: int
    state: str
    """live, paused, planned or ended."""
    hypothesis: str
    control: float
    """Share left alone, 0..1."""
    control_why: str
    transactional: bool
    standing: str
    """What may be concluded now, in one sentence."""
    judged: bool
    entered: int


def lines(here: Source) -> Iterator[CampaignLine]:
    """All campaigns, live ones first."""
    found = [one for one in here.state.documents() if one.kind == "campaign"]
    made = [_line(here, document, typed(document)) for document in found]
    yield from sorted(made, key=lambda one: (one.state != "live", one.name))


def typed(document: Document) -> Campaign:
    """The campaign in a document."""
    found = definition(document, settings.HARK_ZONE)
    assert isinstance(found, Campaign)
    return found


def _line(here: Source, document: Document, campaign: Campaign) -> CampaignLine:
    report = told(here, campaign.name)
    return CampaignLine(
        name=campaign.name,
        version=document.version,
        state=state(campaign, here.now()),
        hypothesis=" ".join(campaign.hypothesis.split()),
        control=campaign.control,
        control_why=campaign.control_why,
        transactional=campaign.transactional,
        standing=standing(report) if isinstance(report, Report) else str(report),
        judged=isinstance(report, Report) and report.judged,
        entered=sum(arm.entered for arm in report.arms) if isinstance(report, Report) else 0,
    )


def told(here: Source, name: str, version: int | None = None) -> Report | HarkError:
    """The report of a campaign, or why there is none."""
    try:
        found = here.ask({"report": {"campaign": name, "version": version}})
    except HarkError as error:
        return error
    return msgspec.convert(found, Report)


def standing(report: Report) -> str:
    """The sentence on what may be concluded: it follows the two on numbers, where there are numbers."""
    return report.sentences[2 if report.lift and len(report.sentences) > 2 else 0]


def state(campaign: Campaign, now: Instant) -> str:
    """live, paused, planned (its dates are to come) or ended."""
    if campaign.paused:
        return "paused"
    if campaign.starts is not None and now < campaign.starts:
        return "planned"
    return "ended" if campaign.ends is not None and now >= campaign.ends else "live"


def does(campaign: Campaign) -> str:
    """What the campaign does, in English."""
    return f"{_starts(campaign)}: {'; or '.join(_way(one) for one in campaign.variants)}. {_aims(campaign)}"


def _starts(campaign: Campaign) -> str:
    trigger = campaign.trigger
    who = f" who {campaign.audience.sentence()}" if campaign.audience else ""
    if trigger.event is None:
        return f"When a customer{who} enters {trigger.enters}"
    return f"When a customer{who} does {event(trigger.event.names, trigger.event.where)}"


def _way(variant: Variant) -> str:
    return ", then ".join(_step(one) for one in variant.steps)


def _step(step: Step) -> str:
    if isinstance(step, Send):
        return f"send {step.template} by {step.channel}"
    if step.at is not None:
        return f"wait for {step.at}"
    long = span(step.for_us or 0)
    return f"wait {long} for {event(step.until.names, step.until.where)}" if step.until else f"wait {long}"


def _aims(campaign: Campaign) -> str:
    if campaign.goal is None:
        return "It has no goal."
    goal = campaign.goal
    return f"The goal is {event(goal.event.names, goal.event.where)} within {span(goal.within_us)}."
