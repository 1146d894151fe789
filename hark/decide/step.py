"""The one pure function that decides: a record and an input give the record's next state, and facts.

No clock, no chance, no I/O: everything rests on the record, the input's own instant and the plan. So
results do not depend on where ticks are cut, and a crash may repeat an input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, TypeAlias

from hark.decide import as_member, attention, commands, merge, messages, runs
from hark.decide.entry import triggers
from hark.decide.goals import goals, judge
from hark.decide.membership import changes_due, membership, summaries
from hark.decide.plan import Plan
from hark.decide.profile import profile
from hark.decide.runs import exits, waits, wakes
from hark.decide.subscriptions import subscriptions
from hark.decide.timed import arm, starts_due
from hark.decide.watch import IDENTIFY, Watch
from hark.decide.work import Work, whole_ms
from hark.errors import HarkError
from hark.model import (
    Command,
    Event,
    Handover,
    Input,
    MergedInto,
    MessageDue,
    Outcome,
    Record,
    TimerDue,
)

ROUNDS = 8
"""How often the facts made by folding facts are folded in turn, before it counts as endless."""

Reducer: TypeAlias = Callable[[Work, Event, Watch], None]

REDUCERS: Mapping[str, Reducer] = {
    "attention": attention.heard,
    "profile": profile,
    "subscriptions": subscriptions,
    "summaries": summaries,
    "membership": membership,
    "goals": goals,
    "exits": exits,
    "waits": waits,
    "triggers": triggers,
    "members": as_member.asked,
}
"""What an event goes through, in this order; each owns one part of the record. `Watch.parts` names those
that an event's name concerns, so that the others cost nothing."""

WAKERS: tuple[Callable[[Work], None], ...] = (changes_due, exits, starts_due, judge, wakes)
"""What a due moment sets off, in this order."""


class EndlessFactsError(HarkError):
    """Definitions which set each other off for ever."""


def step(record: Record, input: Input, plan: Plan) -> tuple[Record, list[Event]]:
    """The record after the input, and the facts made on the way, in order. May change `record` in place.

    Timers due before the input's instant go first, each at its own moment; at one instant events
    precede timers. Raises EndlessFactsError after 8 rounds of facts that make facts.
    """
    work = Work(record, plan)
    instant, due = input.instant, record.due
    if type(input) is TimerDue:
        wake(work, instant + 1)
    else:
        if due is not None and due < instant:
            wake(work, instant)
        work.now = record.now = max(record.now, instant)
        _HANDLERS[type(input)](work, input)
        exits(work)
        if work.facts:
            drain(work)
        if work.facts or work.moved:
            settle(work)
    return work.record, work.facts


def wake(work: Work, until: int) -> None:
    """Fires every timer due before `until`, each at its own moment."""
    record = work.record
    while record.due is not None and record.due < until:
        work.now = record.now = max(record.now, record.due)
        for waker in WAKERS:
            waker(work)
        drain(work)
        settle(work)


def settle(work: Work) -> None:
    """Forgets what can matter no more, and finds the earliest moment at which time alone changes anything."""
    record = work.record
    if work.facts:
        messages.forget(record, work.now, work.plan.weights.memory_us)
        runs.forget(record, work.now)
    if work.arming:
        arm(work)
        work.arming = False
    if work.moved:
        moments = [run.wake_at for run in record.runs if run.wake_at is not None]
        moments += [whole_ms(run.judging[0][0]) for run in record.runs if run.judging]
        starts = [start.at for start in record.starts.values()]
        record.due = min(chain(record.changes.values(), moments, starts), default=None)
        work.moved = False


def drain(work: Work) -> None:
    """Folds the facts made, and those made by folding them."""
    facts, watch = work.facts, work.plan.watch_of
    for _ in range(ROUNDS):
        begin, end = work.folded, len(facts)
        if begin == end:
            return
        work.folded = end
        for fact in facts[begin:end]:
            fold(work, fact, watch(fact, False))
    if work.folded < len(facts):
        raise EndlessFactsError(
            f"subject {work.record.subject}: facts made facts for {ROUNDS} rounds,"
            f" the last {facts[work.folded].name}",
            "look for campaigns and segments which set each other off",
            "decide.endless",
        )


def fold(work: Work, event: Event, watch: Watch | None) -> None:
    """One event, or fact, through the reducers that it concerns."""
    if watch is not None:
        for part in watch.parts:
            REDUCERS[part](work, event, watch)


def on_event(work: Work, event: Event) -> None:
    record = work.record
    first = not record.last_seq
    watch = work.plan.watch_of(event, first)
    if work.plan.timed and (first or event.name == IDENTIFY or work.plan.states(event)):
        work.arming = work.moved = True
    record.last_seq = max(record.last_seq, event.seq)
    work.imported = event.known_at < event.received_at
    work.age = event.instant - event.at
    fold(work, event, watch)


_HANDLERS: dict[type, Callable[[Work, Any], None]] = {
    Event: on_event,
    MessageDue: messages.hand_off,
    Outcome: messages.came_out,
    Command: commands.obey,
    MergedInto: merge.empty,
    Handover: merge.join,
}
