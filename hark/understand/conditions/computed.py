"""Traits computed from history: the first or last value of a property, the most frequent ones, counts, sums.

All but the first two are read from one sort of summary: the values that matched, each with how often it came,
by day where there is a window. Of equal frequency the value that sorts first as JSON stands first, so that
the order of events does not matter; numbers are added exactly (`amount`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from hark.model import JSON, Event, Instant, Trait
from hark.understand.conditions import wording
from hark.understand.conditions.amount import MICRO, micro
from hark.understand.conditions.base import Columns, Condition, Flags, Found, Ints, Leaf, View
from hark.understand.conditions.calendar import day_of, day_start, days_of
from hark.understand.conditions.trait import HasTrait
from hark.understand.operators import compile as compiled
from hark.understand.operators import value_reader

MOST_VALUES = 1000
"""Different values (in a window: of a day) that are kept for each customer; further ones are not counted."""

Kind: TypeAlias = Literal["first", "last", "most_frequent", "top", "count", "sum", "days"]
Days: TypeAlias = dict[int, dict[str, int]]
"""By day (0 where there is no window), how often each value came; a value as JSON text."""


class ComputedTrait(Leaf, frozen=True, tag="computed"):
    """One trait that is computed: its value at any moment."""

    name: str
    kind: Kind
    names: tuple[str, ...]
    of: str | None = None
    where: JSON = None
    window_days: int | None = None
    """The last so many days of the workspace's zone, the present one included."""
    n: int = 1
    """For `top`: how many values."""
    zone: str = "UTC"

    @property
    def reads_properties(self) -> bool:  # type: ignore[override]
        return self.of is not None

    @cached_property
    def test(self) -> Callable[[bytes], bool] | None:
        return compiled(self.where) if self.where else None

    @cached_property
    def _read(self) -> Callable[[bytes], JSON] | None:
        return value_reader(self.of) if self.of else None

    @property
    def _ordered_values(self) -> bool:
        """Whether the first or last value alone is kept."""
        return self.kind in ("first", "last")

    def summarises(self) -> JSON:
        by_day = self.window_days is not None or self.kind == "days"
        kind = self.kind if self._ordered_values or self.kind in ("sum", "days") else "values"
        zone = self.zone if by_day else ""
        return ["computed", kind, sorted(self.names), self.of, self.where, self.window_days, zone]

    def sentence(self) -> str:
        return f"have a computed {self.name}"

    def watches(self) -> frozenset[str]:
        return frozenset(self.names)

    # -- the pure meaning -------------------------------------------------------------------------------

    def value_of(self, events: Sequence[Event], now: Instant) -> JSON:
        """The value by all events (by (at, seq)); None where there is none."""
        found = [
            (event, self._read(event.properties) if self._read else 1)
            for event in events
            if event.name in self.names
            and event.at <= now
            and (self.test is None or self.test(event.properties))
            and self._inside(event.at, now)
        ]
        known = [(event, value) for event, value in found if value is not None]
        match self.kind:
            case "first" | "last":
                return (known[0] if self.kind == "first" else known[-1])[1] if known else None
            case "count":
                return len(known)
            case "days":
                return len({day_of(event.at, self.zone) for event, _ in known})
            case "sum":
                return sum(micro(value) or 0 for _, value in known) / MICRO
        often: dict[str, int] = {}
        for _, value in known:
            often[_text(value)] = often.get(_text(value), 0) + 1
        return self._most(often)

    def _inside(self, at: Instant, now: Instant) -> bool:
        days = self.window_days
        return days is None or day_of(at, self.zone) > day_of(now, self.zone) - days

    def _most(self, often: Mapping[str, int]) -> JSON:
        ranked = sorted(often, key=lambda text: (-often[text], text))
        values = [msgspec.json.decode(text) for text in ranked[: self.n]]
        return values if self.kind == "top" else next(iter(values), None)

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        if self.test is not None and not self.test(event.properties):
            return summary
        value = self._read(event.properties) if self._read else 1
        if value is None:
            return summary
        if self._ordered_values:
            return self.merge(summary, [event.at, event.seq, value])
        dated = self.window_days is not None or self.kind == "days"
        day = day_of(event.at, self.zone) if dated else 0
        amount = (micro(value) or 0) if self.kind == "sum" else 1
        text = "" if self.kind in ("sum", "days", "count") else _text(value)
        return self.merge(summary, [[day, {text: amount if abs(amount) < 1 << 63 else str(amount)}]])

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        if self._ordered_values:
            first = tuple(one[:2]) <= tuple(other[:2])
            return (one if first else other) if self.kind == "first" else (other if first else one)
        days: Days = {}
        for day, values in (*one, *other):
            into = days.setdefault(day, {})
            for text, amount in values.items():
                if text in into or len(into) < MOST_VALUES:
                    into[text] = into.get(text, 0) + int(amount)
        return self._kept(days)

    def _kept(self, days: Days) -> JSON:
        last = max(days) - self.window_days if self.window_days is not None else None
        return [
            [day, {text: n if abs(n) < 1 << 63 else str(n) for text, n in sorted(values.items())}]
            for day, values in sorted(days.items())
            if last is None or day > last
        ]

    def value(self, summary: JSON, now: Instant) -> JSON:
        """What the summary says at a moment."""
        if self._ordered_values:
            return None if summary is None else summary[2]
        days = self._days_in(summary, day_of(now, self.zone) if self.window_days is not None else 0)
        if self.kind == "days":
            return len(days)
        often: dict[str, int] = {}
        for _, values in days:
            for text, amount in values.items():
                often[text] = often.get(text, 0) + int(amount)
        if self.kind in ("count", "sum"):
            total = sum(often.values())
            return total / MICRO if self.kind == "sum" else total
        return self._most(often)

    def _days_in(self, summary: JSON, today: int) -> list[tuple[int, dict[str, int]]]:
        kept: list[tuple[int, dict[str, int]]] = summary or []
        if self.window_days is None:
            return kept
        return [(day, values) for day, values in kept if day > today - self.window_days]

    def changes(self, summary: JSON, now: Instant) -> Instant | None:
        """The first moment after now at which the value may differ by time alone."""
        if self.window_days is None:
            return None
        days = self._days_in(summary, day_of(now, self.zone))
        return day_start(days[0][0] + self.window_days, self.zone) if days else None

    # A computed trait is asked by `HasComputed`; by itself it holds for those who have a value.

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self.value_of(events, now) is not None

    def met(self, view: View, now: Instant) -> bool:
        return self.value(view.summaries.get(self.key), now) is not None

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.changes(view.summaries.get(self.key), now)

    def by_place(self, columns: Columns) -> Iterator[tuple[int, JSON]]:
        """(place, value at their moment) of the subjects of whom there is any but that of nobody."""
        found, codes, values = self._known(columns)
        match self.kind:
            case "count":
                return _counted(found.who)
            case "days":
                days = days_of(found.at, self.zone)
                return _counted(np.unique(np.column_stack([found.who, days]), axis=0)[:, 0])
            case "sum":
                return self._summed(found, np.array([micro(one) or 0 for one in values], object)[codes])
            case "first" | "last":
                return self._outermost(found, codes, values)
        return self._frequent(found, codes, values)

    def _known(self, columns: Columns) -> tuple[Found, Ints, list[JSON]]:
        """The matches in the window that have a value; for each a code into the values."""
        if self._read is None:
            found = columns.matches(tuple(self.names), self.test)
            codes, values = np.zeros(len(found.who), np.int64), [1]
        else:
            found, codes, values = columns.values(tuple(self.names), self.test, self._read)
        inside = np.array([value is not None for value in values], np.bool_)[codes]
        if self.window_days is not None:
            inside &= days_of(found.at, self.zone) > day_of(columns.at, self.zone) - self.window_days
        return found.only(inside), codes[inside], values

    def _summed(self, found: Found, amounts: NDArray[np.object_]) -> Iterator[tuple[int, JSON]]:
        """Whole numbers are added, as live, whatever their size."""
        totals: dict[int, int] = {}
        for place, amount in zip(found.who.tolist(), amounts.tolist(), strict=True):
            totals[place] = totals.get(place, 0) + amount
        return ((place, total / MICRO) for place, total in totals.items())

    def _outermost(self, found: Found, codes: Ints, values: Sequence[JSON]) -> Iterator[tuple[int, JSON]]:
        """The value of each subject's first event, or of the last."""
        order = np.lexsort((found.seq, found.at, found.who))
        who = found.who[order]
        edges = np.diff(who, prepend=-1) if self.kind == "first" else np.diff(who, append=-1)
        ends = np.flatnonzero(edges)
        return zip(who[ends].tolist(), (values[one] for one in codes[order][ends].tolist()), strict=True)

    def _frequent(self, found: Found, codes: Ints, values: Sequence[JSON]) -> Iterator[tuple[int, JSON]]:
        """The most frequent values of each subject."""
        if not len(found.who):
            return
        written = [_text(value) for value in values]
        texts = sorted(set(written))
        places = {text: place for place, text in enumerate(texts)}
        text_of = np.array([places[text] for text in written], np.int64)
        pairs, often = np.unique(found.who * (len(texts) + 1) + text_of[codes], return_counts=True)
        who, text = np.divmod(pairs, len(texts) + 1)
        order = np.lexsort((text, -often, who))
        who, text = who[order], text[order]
        starts = np.flatnonzero(np.diff(who, prepend=-1)).tolist()
        decoded = [msgspec.json.decode(one) for one in texts]
        for start, end in zip(starts, [*starts[1:], len(who)], strict=True):
            most = [decoded[one] for one in text[start : min(end, start + self.n)].tolist()]
            yield int(who[start]), most if self.kind == "top" else most[0]

    def leaves(self) -> Iterator[Leaf]:
        yield self


class HasComputed(Condition, frozen=True, tag="has_computed"):
    """Computed traits fulfil a predicate, as stated ones do in `trait`."""

    where: JSON
    traits: tuple[ComputedTrait, ...]
    zone: str = "UTC"

    @cached_property
    def _predicate(self) -> HasTrait:
        return HasTrait(self.where, self.zone)

    def sentence(self) -> str:
        return f"have {wording.predicate(self.where)}"

    def _fits(self, values: Iterable[JSON], now: Instant) -> bool:
        return self._predicate.fits(self._stated(values), now)

    def _stated(self, values: Iterable[JSON]) -> dict[str, Trait]:
        return {one.name: Trait(value, 0, 0) for one, value in zip(self.traits, values, strict=True)}

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self._fits([one.value_of(events, now) for one in self.traits], now)

    def met(self, view: View, now: Instant) -> bool:
        return self._fits([one.value(view.summaries.get(one.key), now) for one in self.traits], now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        values = [one.value(view.summaries.get(one.key), now) for one in self.traits]
        changes = [one.next_change(view, now) for one in self.traits]
        changes.append(self._predicate.changes(self._stated(values), now))
        return min((change for change in changes if change is not None), default=None)

    def columnar(self, columns: Columns) -> Flags:
        nobody = [one.value(None, columns.at) for one in self.traits]
        flags = np.full(len(columns.subjects), self._fits(nobody, columns.at))
        values: dict[int, list[JSON]] = {}
        for number, one in enumerate(self.traits):
            for place, value in one.by_place(columns):
                values.setdefault(place, list(nobody))[number] = value
        answers: dict[str, bool] = {}
        for place, mine in values.items():
            written = repr(mine)  # tells 1 from 1.0 and true
            if written not in answers:
                answers[written] = self._fits(mine, columns.at)
            flags[place] = answers[written]
        return flags

    def leaves(self) -> Iterator[Leaf]:
        yield from self.traits


def _counted(who: Ints) -> Iterator[tuple[int, JSON]]:
    """How often each place is there."""
    counts = np.bincount(who) if len(who) else who
    there = np.flatnonzero(counts)
    return zip(there.tolist(), counts[there].tolist(), strict=True)


def _text(value: JSON) -> str:
    """A value as JSON, the same for equal ones."""
    whole = type(value) is float and abs(value) < 1 << 53 and value.is_integer()
    return msgspec.json.encode(int(value) if whole else value, order="sorted").decode()
