"""What is to come of one customer if they did nothing: the same `step`, driven forward by its own timers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from hark.decide.backtest.walk import advance
from hark.decide.limits import NOT_TO_CUSTOMERS
from hark.decide.plan import Plan
from hark.model import Event, FactName, Instant, Record


class Coming(Struct, frozen=True, array_like=True, gc=False):
    """A message that will go, as far as anybody can know."""

    subject: int
    at: Instant
    campaign: str


class Withheld(Struct, frozen=True, array_like=True, gc=False):
    """A message that a rule will hold back for good."""

    campaign: str
    reason: str


class Said(Struct, frozen=True, gc=False):
    """What is read of a fact about a message."""

    run: str = ""
    campaign: str = ""
    channel: str = ""
    reason: str = ""


_read = msgspec.json.Decoder(Said)


def ahead(record: Record, plan: Plan, until: Instant) -> tuple[list[Coming], list[Withheld]]:
    """The messages to come before `until` of runs that are under way and of campaigns that start at a time.

    The record is changed in place. What would start by something the customer does, or by entering a segment,
    is not among them: that is an expectation, not known.
    """
    under_way = {run.id for run in record.runs}
    facts: list[Event] = []
    advance(record, plan, until, facts)
    coming: list[Coming] = []
    withheld: list[Withheld] = []
    for fact, said in _messages(facts):
        if not _known(said, under_way, plan):
            continue
        if fact.name == FactName.MESSAGE_SENDING:
            coming.append(Coming(record.subject, fact.at, said.campaign))
        else:
            withheld.append(Withheld(said.campaign, said.reason))
    return coming, withheld


def _messages(facts: list[Event]) -> Iterator[tuple[Event, Said]]:
    for fact in facts:
        if fact.name in (FactName.MESSAGE_SENDING, FactName.MESSAGE_WITHHELD):
            said = _read.decode(fact.properties)
            if said.channel not in NOT_TO_CUSTOMERS:
                yield fact, said


def _known(said: Said, under_way: set[str], plan: Plan) -> bool:
    course = plan.current.get(said.campaign)
    timed = course is not None and course.campaign.trigger.timed is not None
    return timed or said.run in under_way or not said.run
