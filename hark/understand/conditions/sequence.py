"""`sequence`: events in an order, with nothing of some others between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, InOrder, Leaf, View
from hark.understand.conditions.latest import TAIL, Latest, Order, Place
from hark.understand.operators import compile as compiled


class Match(Struct, frozen=True, omit_defaults=True):
    """One of some events, with a predicate."""

    names: tuple[str, ...]
    where: JSON = None


class Step(Struct, frozen=True, omit_defaults=True):
    """A step of the sequence: an event that must come, or events that must not."""

    match: Match
    within_us: int | None = None
    """Since the step before: in (before, before + within]."""
    without: tuple[Match, ...] = ()
    """None of these between the step before and this one."""


class Never(Struct, frozen=True, omit_defaults=True):
    """What must not come after the last step: within a time of it, else ever."""

    matches: tuple[Match, ...]
    within_us: int | None = None


class State(Struct, array_like=True):
    """What a subject's events so far have led to."""

    reached: list[tuple[Instant, Instant] | None]
    """By step, its latest match from which the next may still come: (at, start of the attempt)."""
    waiting: list[tuple[Instant, Instant]] = []
    """Attempts at the end that what must not come could still undo: (at, start), ascending."""
    done: Instant | None = None
    """The latest start of an attempt that nothing can undo."""


class Served(Struct, array_like=True, frozen=True):
    """An event, as far as the sequence asks."""

    at: Instant
    seq: int
    serves: int
    """For what, as bits."""

    @property
    def place(self) -> Place:
        return self.at, self.seq


Summary: TypeAlias = Latest[State, Served]


class InSequence(Leaf, frozen=True, tag="sequence"):
    """At least one attempt fits: an event for each step, in order of (at, seq).

    With `within_us` the first of them lies in (now - within, now]. Of the events that a step may take the
    latest is never worse: whatever may follow an earlier one may follow it, and its attempt began no earlier.
    So one attempt a step is enough to know; and of those that wait, one for each start (`TAIL` at most).
    """

    ordered = True

    steps: tuple[Step, ...]
    never: Never | None = None
    within_us: int | None = None

    @property
    def reads_properties(self) -> bool:  # type: ignore[override]
        return any(match.where for _, match in self._bits)

    @cached_property
    def _bits(self) -> list[tuple[int, Match]]:
        """What an event may serve for, as bits: a step, then what must not be before it, then `never`."""
        count = len(self.steps)
        steps = [(1 << place, step.match) for place, step in enumerate(self.steps)]
        between = [(1 << count + place, one) for place, step in enumerate(self.steps) for one in step.without]
        return steps + between + [(1 << 2 * count, one) for one in (self.never.matches if self.never else ())]

    @cached_property
    def _served(self) -> list[tuple[int, frozenset[str], Callable[[bytes], bool] | None]]:
        return [
            (bit, frozenset(match.names), compiled(match.where) if match.where else None)
            for bit, match in self._bits
        ]

    def _serves(self, event: Event) -> int:
        found = 0
        for bit, names, test in self._served:
            if event.name in names and (test is None or test(event.properties)):
                found |= bit
        return found

    def sentence(self) -> str:
        words = [_said(self.steps[0].match)]
        for step in self.steps[1:]:
            without = (
                f" without {wording.listed([_said(one) for one in step.without], 'or')}"
                if step.without
                else ""
            )
            within = f" within {wording.span(step.within_us)}" if step.within_us else ""
            words.append(f"then{without} {_said(step.match)}{within}")
        if self.never:
            within = f" within {wording.span(self.never.within_us)}" if self.never.within_us else ""
            never = wording.listed([_said(one) for one in self.never.matches], "or")
            words.append(f"then not {never}{within}")
        window = f" (begun in the last {wording.span(self.within_us)})" if self.within_us else ""
        return f"did {', '.join(words)}{window}"

    def watches(self) -> frozenset[str]:
        return frozenset(name for _, match in self._bits for name in match.names)

    # -- the pure meaning -------------------------------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        known = [(one.at, self._serves(one)) for one in events if one.at <= now]
        attempts = {(place, at) for place, (at, serves) in enumerate(known) if serves & 1}
        for number, step in enumerate(self.steps[1:], start=1):
            attempts = {
                (place, start)
                for before, start in attempts
                for place in range(before + 1, len(known))
                if self._follows(known, before, place, number, step)
            }
        return any(
            (self.within_us is None or start > now - self.within_us) and self._stays(known, place, now)
            for place, start in attempts
        )

    def _follows(
        self, known: list[tuple[Instant, int]], before: int, place: int, number: int, step: Step
    ) -> bool:
        """Whether the event at a place may serve a step, the one before having been served at `before`."""
        late = step.within_us is not None and known[place][0] > known[before][0] + step.within_us
        forbidden = 1 << len(self.steps) + number
        between = any(serves & forbidden for _, serves in known[before + 1 : place])
        return bool(known[place][1] & 1 << number) and not late and not between

    def _stays(self, known: list[tuple[Instant, int]], place: int, now: Instant) -> bool:
        """Whether nothing came after the last step that must not, and its time for coming is over."""
        if self.never is None:
            return True
        end = None if self.never.within_us is None else known[place][0] + self.never.within_us
        forbidden = 1 << 2 * len(self.steps)
        came = any(serves & forbidden and (end is None or at <= end) for at, serves in known[place + 1 :])
        return not came and (end is None or now > end)

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        serves = self._serves(event)
        if not serves:
            return summary
        one = Served(event.at, event.seq, serves)
        return msgspec.to_builtins(self._order.take(self._kept(summary), one))

    @cached_property
    def _order(self) -> Order[State, Served]:
        return Order(self._after, lambda base: base)

    def _kept(self, summary: JSON) -> Summary:
        if summary is None:
            nothing: list[tuple[Instant, Instant] | None] = [None] * len(self.steps)
            return Summary(State(nothing), State(nothing))
        return msgspec.convert(summary, Summary)

    def _after(self, state: State, one: Served) -> State:
        """What one more event leads to; it serves one step only."""
        at, serves = one.at, one.serves
        count, before = len(self.steps), state.reached
        reached, ended = list(before), None
        for place in range(count):
            if place + 1 < count and serves & 1 << count + place + 1:
                reached[place] = None
        for place, step in enumerate(self.steps):
            start = self._start(before, place, step, at) if serves & 1 << place else None
            if start is not None:
                reached[place] = (at, start)
                ended = reached[place] if place + 1 == count else None
        waiting, done = self._matured(state, at)
        if self.never is None:
            return State(reached, [], ended[1] if ended else done)
        if serves & 1 << 2 * count:
            waiting = []
        return State(reached, self._joined(waiting, ended) if ended else waiting, done)

    def _start(
        self, reached: Sequence[tuple[Instant, Instant] | None], place: int, step: Step, at: Instant
    ) -> Instant | None:
        """When the attempt began that comes to this step now; None if there is none."""
        if place == 0:
            return at
        before = reached[place - 1]
        if before is None or (step.within_us is not None and at > before[0] + step.within_us):
            return None
        return before[1]

    def _matured(self, state: State, now: Instant) -> tuple[list[tuple[Instant, Instant]], Instant | None]:
        """(attempts that still wait at a moment, the latest start of those that need not any more)."""
        span = self.never.within_us if self.never else None
        if span is None:
            return state.waiting, state.done
        over = [start for at, start in state.waiting if at + span < now]
        starts = over if state.done is None else [state.done, *over]
        return [one for one in state.waiting if one[0] + span >= now], max(starts, default=None)

    def _joined(
        self, waiting: Sequence[tuple[Instant, Instant]], ended: tuple[Instant, Instant]
    ) -> list[tuple[Instant, Instant]]:
        """With one more that waits. Of one start the earliest is over first; without a window starts are
        all one; without a time to wait the latest start says all."""
        assert self.never is not None
        if self.never.within_us is None:
            return [ended]
        if waiting and (self.within_us is None or waiting[-1][1] == ended[1]):
            return list(waiting)
        return [*waiting, ended][-TAIL:]

    def stale(self, summary: JSON) -> bool:
        return summary is not None and msgspec.convert(summary, Summary).stale

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        return msgspec.to_builtins(self._order.join(self._kept(one), self._kept(other)))

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        state = self._kept(view.summaries.get(self.key)).now
        waiting, done = self._matured(state, now)
        span = self.never.within_us if self.never else None
        starts = [start for _, start in waiting] if self.never and span is None else []
        latest = max([*starts, *([] if done is None else [done])], default=None)
        ends = [] if span is None else [at + span + 1 for at, _ in waiting]
        if latest is None or (self.within_us is not None and latest <= now - self.within_us):
            return False, min(ends, default=None)
        return True, None if self.within_us is None else min([latest + self.within_us, *ends])

    def columnar(self, columns: Columns) -> Flags:
        within = [-1 if step.within_us is None else step.within_us for step in self.steps]
        span = self.never.within_us if self.never else None
        since = None if self.within_us is None else columns.at - self.within_us
        order = InOrder(np.array(within, np.int64), self.never is not None, span, since)
        return columns.in_order([(bit, match.names, match.where) for bit, match in self._bits], order)

    def leaves(self) -> Iterator[Leaf]:
        yield self


def _said(match: Match) -> str:
    return wording.event(match.names, match.where)
