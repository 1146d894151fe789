"""At which level somebody stood at moments of their own, each just before it: the specification, and the same
over whole columns where levels rest on counts of events, else by folding each history once.

`engagement.standing` asks of everybody at one moment; this asks of some at many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from hark.definitions.levels import Ladder
from hark.model import JSON, Consent, Event, Instant, Trait
from hark.understand.batch import EVER, BucketColumns, answers, read_of, statements, watched
from hark.understand.conditions import Condition, HasConsent
from hark.understand.conditions.answers import told
from hark.understand.conditions.base import ACTIVITY, TRAITS, Flags, Ints
from hark.understand.people import People, kept
from hark.understand.then_columns import Moments, in_columns, met_then

Place: TypeAlias = tuple[Instant, int]
"""(at, seq)."""
Told: TypeAlias = tuple[Place, Event | Mapping[str, JSON]]
"""An event that is folded, or traits that are stated."""
LAST = 1 << 62
"""Of a moment that comes after all events of its instant."""


def level_then(events: Sequence[Event], ladder: Ladder, moment: Place) -> int:
    """The place of the level from 1, 0 below all, by one subject's events (by (at, seq)) before a moment."""
    before = [event for event in events if (event.at, event.seq) < moment]
    reached = (place for place in range(len(ladder.names), 0, -1)
               if ladder.at_least(ladder.names[place - 1]).holds(before, moment[0]))  # fmt: skip
    return next(reached, 0)


def levels_then(people: People, ladder: Ladder, subject: Ints, at: Ints, seq: Ints) -> Ints:
    """The same of each of these moments; what the ladder's conditions name is in them (`resolved`)."""
    if all(in_columns(level.own) for level in ladder.levels):
        return _counted(people, ladder, Moments(subject, at, seq))
    return _folded(people, ladder, subject, at, seq)


def _counted(people: People, ladder: Ladder, asked: Moments) -> Ints:
    """By counts of events alone; of whom there is none all counts are 0, whenever it is asked."""
    leaves = [leaf for level in ladder.levels for leaf in level.own.leaves()]
    whom, names, properties = np.unique(asked.who), watched(leaves), read_of(leaves)
    found = np.full(len(asked.who), level_then([], ladder, (0, 0)), np.int64)
    for bucket in range(people.buckets):
        runs = [kept(run, whom, inside=True) for run in people.runs(bucket, names, properties)]
        columns = BucketColumns(runs, EVER, {}, {})
        rows = np.flatnonzero(np.isin(asked.who, columns.subjects))
        place = np.searchsorted(columns.subjects, asked.who[rows])
        moments = Moments(place, asked.at[rows], asked.seq[rows])
        if len(rows):
            own = np.array([met_then(level.own, columns, moments) for level in ladder.levels])
            found[rows] = _reached(own, ladder)
    return found


def _reached(own: Flags, ladder: Ladder) -> Ints:
    """By moment, the place of the level, from whether each was met by itself, the weakest first."""
    met = own.astype(np.int64)
    if ladder.ladder:
        below: Ints = np.cumprod(met, axis=0).sum(axis=0)
        return below
    places = np.arange(1, len(met) + 1)[:, None]
    strongest: Ints = (met * places).max(axis=0)
    return strongest


def _folded(people: People, ladder: Ladder, subject: Ints, at: Ints, seq: Ints) -> Ints:
    """By folding each history once."""
    moments: dict[int, list[tuple[Place, int]]] = defaultdict(list)
    for row, (who, *place) in enumerate(zip(subject.tolist(), at.tolist(), seq.tolist(), strict=True)):
        moments[who].append(((place[0], place[1]), row))
    found = np.zeros(len(subject), np.int64)
    walk = _Walk(people, ladder, np.array(sorted(moments), np.int64))
    for who, told_ in walk.stories():
        for row, level in walk.levels(who, told_, sorted(moments.pop(who))):
            found[row] = level
    for who, asked in moments.items():  # of whom nothing matters to any level
        for row, level in walk.levels(who, [], sorted(asked)):
            found[row] = level
    return found


class _View:
    """One subject as the conditions' live form looks at it."""

    def __init__(self) -> None:
        self.traits: dict[str, Trait] = {}
        self.consents: dict[str, Consent] = {}
        self.summaries: dict[str, JSON] = {}


class _Walk:
    def __init__(self, people: People, ladder: Ladder, subjects: Ints) -> None:
        self._people, self._subjects = people, subjects
        self._reached: list[Condition] = [ladder.at_least(name) for name in ladder.names]
        every = {leaf.key: leaf for one in self._reached for leaf in one.leaves()}
        self._leaves = [leaf for leaf in every.values() if leaf.keeps_summary]
        self._names = watched(self._leaves)
        self._traits = self._stated() if any(leaf.trait_names() for leaf in every.values()) else {}
        asked = [leaf for leaf in every.values() if isinstance(leaf, HasConsent)]
        self._terms = {leaf.topic: leaf.rule for leaf in asked if leaf.rule is not None}
        self._said = answers(people.snapshot) if asked else {}

    def _stated(self) -> Mapping[int, list[Told]]:
        """By subject, the traits that their events state."""
        asked, found = set(self._subjects.tolist()), defaultdict[int, list[Told]](list)
        for who, at, seq, traits in statements(self._people.snapshot):
            if who in asked:
                found[who].append(((at, seq), traits))
        return found

    def stories(self) -> Iterable[tuple[int, list[Told]]]:
        """What is folded of each subject, in order; of those of whom there is anything."""
        for bucket in range(self._people.buckets):
            by_subject: dict[int, dict[Place, Event]] = defaultdict(dict)
            for columns, names in self._columns(bucket):
                for place, event in columns.events(names, True):
                    by_subject[int(columns.subjects[place])][event.at, event.seq] = event
            for who, events in by_subject.items():
                yield who, sorted([*events.items(), *self._traits.get(who, ())], key=itemgetter(0))

    def _columns(self, bucket: int) -> Iterable[tuple[BucketColumns, list[str] | None]]:
        """A bucket's columns, and the names to read of them; None: all activity."""
        named = sorted({name for leaf in self._leaves for name in leaf.watches()} - {TRAITS, ACTIVITY})
        runs = [
            kept(run, self._subjects, inside=True) for run in self._people.runs(bucket, self._names, True)
        ]
        columns = BucketColumns(runs, EVER, {}, {})
        yield columns, named
        if self._names is None:
            yield columns, None

    def levels(
        self, who: int, told_: Sequence[Told], moments: Sequence[tuple[Place, int]]
    ) -> Iterable[tuple[int, int]]:
        """(row, level) of one subject's moments (ascending)."""
        view, done = _View(), 0
        for moment, row in moments:
            while done < len(told_) and told_[done][0] < moment:
                self._take(view, *told_[done])
                done += 1
            if who in self._said:
                view.consents = self._consents(who, moment)
            met = (place for place in range(len(self._reached), 0, -1)
                   if self._reached[place - 1].met(view, moment[0]))  # fmt: skip
            yield row, next(met, 0)

    def _take(self, view: _View, place: Place, what: Event | Mapping[str, JSON]) -> None:
        if isinstance(what, Event):
            for leaf in self._leaves:
                if leaf.takes(what):
                    view.summaries[leaf.key] = leaf.fold(view.summaries.get(leaf.key), what)
        else:
            view.traits |= {name: Trait(value, *place) for name, value in what.items()}

    def _consents(self, who: int, moment: Place) -> dict[str, Consent]:
        said, joinings = self._said[who]
        before = [event for event in said if (event.at, event.seq) < moment]
        return told(before, [one for one in joinings if one.at <= moment[0]], self._terms)
