"""`did_not`: an event did not happen, in a window or ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Self

import msgspec

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Condition, Flags, Leaf, View
from hark.understand.conditions.did import Did
from hark.understand.conditions.window import Window


class DidNot(Condition, frozen=True, tag="did_not"):
    """No matching event, in the window or ever. Reads the summary of the `did` that it denies.

    Since an event that never happened, or an entry that never was, neither `did` nor `did_not` is true.
    """

    names: tuple[str, ...]
    where: JSON = None
    within_us: int | None = None
    zone: str = "UTC"
    other: Window = Window()

    @cached_property
    def asked(self) -> Did:
        return Did(
            names=self.names,
            where=self.where,
            count={"eq": 0},
            within_us=self.within_us,
            zone=self.zone,
            other=self.other,
        )

    def sentence(self) -> str:
        what = wording.event(self.names, self.where)
        return f"did not do {what}{wording.inside(self.asked.window, self.zone)}"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self.asked.holds(events, now)

    def met(self, view: View, now: Instant) -> bool:
        return self.asked.met(view, now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.asked.next_change(view, now)

    def answer(self, view: View, now: Instant) -> Answer:
        return self.asked.answer(view, now)

    def columnar(self, columns: Columns) -> Flags:
        return self.asked.columnar(columns)

    def leaves(self) -> Iterator[Leaf]:
        yield self.asked

    def since_entry(self, at: Instant, seq: int) -> Self:
        if not self.other.entry:
            return self
        return msgspec.structs.replace(self, other=Window(entry=True, after=(at, seq)))
