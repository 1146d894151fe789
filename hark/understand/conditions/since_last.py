"""`since_last`: how long ago an event last happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Condition, Flags, Leaf, View
from hark.understand.conditions.did import NEVER, Did
from hark.understand.operators import Test, test_of

AFTER = {"gte": 0, "lt": 0, "gt": 1, "lte": 1}
"""The operators on an age, and how long after its operand the answer changes (us)."""


class SinceLast(Condition, frozen=True, tag="since_last"):
    """The time since the latest matching event passes; false if it never happened."""

    names: tuple[str, ...]
    compare: Mapping[str, int]
    """Operators (`AFTER`) on that time in microseconds."""
    where: JSON = None

    @cached_property
    def last(self) -> Did:
        """Keeps the latest instant, as for "within some time"."""
        return Did(self.names, self.where, within_us=1)

    def sentence(self) -> str:
        ages = wording.compared(self.compare, wording.span)
        return f"last did {wording.event(self.names, self.where)} {ages} ago"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        test = self.last.test
        ats = [
            event.at
            for event in events
            if event.name in self.names and event.at <= now and (test is None or test(event.properties))
        ]
        return bool(ats) and test_of(dict(self.compare))(now - max(ats))

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        kept = view.summaries.get(self.last.key)
        if not kept:
            return False, None
        changes = [kept[-1] + age + AFTER[name] for name, age in self.compare.items()]
        return self._test(now - kept[-1]), min((at for at in changes if at > now), default=None)

    def columnar(self, columns: Columns) -> Flags:
        found = columns.matches(self.names, self.last.test)
        ats = np.full(len(columns.subjects), NEVER)
        np.maximum.at(ats, found.who, found.at)
        ages = columns.at - ats
        passed = [_COLUMNS[name](ages, age) for name, age in self.compare.items()]
        flags: Flags = np.logical_and.reduce([ats > NEVER, *passed])
        return flags

    def leaves(self) -> Iterator[Leaf]:
        yield self.last

    @cached_property
    def _test(self) -> Test:
        return test_of(dict(self.compare))


_COLUMNS = {"gte": np.greater_equal, "gt": np.greater, "lt": np.less, "lte": np.less_equal}
