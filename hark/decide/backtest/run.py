"""A back-test of one campaign over the buckets of a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from hark.decide.backtest.found import Found, Teller
from hark.decide.backtest.inputs import History, histories
from hark.decide.backtest.walk import Since, walk
from hark.decide.course import Course, sends_content
from hark.decide.plan import Plan
from hark.decide.program import Draw
from hark.decide.record import fresh
from hark.decide.subjects import kind_of
from hark.definitions.contents import Content
from hark.definitions.document import Document
from hark.definitions.engagement import PURCHASE
from hark.definitions.learned import Signals
from hark.definitions.levels import Ladder
from hark.definitions.resolve import resolved
from hark.definitions.types import (
    Campaign,
    Computed,
    Definition,
    Paced,
    Policy,
    Programme,
    Segment,
    Topic,
)
from hark.model import Instant, Trait
from hark.understand.conditions import Pace
from hark.understand.conditions.pace import Passage

BEGINNING = -(2**62)
ANYWHERE = {"email": "anybody@example.invalid", "phone": "+15550100000"}
"""Where everybody can be reached who is only thought to be (RFC 2606; numbers for fiction)."""


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
    """The plan of whom one campaign is about, with that alone, and the segments, levels, topics, policies and
    computed traits that it rests on."""
    typed = [thing for _, thing in documents]
    kept: list[tuple[Document, Definition]] = []
    wanted = set(_segments(thing for thing in typed if thing.name == name))
    complete = zip([document for document, _ in documents], resolved(typed, typed), strict=True)
    for document, thing in complete:
        if isinstance(thing, Campaign) and thing.name == name:
            kept.append((document, as_launched(thing, span)))
        elif isinstance(thing, Topic | Policy | Programme | Computed | Content | Signals) or (
            isinstance(thing, Segment | Ladder) and thing.name in wanted
        ):
            kept.append((document, thing))
    return Plan(kept).owner(name)


def plans_of(
    documents: Sequence[tuple[Document, Definition]],
    tables: Sequence[tuple[Document, Definition]],
    name: str,
    span: Span,
) -> list[Since]:
    """That plan with the tables of `pace` and the grades of events as they were from each moment on
    (`applied_at`); the first table of each way from the beginning, and before the first grades none."""
    latest: dict[str, tuple[Document, Definition]] = {}
    for document, table in sorted(tables, key=lambda one: -one[0].applied_at):
        if isinstance(table, Paced):
            latest[table.name] = document, table
    plain = [one for one in documents if not isinstance(one[1], Paced | Signals)]
    plans = [Since(BEGINNING, plan_of([*plain, *latest.values()], name, span))]
    for at, changed in groupby(sorted(tables, key=_applied), key=_applied):
        latest |= {table.name: (document, table) for document, table in changed}
        plans.append(Since(at, plan_of([*plain, *latest.values()], name, span)))
    return plans


def _applied(table: tuple[Document, Definition]) -> Instant:
    return table[0].applied_at


def ways(plan: Plan) -> list[Passage]:
    """From which events to which the plan asks how long people take."""
    leaves = (leaf for condition in plan.conditions() for leaf in condition.leaves())
    found = {leaf.way.name: leaf.way for leaf in leaves if isinstance(leaf, Pace)}
    return [way for _, way in sorted(found.items())]


def _segments(things: Iterable[Definition]) -> Iterator[str]:
    """The segments that a campaign names, the levels that start it, and the stages by which it chooses."""
    for thing in things:
        if isinstance(thing, Campaign):
            level = thing.trigger.level.definition if thing.trigger.level else None
            stages = PURCHASE if sends_content(thing) else None
            yield from (name for name in (thing.trigger.enters, thing.exit_leaves, level, stages) if name)


def draws(plan: Plan, course: Course) -> bool:
    """Whether anything depends on a customer's stable key."""
    drawn = any(isinstance(step, Draw) for steps in course.steps.values() for step in steps)
    wide = course.campaign.programme is not None or plan.attention.global_control > 0
    several = len(course.campaign.variants) > 1
    return wide or drawn or several or sends_content(course.campaign)


def backtest(
    history: History,
    buckets: Iterable[int],
    plans: Sequence[Since],
    name: str,
    span: Span,
    key: Callable[[int], str],
    everybody: bool = False,
    group: str = "",
) -> Found:
    """What the campaign would have done for the customers of these buckets; `key` gives a stable key.

    With `everybody` those of whom no address is known have one. With `group` the history is of groups, and
    those of this type are asked about.
    """
    plan = plans[0].plan
    course = plan.current[name]
    teller = Teller(name)
    for bucket in buckets:
        for subject, events in histories(history, bucket, plan, course):
            record = fresh(subject, key(subject), events[0].known_at)
            if group and kind_of(record.key) != group:
                continue
            if everybody:
                record.traits |= {name: Trait(value, 0, 0) for name, value in ANYWHERE.items()}
            teller.tell(walk(record, events, plans, span.until))
            teller.found.customers += 1
            teller.found.events += len(events)
    return teller.result()
