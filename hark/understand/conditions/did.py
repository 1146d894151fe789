"""`did`: an event happened, so and so often, with so many different values, in a window or ever."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, Self, TypeAlias

import msgspec
import numpy as np
from msgspec import field

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, Found, Ints, Leaf, View, distinct
from hark.understand.conditions.calendar import day_of, day_start, period_of, periods_of
from hark.understand.conditions.tally import Count, Instants, Keys, Latest, Marks, Tally
from hark.understand.conditions.window import Window
from hark.understand.operators import compile as compiled
from hark.understand.operators import test_of, value_reader

MOST = 1000
"""The largest count that a condition may ask for: what is kept per subject must stay bounded."""
PERIODS = ("days", "weeks", "months")
Measure: TypeAlias = Literal["times", "days", "weeks", "months", "distinct"]


def saturation(count: Mapping[str, JSON]) -> int:
    """The number from which on a predicate on a count gives one answer for all larger counts."""
    past = {"gte": 0, "lt": 0}
    numbers: list[int] = [
        number + past.get(name, 1)
        for name, operand in count.items()
        for number in (operand if isinstance(operand, list) else [operand])
    ]
    return max(numbers)


class Did(Leaf, frozen=True, tag="did"):
    """The count of matching events, or of the different days, weeks, months or values among them, passes
    `count`.

    Without a window all of history counts.
    """

    names: tuple[str, ...]
    where: JSON = None
    measure: Measure = "times"
    count: JSON = field(default_factory=lambda: {"gte": 1})
    """Operators on the count."""
    within_us: int | None = None
    zone: str = "UTC"
    """In which days are cut (the workspace's)."""
    of: str | None = None
    """With `distinct`: the property whose values are counted."""
    other: Window = Window()
    """A window other than `within_us`."""

    @cached_property
    def window(self) -> Window:
        return self.other if self.within_us is None else Window(self.within_us)

    @cached_property
    def _passes(self) -> Callable[[bytes], bool] | None:
        return compiled(self.where) if self.where else None

    @property
    def test(self) -> Callable[[bytes], bool] | None:
        """Whether raw properties fulfil `where`; None if all do, so that nothing need be decoded."""
        return None if self.window.since else self._passes

    @property
    def reads_properties(self) -> bool:  # type: ignore[override]
        return self.of is not None or self._passes is not None

    @cached_property
    def _value(self) -> Callable[[bytes], JSON]:
        assert self.of is not None
        read = value_reader(self.of)
        return lambda raw: value_key(read(raw))

    @cached_property
    def cap(self) -> int:
        """The most that is counted; at least 1, so that a summary always has room."""
        return max(1, saturation(self.count))

    @cached_property
    def accepts(self) -> tuple[bool, ...]:
        """The answer for each count up to `cap`, which answers for all larger ones."""
        passes = test_of(self.count)
        return tuple(passes(count) for count in range(self.cap + 1))

    @cached_property
    def _last_unlike(self) -> tuple[int, ...]:
        """For each count up to `cap` the largest smaller one with another answer; -1: there is none."""
        last = [-1]
        for count in range(1, self.cap + 1):
            unlike = self.accepts[count - 1] is not self.accepts[count]
            last.append(count - 1 if unlike else last[-1])
        return tuple(last)

    @cached_property
    def _tally(self) -> Tally:
        if self.window.marked:
            return Marks()
        keyed = self.measure != "times"
        if self.window.moving:
            return Latest() if keyed else Instants()
        return Keys() if keyed else Count()

    def summarises(self) -> JSON:
        zone = self.zone if self.measure in PERIODS else ""
        moving = not self.window.moving
        plain = ["did", sorted(self.names), self.where, self.measure, self.cap, moving, zone]
        window = self.window
        fixed = [list(window.between)] if window.between else []
        marks = [sorted(window.since)] if window.marked else []
        return plain + ([self.of] if self.of else []) + fixed + marks

    def sentence(self) -> str:
        how = (self.measure, self.count, self.window, self.of, self.zone)
        return f"did {wording.did(self.names, self.where, *how)}"

    def watches(self) -> frozenset[str]:
        return frozenset((*self.names, *self.window.since))

    # -- the pure meaning -------------------------------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        known = [event for event in events if event.at <= now]
        mark = self._mark_in(known)
        if self.window.marked and mark is None:
            return False
        found = [event for event in known if self._counts(event, now, mark)]
        if self.measure == "times":
            return test_of(self.count)(len(found))
        return test_of(self.count)(len({self._key(event) for event in found} - {None}))

    def _mark_in(self, known: Sequence[Event]) -> tuple[Instant, int] | None:
        if self.window.entry:
            return self.window.after
        return max(((one.at, one.seq) for one in known if one.name in self.window.since), default=None)

    def _counts(self, event: Event, now: Instant, mark: tuple[Instant, int] | None) -> bool:
        """Whether the event is one of those asked for, and in the window."""
        if event.name not in self.names or (self._passes and not self._passes(event.properties)):
            return False
        window = self.window
        if mark is not None:
            return (event.at, event.seq) > mark
        if window.between:
            return window.between[0] <= event.at < window.between[1]
        if window.today:
            return day_of(event.at, self.zone) == day_of(now, self.zone)
        return window.within_us is None or event.at > now - window.within_us

    def _key(self, event: Event) -> JSON:
        """What is counted once: the period or the value; None for an event that has none."""
        if self.measure in PERIODS:
            return period_of(event.at, self.measure, self.zone)
        return self._value(event.properties)

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        if self.window.since and event.name in self.window.since:
            summary = Marks().mark(summary, event.at, event.seq)
        if event.name not in self.names or (self._passes and not self._passes(event.properties)):
            return summary
        fixed = self.window.between
        if fixed and not fixed[0] <= event.at < fixed[1]:
            return summary
        key = None if self.measure == "times" else self._key(event)
        if key is None and self.measure == "distinct":
            return summary
        return self._tally.add(summary, (event.at, event.seq, key), self.cap)

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        return self._tally.merge(one, other, self.cap)

    def met(self, view: View, now: Instant) -> bool:
        summary = view.summaries.get(self.key)
        if not self.window.moving:
            return self.accepts[(summary or 0) if self.measure == "times" else len(summary or ())]
        if self.window.marked:
            return self._met_since(summary)
        ats = self._instants(summary)
        return self.accepts[len(ats) - bisect_right(ats, self._start(now))]

    def _met_since(self, summary: JSON) -> bool:
        mark, kept = summary or (None, ())
        if self.window.entry:
            mark = self.window.after
        if mark is None:
            return False
        return self.accepts[sum((at, seq) > tuple(mark) for at, seq, _ in kept)]

    def _instants(self, summary: JSON) -> Sequence[Instant]:
        """What the window's count is read from, ascending."""
        if summary is None:
            return ()
        instants: Sequence[Instant] = summary if self.measure == "times" else summary[0]
        return instants

    def _start(self, now: Instant) -> Instant:
        """The last instant before the window."""
        if self.window.within_us is not None:
            return now - self.window.within_us
        return day_start(day_of(now, self.zone), self.zone) - 1

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        window = self.window
        if not window.moving or window.marked:
            return self.met(view, now), None
        ats = self._instants(view.summaries.get(self.key))
        count = len(ats) - bisect_right(ats, self._start(now))
        met = self.accepts[count]
        if window.within_us is None:
            tomorrow = day_start(day_of(now, self.zone) + 1, self.zone)
            return met, tomorrow if self.accepts[0] is not met else None
        last = self._last_unlike[count]
        return met, None if last < 0 else ats[len(ats) - 1 - last] + window.within_us

    # -- in columns -------------------------------------------------------------------------------------

    def columnar(self, columns: Columns) -> Flags:
        found, keys = self._found(columns)
        inside, marked = self._inside(columns, found)
        who = found.who[inside]
        if keys is not None:
            who = different(who, keys[inside])[0]
        counts = np.bincount(who, minlength=len(columns.subjects))
        return np.array(self.accepts)[np.minimum(counts, self.cap)] & marked

    def _found(self, columns: Columns) -> tuple[Found, Ints | None]:
        """The matches, and the key of each (None: matches themselves are counted)."""
        if self.of is None:
            found = columns.matches(self.names, self._passes)
            periods = self.measure in PERIODS
            return found, periods_of(found.at, self.measure, self.zone) if periods else None
        found, codes, values = columns.values(self.names, self._passes, self._value)
        keys = np.array([-1 if value is None else value for value in values], np.int64)[codes]
        there = np.array([value is not None for value in values], np.bool_)[codes]
        return found.only(there), keys[there]

    def _inside(self, columns: Columns, found: Found) -> tuple[Flags, Flags]:
        """(by match: whether it is in the window; by subject: whether there is a window at all)."""
        everybody = np.ones(len(columns.subjects), np.bool_)
        window = self.window
        if window.marked:
            at, seq = self._marks(columns)
            mine, theirs = at[found.who], seq[found.who]
            return (found.at > mine) | ((found.at == mine) & (found.seq > theirs)), at > NEVER
        if window.between:
            return (found.at >= window.between[0]) & (found.at < window.between[1]), everybody
        if window.moving:
            return found.at > self._start(columns.at), everybody
        return np.ones(len(found.at), np.bool_), everybody

    def _marks(self, columns: Columns) -> tuple[Ints, Ints]:
        """By subject, the (at, seq) since which is counted; NEVER without one."""
        if self.window.entry:
            at, seq = self.window.after or (NEVER, 0)
            return np.full(len(columns.subjects), at), np.full(len(columns.subjects), seq)
        return latest(columns.matches(self.window.since, None), len(columns.subjects))

    def summarised(self, columns: Columns) -> Iterator[tuple[int, JSON]]:
        if self.measure != "times" or self.window.marked or self.window.between:
            yield from super().summarised(columns)
            return
        found = columns.matches(self.names, self._passes)
        order = np.lexsort((found.at, found.who))
        who, ats = found.who[order], found.at[order]
        starts = np.flatnonzero(np.diff(who, prepend=-1))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(who)], strict=False):
            mine = ats[start:end].tolist()
            last = mine[-self.cap :] if self.window.moving else min(len(mine), self.cap)
            yield int(columns.subjects[who[start]]), last

    def since_entry(self, at: Instant, seq: int) -> Self:
        if not self.window.entry:
            return self
        return msgspec.structs.replace(self, other=Window(entry=True, after=(at, seq)))

    def leaves(self) -> Iterator[Leaf]:
        yield self


_WHOLE = float(1 << 53)
NEVER = -(1 << 62)
"""Earlier than every event."""


def latest(found: Found, subjects: int) -> tuple[Ints, Ints]:
    """By subject, the last (at, seq) of its events; (NEVER, 0) without any."""
    at, seq = np.full(subjects, NEVER), np.zeros(subjects, np.int64)
    np.maximum.at(at, found.who, found.at)
    tied = found.only(found.at == at[found.who])
    np.maximum.at(seq, tied.who, tied.seq)
    return at, seq


def different(who: Ints, keys: Ints) -> tuple[Ints, Ints]:
    """Each (who, key) once. Keys are sorted and numbered only where they are far apart, as hashes are."""
    if not len(who):
        return who, keys
    low, high, most = int(keys.min()), int(keys.max()), int(who.max()) + 1
    if (high - low + 1) * most < 1 << 62:
        whole = distinct(who * (high - low + 1) + (keys - low))
        return whole // (high - low + 1), whole % (high - low + 1) + low
    names, code = np.unique(keys, return_inverse=True)
    pairs = np.unique(who * max(1, len(names)) + code.reshape(-1))
    return pairs // max(1, len(names)), names[pairs % max(1, len(names))]


def value_key(value: JSON) -> int | None:
    """A number for a value, the same for equal ones (1 and 1.0 are); None for no value."""
    if value is None:
        return None
    whole = type(value) is float and abs(value) < _WHOLE and value.is_integer()
    plain = int(value) if whole else value
    digest = hashlib.blake2b(msgspec.json.encode(plain, order="sorted"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
