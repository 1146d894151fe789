"""Levels of engagement, and stages, in a plan: who has reached each, as segments, and what a change
starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hark.decide.course import Course
from hark.definitions.levels import Ladder
from hark.definitions.types import Segment
from hark.model import FactName, Record

CHANGES = frozenset((FactName.LEVEL_CHANGED.value, FactName.STAGE_CHANGED.value))
"""The facts of a change of level."""


class Levels:
    """The definitions of levels in force."""

    def __init__(self, definitions: Iterable[Ladder], courses: Iterable[Course]) -> None:
        """`courses` are those of which some start by a change of level."""
        self._named = {one.name: one for one in definitions}
        self._courses = [course for course in courses if course.campaign.trigger.level]

    def __getitem__(self, name: str) -> Ladder:
        return self._named[name]

    def get(self, name: str) -> Ladder | None:
        """None for a definition that is not in force any more."""
        return self._named.get(name)

    @property
    def start_campaigns(self) -> bool:
        return bool(self._courses)

    def segments(self) -> Iterator[Segment]:
        """Who has reached each level, as segments of which no fact tells, named DEFINITION.LEVEL."""
        for one in self._named.values():
            for name in one.names:
                yield Segment(f"{one.name}.{name}", one.at_least(name), one.name)

    def started(self, definition: str, before: str | None, now: str | None) -> Iterator[Course]:
        """The campaigns that a change between two levels starts, however many levels it goes over."""
        if definition not in self._named:
            return
        places = {None: -1} | {name: place for place, name in enumerate(self._named[definition].names)}
        low, high = sorted((places.get(before, -1), places.get(now, -1)))
        for course in self._courses:
            wanted = course.campaign.trigger.level
            if not wanted or wanted.definition != definition:
                continue
            rises = places.get(now, -1) == high
            if wanted.rises is rises and low < places.get(wanted.level, low) <= high:
                yield course


def level_of(record: Record, definition: Ladder) -> str | None:
    """The strongest level that the subject has by its memberships; None below all."""
    reached = (name for name in reversed(definition.names) if f"{definition.name}.{name}" in record.members)
    return next(reached, None)


def put_at(record: Record, definition: Ladder | None, level: str | None, at: int) -> None:
    """Sets the memberships of a level and those below it; `at` is since when, where that is new."""
    if definition is None:
        return
    reached = definition.names[: definition.names.index(level) + 1] if level in definition.names else ()
    for name in definition.names:
        if name in reached:
            record.members.setdefault(f"{definition.name}.{name}", at)
        else:
            record.members.pop(f"{definition.name}.{name}", None)
