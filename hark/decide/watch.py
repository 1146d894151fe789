"""What one event can set off: the reducers, summaries, segments and courses that its name concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from hark.decide.course import Course, Match, Test
from hark.definitions.types import Segment
from hark.model import GROUP_MESSAGE, Kind, Record
from hark.understand.conditions import Condition, Leaf, answers

T = TypeVar("T")

IDENTIFY = "Identify"
GROUP_CALL = "Group"
ALWAYS = (IDENTIFY, GROUP_MESSAGE, *sorted(answers.NAMES))
"""Names that touch a record whatever is defined: traits and consents are kept before anybody asks."""

STATING = b'"traits"'
"""What the context of an event that states traits has in it."""

PARTS = (
    "attention",
    "profile",
    "subscriptions",
    "summaries",
    "membership",
    "goals",
    "exits",
    "waits",
    "triggers",
    "members",
)
"""The reducers of `step`, in their order."""


class Asked(Protocol):
    """What of an event, or of a call before it is one, decides whether anything asks for it."""

    @property
    def name(self) -> str: ...

    @property
    def properties(self) -> bytes: ...

    @property
    def context(self) -> bytes: ...

    @property
    def kind(self) -> int: ...

    @property
    def active(self) -> bool: ...


class Watch(Struct, frozen=True):
    """What one event name can set off."""

    parts: tuple[str, ...] = PARTS
    """The reducers that have anything to do with it."""
    leaves: tuple[tuple[str, Leaf], ...] = ()
    """(key of the summary, the leaf that folds it)."""
    segments: tuple[Segment, ...] = ()
    """Whose answer may change."""
    with_traits: tuple[Segment, ...] = ()
    """The same if the event changed a trait as well."""
    triggers: tuple[Course, ...] = ()
    enters: bool = False
    """It is the entry into a segment, by which campaigns start."""
    levels: bool = False
    """It is a change of level, by which campaigns start."""
    goals: tuple[Course, ...] = ()
    """The courses one of whose goals this may be."""
    waits: frozenset[tuple[str, int]] = frozenset()
    """(campaign, version) of the courses in which a wait ends by it."""
    earns: bool = False
    """It adds to the balance of attention."""
    test: Test | None = None
    """What an event's raw properties must pass for it to set off anything; None: every event may."""


Leaves: TypeAlias = tuple[tuple[str, Leaf], ...]
"""(key of the summary, the leaf that folds it)."""


class Table(NamedTuple):
    """What events set off, by name."""

    named: Mapping[str, Watch]
    other: Watch | None
    """For every other name."""


def either(leaves: Iterable[Leaf], matches: Iterable[Match]) -> Test | None:
    """What an event must pass to concern one of these; None as soon as one of them takes any."""
    asked = [leaf.test for leaf in leaves] + [match.test for match in matches]
    tests = [test for test in asked if test is not None]
    if len(tests) < len(asked):
        return None
    return tests[0] if len(tests) == 1 else lambda properties: any(test(properties) for test in tests)


def narrowed(name: str, **fields: Any) -> Watch:
    """The watch of these fields, with the parts that they concern."""
    asks = bool(fields["segments"]) or name == IDENTIFY
    concerned = {
        "attention": fields["earns"],
        "profile": name == IDENTIFY,
        "subscriptions": name in answers.NAMES,
        "summaries": fields["leaves"],
        "membership": asks,
        "goals": fields["goals"],
        "exits": asks,
        "waits": fields["waits"],
        "members": name == GROUP_MESSAGE,
        "triggers": fields["triggers"] or fields["enters"] or fields["levels"],
    }
    return Watch(parts=tuple(part for part in PARTS if concerned[part]), **fields)


def is_activity(event: Asked) -> bool:
    """Whether people did it: no fact of Hark's, and not sent as inactive."""
    return event.active and event.kind != Kind.FACT


def holds_for_nobody(where: Condition) -> bool:
    """Whether the condition holds, or will by time alone, for a subject of whom nothing is known."""
    nobody = Record(0)
    return where.met(nobody, 0) or where.next_change(nobody, 0) is not None


def grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups
