"""`did_not`: an event did not happen, in a window or ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Condition, Flags, Leaf, View
from hark.understand.conditions.did import Did


class DidNot(Condition, frozen=True, tag="did_not"):
    """No matching event, in the window or ever. Reads the summary of the `did` that it denies."""

    names: tuple[str, ...]
    where: JSON = None
    within_us: int | None = None

    @cached_property
    def denied(self) -> Did:
        return Did(names=self.names, where=self.where, within_us=self.within_us)

    def sentence(self) -> str:
        return f"did not do {wording.did(self.names, self.where, 'times', {'gte': 1}, self.within_us)}"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return not self.denied.holds(events, now)

    def met(self, view: View, now: Instant) -> bool:
        return not self.denied.met(view, now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.denied.next_change(view, now)

    def answer(self, view: View, now: Instant) -> Answer:
        met, change = self.denied.answer(view, now)
        return not met, change

    def columnar(self, columns: Columns) -> Flags:
        return ~self.denied.columnar(columns)

    def leaves(self) -> Iterator[Leaf]:
        yield self.denied
