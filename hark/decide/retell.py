"""A customer's record built anew from what happened, without deciding anything again.

When a merge is undone the two must each have the record that they would have, had the events of the other not
been folded into it. Decisions stay decisions: entries, arms and memberships are read from the facts that were
written about them, and live runs and messages are handed over by whoever undoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from hark.decide.assignment import CONTROL, GLOBAL_CONTROL, TREATED
from hark.decide.entry import Change, expose, remember_entry
from hark.decide.goals import remember_goal
from hark.decide.levels import CHANGES, put_at
from hark.decide.membership import summaries
from hark.decide.merge import join_records
from hark.decide.plan import Plan
from hark.decide.profile import profile
from hark.decide.record import fresh
from hark.decide.subscriptions import subscriptions
from hark.decide.watch import Watch
from hark.decide.work import Work
from hark.model import Entry, Event, Exposure, FactName, Instant, Kind, Record
from hark.store.contracts import Merge


class Story(Struct, frozen=True):
    """What is known of one number, before all merges."""

    key: str
    first_seen: Instant
    events: Sequence[Event]
    """Facts included, in any order."""


class Entered(Struct, frozen=True):
    """What is read of a `Campaign Entered` fact."""

    campaign: str
    version: int
    arm: str
    run: str
    share: float = 0.0
    propensity: float = 1.0
    key: str = ""


class Crossed(Struct, frozen=True):
    """What is read of a fact about a segment."""

    segment: str


def retold(plan: Plan, stories: Mapping[int, Story], merges: Sequence[Merge], whole: int) -> Record:
    """The record of `whole`, of all these numbers, joined by these merges at their times.

    Runs and messages are empty, segments those of the facts; nobody has been asked anything yet.
    """
    records = {
        number: fresh(number, story.key, story.first_seen) for number, story in sorted(stories.items())
    }
    into: dict[int, int] = {}
    waiting = sorted(merges, key=lambda merge: merge.at)
    events = (event for story in stories.values() for event in story.events)
    for event in sorted(events, key=lambda one: (one.instant, one.seq)):
        while waiting and waiting[0].at <= event.instant:
            _merge(plan, records, into, waiting.pop(0))
        holder = records[_root(into, event.subject)]
        _fold(plan, holder, event)
    for merge in waiting:
        _merge(plan, records, into, merge)
    return records[whole]


def _root(into: Mapping[int, int], number: int) -> int:
    while number in into:
        number = into[number]
    return number


def _merge(plan: Plan, records: dict[int, Record], into: dict[int, int], merge: Merge) -> None:
    work = Work(records[merge.older], plan)
    join_records(work, records.pop(merge.younger))
    into[merge.younger] = merge.older


def _fold(plan: Plan, record: Record, event: Event) -> None:
    """What the event leaves in the record; facts that a reducer would make were made at the time."""
    work = Work(record, plan)
    work.now = record.now = max(record.now, event.instant)
    if event.kind == Kind.FACT:
        _remember(record, event, plan)
    watch = plan.watch_of(event, first=False)
    if watch is not None:
        _reduce(work, event, watch)
    record.sends.clear()
    record.last_seq = max(record.last_seq, event.seq)


def _reduce(work: Work, event: Event, watch: Watch) -> None:
    profile(work, event, watch)
    subscriptions(work, event, watch)
    summaries(work, event, watch)
    for course in watch.goals:
        if course.goal and course.goal.takes(event):
            remember_goal(work, course, event)


def _remember(record: Record, fact: Event, plan: Plan) -> None:
    """What a fact says was decided."""
    if fact.name == FactName.CAMPAIGN_ENTERED:
        _entered(record, fact, _entered_fact.decode(fact.properties))
    elif fact.name == FactName.SEGMENT_ENTERED:
        record.members[_crossed.decode(fact.properties).segment] = fact.at
    elif fact.name == FactName.SEGMENT_LEFT:
        record.members.pop(_crossed.decode(fact.properties).segment, None)
    elif fact.name in CHANGES:
        change = _change.decode(fact.properties)
        put_at(record, plan.levels.get(change.of), change.to, fact.at)


def _entered(record: Record, fact: Event, said: Entered) -> None:
    expose(
        record,
        Exposure(
            *(said.campaign, said.version, said.arm, fact.at, fact.seq, said.run),
            *(1, fact.at, said.share, said.propensity),
        ),
    )
    remember_entry(record, f"{said.campaign}/{said.key}", Entry(fact.at))
    record.global_arm = CONTROL if said.arm == GLOBAL_CONTROL else record.global_arm or TREATED


_entered_fact = msgspec.json.Decoder(Entered)
_crossed = msgspec.json.Decoder(Crossed)
_change = msgspec.json.Decoder(Change)
