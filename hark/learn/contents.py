"""Of each item of the catalogue, and of each format: who was sent it, who read it, at which stage of their
decision, and what came later. Descriptions: who reads a price list was nearer to buying before.

A reader is counted once for an item, at their first reading of it. Their stage is that just before; whether
they went on is asked 28 days later. What else came later is `aftermath`'s, of every reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from hark.definitions.contents import Content
from hark.definitions.levels import Stage
from hark.learn.aftermath import LATER_US, Afters, afters
from hark.learn.attention import COLUMNS, GOAL, READ, SENT, SPENT, WORTH, Later, later_of, until
from hark.learn.columns import Flags, Integers, integers, raw
from hark.model import DAY, Instant
from hark.understand.addresses import known_as
from hark.understand.levels_then import LAST, levels_then
from hark.understand.people import People

ON_US = 28 * DAY
"""How long after a reading it is asked whether the reader has gone on."""
Rows: TypeAlias = Sequence[int]


class GoneOn(Struct, frozen=True):
    """Of readers who could go on and whose 28 days are over, how many stood at a later stage then, and at an
    earlier one."""

    readers: int
    on: int
    back: int


class Read(Struct, frozen=True):
    """What became of some items together."""

    sent: int
    """Messages that brought one."""
    sent_to: int
    """Different people."""
    read_after: int
    """Of the messages, those whose customer read the item within 7 days after."""
    goals: int
    """Of the messages, those whose run reached its goal: also who would have anyway."""
    reads: int
    readers: int
    """Different people."""
    minutes: float
    """Of activity on them, as the reading script told."""
    useful: int
    """Who said that it was worth their time; `useless`: that it was not. Of several items, each by itself."""
    useless: int
    at_stage: dict[str, int]
    """Readers by their stage at their first reading, in the order of the stages."""
    gone_on: GoneOn
    later: Later


class Item(Struct, frozen=True):
    """One item of the catalogue."""

    content: str
    title: str
    url: str
    format: str
    stages: tuple[str, ...]
    topics: tuple[str, ...]
    takes_minutes: float | None
    """How long it is said to take."""
    read: Read


class Format(Struct, frozen=True):
    """All items of one format."""

    format: str
    items: int
    read: Read


class Contents(Struct, frozen=True):
    items: list[Item]
    formats: list[Format]
    stages: tuple[str, ...]
    unlisted: int
    """Readings of texts that no document has."""


class _Told(NamedTuple):
    """Readings, or messages, of items, by (subject, at, seq)."""

    who: Integers
    at: Integers
    seq: Integers
    item: list[str]
    """"" for what is in no document."""
    said: list[dict[str, Any]]
    found: Afters

    def each(self) -> Iterator[tuple[int, Instant, int, str]]:
        """(who, at, seq, item)."""
        return zip(self.who.tolist(), self.at.tolist(), self.seq.tolist(), self.item, strict=True)


def contents(people: People, catalogue: Mapping[str, Content], stage: Stage, now: Instant) -> Contents:
    """What became of each item up to a moment, what is read most first; `stage`: with all that its conditions
    name."""
    report = _Report(people, catalogue, stage, now)
    items = [
        Item(
            one.name, one.title, one.url, one.format, one.stages, one.topics, one.minutes,
            report.of({one.name}),
        )
        for one in catalogue.values()
    ]  # fmt: skip
    by_format: dict[str, set[str]] = defaultdict(set)
    for one in catalogue.values():
        by_format[one.format].add(one.name)
    formats = [Format(name, len(mine), report.of(mine)) for name, mine in by_format.items()]
    return Contents(
        sorted(items, key=lambda one: (-one.read.readers, -one.read.sent, one.content)),
        sorted(formats, key=lambda one: (-one.read.readers, one.format)),
        (stage.floor, *stage.names),
        sum(not one for one in report.reads.item),
    )


class _Report:
    """All readings and messages, told apart by item when asked."""

    def __init__(self, people: People, catalogue: Mapping[str, Content], stage: Stage, now: Instant) -> None:
        self._people, self._stage, self._now = people, stage, now
        self._item = item_of(catalogue.values())
        self.reads = self._told(READ, lambda properties, _said: self._item(properties))
        self._sends = self._told(SENT, lambda _properties, said: said.get("content", ""))
        self._first = self._first_reads()
        self._by_item = (
            _grouped(self._sends.item, range(len(self._sends.item))),
            _grouped(self.reads.item, range(len(self.reads.item))),
            _grouped(self.reads.item, self._first),
        )
        """Rows of messages, of readings and of first readings."""
        self._then, self._later = self._levels()
        self._spent, self._worth = self._minutes(), self._said_worth()
        self._reached = self._goals()
        self._read_after = self._read_after_sending()

    def of(self, items: set[str]) -> Read:
        """What became of these items together."""
        sends, reads, first = (_rows(rows, items) for rows in self._by_item)
        good, bad = (sum(self._worth.get(one, (0, 0))[side] for one in items) for side in (0, 1))
        over = self.reads.found.at[reads] + LATER_US < self._now
        return Read(
            sent=len(sends),
            sent_to=len(np.unique(self._sends.who[sends])),
            read_after=int(self._read_after[sends].sum()),
            goals=sum(self._sends.said[row].get("run") in self._reached for row in sends.tolist()),
            reads=len(reads),
            readers=len(np.unique(self.reads.who[reads])),
            minutes=sum(self._spent.get(one, 0.0) for one in items),
            useful=good,
            useless=bad,
            at_stage=self._at_stage(self._once(first)),
            gone_on=self._gone_on(self._once(first)),
            later=later_of(self.reads.found, reads, over),
        )

    # -- what happened ---------------------------------------------------------------------------------

    def _told(self, name: str, item: Callable[[bytes, dict[str, Any]], str]) -> _Told:
        rows = until(self._people.table((name,), COLUMNS), self._now)
        texts = [raw(one) for one in rows["properties"].to_pylist()]
        said = [msgspec.json.decode(one) for one in texts]
        who, at, seq = (integers(rows, column) for column in COLUMNS[:3])
        items = [item(one, told) for one, told in zip(texts, said, strict=True)]
        return _Told(who, at, seq, items, said, afters(self._people, (name,), self._now))

    def _minutes(self) -> Mapping[str, float]:
        """By item, minutes of activity: where the script told of time, that; else what its readings took."""
        rows = until(self._people.table((SPENT,), COLUMNS), self._now)
        raws = [raw(one) for one in rows["properties"].to_pylist()]
        return _added(self.reads.item, self.reads.said) | _added(
            map(self._item, raws), map(msgspec.json.decode, raws)
        )

    def _said_worth(self) -> dict[str, tuple[int, int]]:
        """By item, different people whose last word was that it was worth their time, and that it was not."""
        rows = until(self._people.table((WORTH,), COLUMNS), self._now)
        last: dict[tuple[str, int], bool] = {}
        raws = map(raw, rows["properties"].to_pylist())
        for who, text in zip(integers(rows, "subject").tolist(), raws, strict=True):
            last[self._item(text), who] = msgspec.json.decode(text).get("worth") is not False
        found: dict[str, tuple[int, int]] = {}
        for (name, _), good in last.items():
            before = found.get(name, (0, 0))
            found[name] = (before[0] + good, before[1] + (not good))
        return found

    def _goals(self) -> set[str]:
        """Runs that reached their goal."""
        rows = until(self._people.table((GOAL,), COLUMNS), self._now)
        told = (msgspec.json.decode(one) for one in rows["properties"].to_pylist())
        return {one["run"] for one in told if not one.get("also")}

    def _read_after_sending(self) -> Flags:
        """Of each message, whether its customer read its item after it, within 7 days."""
        when: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        for who, at, seq, one in self.reads.each():
            when[who, one].append((at, seq))
        found = [
            any((at, seq) < read and read[0] <= at + LATER_US for read in when.get((who, one), ()))
            for who, at, seq, one in self._sends.each()
        ]
        return np.array(found, np.bool_)

    # -- at which stage --------------------------------------------------------------------------------

    def _first_reads(self) -> list[int]:
        """The rows that are a customer's first reading of an item of the catalogue."""
        seen: set[tuple[int, str]] = set()
        found = []
        for row, (who, one) in enumerate(zip(self.reads.who.tolist(), self.reads.item, strict=True)):
            if one and (who, one) not in seen:
                seen.add((who, one))
                found.append(row)
        return found

    def _levels(self) -> tuple[dict[int, int], dict[int, int]]:
        """By row of a first reading, the level just before it; and 28 days after, where these are over."""
        first = np.array(self._first, np.int64)
        who, at, seq = self.reads.who[first], self.reads.at[first], self.reads.seq[first]
        over = at + ON_US < self._now
        both = levels_then(
            self._people,
            self._stage,
            np.concatenate([who, who[over]]),
            np.concatenate([at, at[over] + ON_US]),
            np.concatenate([seq, np.full(int(over.sum()), LAST)]),
        )
        then = dict(zip(self._first, both[: len(first)].tolist(), strict=True))
        return then, dict(zip(first[over].tolist(), both[len(first) :].tolist(), strict=True))

    def _once(self, first: Integers) -> list[int]:
        """Of first readings of several items, each customer's first of all."""
        _, places = np.unique(self.reads.who[first], return_index=True)
        return [int(row) for row in first[places]]

    def _at_stage(self, rows: Rows) -> dict[str, int]:
        names = (self._stage.floor, *self._stage.names)
        counts = (
            np.bincount([self._then[row] for row in rows], minlength=len(names)) if rows else [0] * len(names)
        )
        return {name: int(n) for name, n in zip(names, counts, strict=True)}

    def _gone_on(self, rows: Rows) -> GoneOn:
        top = len(self._stage.names)
        asked = [row for row in rows if row in self._later and self._then[row] < top]
        moved = [self._later[row] - self._then[row] for row in asked]
        return GoneOn(len(asked), sum(one > 0 for one in moved), sum(one < 0 for one in moved))


def item_of(catalogue: Iterable[Content]) -> Callable[[bytes], str]:
    """From an event's properties to the item that its text is; "" for one in no document. A path of two
    sites counts for the first."""
    items: dict[str, str] = {}
    for one in catalogue:
        for address in sorted(one.known_as):
            items.setdefault(address, one.name)
    known: dict[bytes, str] = {}

    def found(properties: bytes) -> str:
        if properties not in known:
            known[properties] = next((items[one] for one in known_as(properties) if one in items), "")
        return known[properties]

    return found


def _added(items: Iterable[str], told: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """By item, minutes of activity."""
    found: dict[str, float] = defaultdict(float)
    for one, said in zip(items, told, strict=True):
        found[one] += float(said.get("active_s") or 0) / 60
    return dict(found)


def _grouped(items: Sequence[str], rows: Iterable[int]) -> dict[str, list[int]]:
    """By item, the rows that are of it."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[items[row]].append(row)
    return found


def _rows(by_item: Mapping[str, Sequence[int]], items: set[str]) -> Integers:
    """The rows of several items, ascending."""
    return np.array(sorted(row for one in items for row in by_item.get(one, ())), np.int64)
