"""A condition with patience: it counts once it has held for a time, and for a while after it ended.

Levels of engagement are made of it: a habit of one good week is none, and a holiday does not end one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hark.model import JSON, Event, Instant, Kind
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Condition, Kept, Leaf, View
from hark.understand.conditions.latest import Latest, Order, Place

NEVER = -(1 << 62)


class Standing(Struct, array_like=True):
    """What a subject's events so far say of the condition."""

    summaries: dict[str, JSON]
    """Of its leaves, all events folded."""
    at: Instant
    """When the latest of them happened. What follows is as of just before this moment, so that several events
    of one instant count together."""
    holding: bool
    since: Instant = NEVER
    """Since when it has held, or not held."""
    counted: bool = False
    """It had held for long enough, and has not been away for longer than its grace since."""


class Happened(Struct, array_like=True):
    """An event, as far as the leaves ask."""

    at: Instant
    seq: int
    name: str
    properties: bytes
    takers: int
    """As bits, the leaves that take it."""

    @property
    def place(self) -> Place:
        return self.at, self.seq


Summary: TypeAlias = Latest[Standing, Happened]


class Held(Leaf, frozen=True, tag="held"):
    """The condition has held without a break for `for_us`, and has not been away for `grace_us` since.

    It rests on what people did alone: of traits only the present is in a summary (`definitions.engagement`).
    """

    ordered = True
    reads_properties = True

    when: Condition
    for_us: int = 0
    grace_us: int = 0

    @cached_property
    def _leaves(self) -> dict[str, Leaf]:
        return {leaf.key: leaf for leaf in self.when.leaves()}

    @cached_property
    def _order(self) -> Order[Standing, Happened]:
        return Order(self._after, lambda base: msgspec.convert(msgspec.to_builtins(base), Standing))

    def sentence(self) -> str:
        held = f" for {wording.span(self.for_us)}" if self.for_us else ""
        grace = f" (and up to {wording.span(self.grace_us)} after it ended)" if self.grace_us else ""
        return f"{self.when.sentence()}{held}{grace}"

    def watches(self) -> frozenset[str]:
        return frozenset().union(*(leaf.watches() for leaf in self._leaves.values()))

    def leaves(self) -> Iterator[Leaf]:
        yield self

    @property
    def test(self) -> Callable[[bytes], bool] | None:
        tests = [leaf.test for leaf in self._leaves.values()]
        known = [test for test in tests if test is not None]
        return (lambda raw: any(test(raw) for test in known)) if len(known) == len(tests) else None

    # -- the meaning, over events in their order --------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        standing = self._nothing()
        for event in events:
            if event.at <= now and self.takes(event):
                standing = self._after(standing, self._happened(event))
        return self._answer(standing, now)[0]

    def _nothing(self) -> Standing:
        """Before anything happened."""
        return Standing({}, 0, self.when.met(Kept(), 0))

    def _after(self, before: Standing, one: Happened) -> Standing:
        """With one more event, no earlier than the others. Changes `before`."""
        if one.at > before.at:
            before = self._until(before, one.at - 1)
            before.at = one.at
        event = Event(
            0, one.at, one.seq, one.name, _TRACK, "", "", one.at, one.at, one.at, True, one.properties
        )
        for number, (key, leaf) in enumerate(self._leaves.items()):
            if one.takers & 1 << number:
                before.summaries[key] = leaf.fold(before.summaries.get(key), event)
        return before

    def _until(self, standing: Standing, moment: Instant) -> Standing:
        """The standing at a moment no earlier than its own, with every change by time alone up to there."""
        view, at = Kept(), standing.at
        view.summaries = standing.summaries
        found = standing
        while True:
            met, following = self.when.answer(view, at)
            found = self._turned(found, at, met)
            if following is None or following > moment:
                return found
            at = following

    def _turned(self, before: Standing, at: Instant, met: bool) -> Standing:
        if met is before.holding:
            return before
        away = at - before.since
        counted = before.counted and away < self.grace_us if met else before.counted or away >= self.for_us
        return Standing(before.summaries, before.at, met, at, counted)

    def _answer(self, standing: Standing, now: Instant) -> Answer:
        at = max(now, standing.at)
        found = self._until(standing, at)
        view = Kept()
        view.summaries = found.summaries
        changes = [self.when.next_change(view, at)]
        if found.holding:
            met = found.counted or at - found.since >= self.for_us
            changes += [] if met else [found.since + self.for_us]
        else:
            met = found.counted and at - found.since < self.grace_us
            changes += [found.since + self.grace_us] if met else []
        return met, min((change for change in changes if change is not None), default=None)

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        one = self._happened(event)
        if not one.takers:
            return summary
        return msgspec.to_builtins(self._order.take(self._kept(summary), one))

    def _happened(self, event: Event) -> Happened:
        takers = sum(1 << number for number, leaf in enumerate(self._leaves.values()) if leaf.takes(event))
        return Happened(event.at, event.seq, event.name, event.properties, takers)

    def _kept(self, summary: JSON) -> Summary:
        if summary is None:
            return Summary(self._nothing(), self._nothing())
        return msgspec.convert(summary, Summary)

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
        return self._answer(self._kept(view.summaries.get(self.key)).now, now)


_TRACK = int(Kind.TRACK)
