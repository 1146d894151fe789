"""The events catalogue, as a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct

from hark.definitions.event_plan import Event, Property
from hark.definitions.learned import Grade, Graded, Signals
from hark.definitions.parse import definition
from hark.definitions.weak import kept
from hark.errors import HarkError
from hark.model import DAY, JSON, Instant, Kind
from hark.questions.catalogue import Reading
from hark.understand.catalogue import Catalogue, EventSeen, ViolationSeen

if TYPE_CHECKING:
    from hark.questions.desk import Desk

PATIENCE_S = 10.0
NEW_US = 7 * DAY
"""How long an event is new; on the catalogue's first day none is."""
DAYS = 30


class EventsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """All events that were seen; with `name` one, with its properties."""

    name: str | None = None


class PropertyLine(Struct, frozen=True):
    """A property: seen in `count` of the events that were looked at, or planned, or both."""

    name: str
    count: int
    share: float
    types: dict[str, int]
    example: str
    first: Instant
    last: Instant
    planned: Property | None = None


class EventLine(Struct, frozen=True):
    """One event: seen, planned, or both."""

    name: str
    kind: str
    """track, identify, page ...; "" for one that was never seen."""
    count: int
    first: Instant
    last: Instant
    arrived: Instant
    new: bool
    """It came in for the first time in the last seven days."""
    planned: bool
    says: str
    checked: int
    broken: int
    """Of the checked, how many break the plan."""
    sources: dict[str, int]
    days: tuple[int, ...]
    """Events on each of the last 30 days (UTC), today the last."""
    properties: int
    grade: Grade
    """How well doing it early tells of staying, by the grades in force."""
    graded: Graded | None
    """The figures, where it could be judged."""


class EventPage(Struct, frozen=True):
    """One event with all that is known of it."""

    event: EventLine
    looked: int
    properties: tuple[PropertyLine, ...]
    beyond: int
    """Values of further properties, which are not kept one by one."""
    violations: tuple[ViolationSeen, ...]
    other: bool
    """Whether the plan allows properties that it does not name."""
    reading: Reading | None = None


class EventsAnswer(Struct, frozen=True):
    """The catalogue, the most frequent first."""

    events: tuple[EventLine, ...]
    beyond: int
    """Events of further names, which are not kept one by one."""
    reading: Reading | None = None
    """All of the history is being read; this is what was known before."""


def events(desk: Desk, asked: EventsQuestion) -> JSON:
    """`EventsAnswer` or `EventPage` as plain data. Raises HarkError `event.unknown`."""
    found, reading = desk.catalogue.catalogue(PATIENCE_S)
    known = Known(found, _plans(desk), kept(desk.state.documents()), desk.clock.now())
    if asked.name is not None:
        return msgspec.to_builtins(_page(asked.name, known, reading))
    names = [*found.events, *(name for name in known.plans if name not in found.events)]
    lines = [_line(name, known) for name in names]
    ordered = sorted(lines, key=lambda line: (-line.count, line.name))
    return msgspec.to_builtins(EventsAnswer(tuple(ordered), found.beyond, reading))


def _plans(desk: Desk) -> dict[str, Event]:
    found = (definition(one) for one in desk.state.documents() if one.kind == "event")
    return {one.name: one for one in found if isinstance(one, Event)}


class Known(NamedTuple):
    """All that is known of events."""

    found: Catalogue
    plans: dict[str, Event]
    grades: Signals | None
    now: Instant


def _line(name: str, known: Known) -> EventLine:
    found, plan, now = known.found, known.plans.get(name), known.now
    seen = found.events.get(name, _NEVER)
    today = now // DAY
    return EventLine(
        name=name,
        kind=Kind(seen.kind).name.lower() if seen is not _NEVER else "",
        count=seen.count,
        first=seen.first,
        last=seen.last,
        arrived=seen.arrived,
        new=seen is not _NEVER and now - seen.arrived <= NEW_US and seen.arrived > found.began + DAY,
        planned=plan is not None,
        says=plan.says if plan else "",
        checked=seen.checked,
        broken=seen.broken,
        sources=seen.sources,
        days=tuple(seen.days.get(today - ago, 0) for ago in range(DAYS - 1, -1, -1)),
        properties=len(seen.properties),
        grade=known.grades.grade(name) if known.grades else "too few",
        graded=known.grades.grades.get(name) if known.grades else None,
    )


_NEVER = EventSeen(0, 0, 0, 0)


def _page(name: str, known: Known, reading: Reading | None) -> EventPage:
    found, plan = known.found, known.plans.get(name)
    if plan is None and name not in found.events:
        hint = "see `hark events` for those that were"
        raise HarkError(f"no event {name!r} was seen or planned", hint, "event.unknown")
    seen = found.events.get(name, _NEVER)
    return EventPage(
        event=_line(name, known),
        looked=seen.looked,
        properties=tuple(_properties(seen, plan)),
        beyond=seen.beyond,
        violations=tuple(sorted(seen.violations, key=lambda one: -one.count)),
        other=plan.other if plan else True,
        reading=reading,
    )


def _properties(seen: EventSeen, plan: Event | None) -> Iterator[PropertyLine]:
    """The planned first, in the plan's order; then the others, the most frequent first."""
    planned = plan.properties if plan else {}
    others = sorted((path for path in seen.properties if path not in planned), key=_often(seen))
    for path in [*planned, *others]:
        one = seen.properties.get(path)
        yield PropertyLine(
            name=path,
            count=one.count if one else 0,
            share=one.count / seen.looked if one else 0.0,
            types=one.types if one else {},
            example=one.example if one else "",
            first=one.first if one else 0,
            last=one.last if one else 0,
            planned=planned.get(path),
        )


def _often(seen: EventSeen) -> Callable[[str], tuple[int, str]]:
    return lambda path: (-seen.properties[path].count, path)
