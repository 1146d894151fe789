"""The bounded summaries from which "how often, how many different, in which window" is read.

`cap` is the number from which on the answer no longer depends on the count, so nothing beyond it is
kept. Events may come late and out of order; each counts at its own time. What is counted is each match
(its key is None), or the different keys of matches: days, weeks, months, values.

    Count     n                        matches, at most `cap`
    Keys      [key, ...]               `cap` different keys, ascending
    Instants  [at, ...]                the last `cap` instants, ascending
    Latest    [[at...], [key...]]      the latest instant of each of the last `cap` keys, ascending by instant
    Marks     [mark, [[at, seq, key]...]]  the latest (at, seq) of the event since which is counted, and
                                       the last `cap` matches (of each key the latest), ascending
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Protocol

from hark.model import JSON, Instant

Match = tuple[Instant, int, JSON]
"""(at, seq, key)."""


class Tally(Protocol):
    """How one sort of summary grows; None is the empty one."""

    def add(self, summary: JSON, match: Match, cap: int) -> JSON:
        """With one more match; may return the same object, changed."""
        ...

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        """Of two subjects' matches together."""
        ...


class Count:
    def add(self, summary: JSON, _match: Match, cap: int) -> JSON:
        count = summary or 0
        return count + 1 if count < cap else count

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        return min(one + other, cap)


class Keys:
    def add(self, summary: JSON, match: Match, cap: int) -> JSON:
        keys: list[JSON] = [] if summary is None else summary
        if len(keys) >= cap:
            return keys
        key = match[2]
        place = bisect_left(keys, key)
        if place == len(keys) or keys[place] != key:
            keys.insert(place, key)
        return keys

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        return sorted({*one, *other})[:cap]


class Instants:
    def add(self, summary: JSON, match: Match, cap: int) -> JSON:
        at = match[0]
        if summary is None:
            return [at]
        if at >= summary[-1]:
            summary.append(at)
        else:
            insort(summary, at)
        if len(summary) > cap:
            del summary[0]
        return summary

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        return sorted(one + other)[-cap:]


class Latest:
    def add(self, summary: JSON, match: Match, cap: int) -> JSON:
        at, _, key = match
        ats, keys = summary = [[], []] if summary is None else summary
        if key in keys:
            place = keys.index(key)
            if at <= ats[place]:
                return summary
            del ats[place], keys[place]
        place = _place(ats, keys, at, key)
        ats.insert(place, at)
        keys.insert(place, key)
        if len(keys) > cap:
            del ats[0], keys[0]
        return summary

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        latest: dict[JSON, Instant] = {}
        for ats, keys in (one, other):
            for at, key in zip(ats, keys, strict=True):
                latest[key] = max(at, latest.get(key, at))
        pairs = sorted((at, key) for key, at in latest.items())[-cap:]
        return [[at for at, _ in pairs], [key for _, key in pairs]]


class Marks:
    def add(self, summary: JSON, match: Match, cap: int) -> JSON:
        mark, kept = [None, []] if summary is None else summary
        return [mark, self._last([*kept, list(match)], cap)]

    def mark(self, summary: JSON, at: Instant, seq: int) -> JSON:
        """The event happened since which is counted."""
        mark, kept = [None, []] if summary is None else summary
        return [max(mark, [at, seq]) if mark else [at, seq], kept]

    def merge(self, one: JSON, other: JSON, cap: int) -> JSON:
        marks = [mark for mark in (one[0], other[0]) if mark]
        return [max(marks, default=None), self._last([*one[1], *other[1]], cap)]

    def _last(self, matches: Iterable[JSON], cap: int) -> list[JSON]:
        """The last of them; of several with one key the latest."""
        by: dict[JSON, JSON] = {}
        for place, match in enumerate(sorted(matches, key=_order)):
            by[("", place) if match[2] is None else match[2]] = match
        return sorted(by.values(), key=_order)[-cap:]


def _order(match: JSON) -> tuple[Instant, int]:
    return match[0], match[1]


def _place(ats: list[Instant], keys: list[JSON], at: Instant, key: JSON) -> int:
    """Where (at, key) belongs among those that ascend."""
    place = bisect_left(ats, at)
    while place < len(ats) and ats[place] == at and keys[place] < key:
        place += 1
    return place
