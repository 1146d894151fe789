"""A back-test of one campaign over the buckets of a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from hark.decide.backtest.found import Found, Teller
from hark.decide.backtest.inputs import History, histories
from hark.decide.backtest.walk import walk
from hark.decide.course import Course
from hark.decide.plan import Plan
from hark.decide.program import Draw
from hark.decide.record import fresh
from hark.definitions.document import Document
from hark.definitions.types import Campaign, Definition, Policy, Programme, Segment, Topic
from hark.model import Instant


class Span(Struct, frozen=True):
    """From when on people may enter, until when (that moment not included), and how far the history goes."""

    begin: Instant | None
    end: Instant | None
    until: Instant
    """The walk ends here, that moment included."""


def as_launched(campaign: Campaign, span: Span) -> Campaign:
    """The campaign as if it had run through the span with nobody left alone: its own dates, a pause and the
    control are set aside, since what it would do is what is asked."""
    return replace(
        campaign, starts=span.begin, ends=span.end, paused=False, rehearsal=False, ramp=1.0,
        control=0.0, control_auto=False,
        control_why="a back-test writes to nobody",
    )  # fmt: skip


def plan_of(documents: Sequence[tuple[Document, Definition]], name: str, span: Span) -> Plan:
    """The plan of one campaign alone, with the segments, topics and policies that it rests on."""
    kept: list[tuple[Document, Definition]] = []
    wanted = set(_segments(thing for _, thing in documents if thing.name == name))
    for document, thing in documents:
        if isinstance(thing, Campaign) and thing.name == name:
            kept.append((document, as_launched(thing, span)))
        elif isinstance(thing, Topic | Policy | Programme) or (
            isinstance(thing, Segment) and thing.name in wanted
        ):
            kept.append((document, thing))
    return Plan(kept)


def _segments(things: Iterable[Definition]) -> Iterator[str]:
    """The segments that a campaign names."""
    for thing in things:
        if isinstance(thing, Campaign):
            yield from (name for name in (thing.trigger.enters, thing.exit_leaves) if name)


def draws(plan: Plan, course: Course) -> bool:
    """Whether anything depends on a customer's stable key."""
    drawn = any(isinstance(step, Draw) for steps in course.steps.values() for step in steps)
    wide = course.campaign.programme is not None or plan.attention.global_control > 0
    return wide or drawn or len(course.campaign.variants) > 1


def backtest(
    history: History, buckets: Iterable[int], plan: Plan, name: str, span: Span, key: Callable[[int], str]
) -> Found:
    """What the campaign would have done for the customers of these buckets; `key` gives a stable key."""
    course = plan.current[name]
    teller = Teller(name)
    for bucket in buckets:
        for subject, events in histories(history, bucket, plan, course):
            record = fresh(subject, key(subject), events[0].known_at)
            teller.tell(walk(record, events, plan, span.until))
            teller.found.customers += 1
            teller.found.events += len(events)
    return teller.result()
