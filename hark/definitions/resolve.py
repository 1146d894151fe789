"""Putting what conditions only name in its place: the conditions of segments, the rules of topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from hark.definitions.asked import Funnel
from hark.definitions.levels import Ladder
from hark.definitions.problems import nearest
from hark.definitions.stages import in_force as stages_in_force
from hark.definitions.types import Computed, Definition, Paced, Question, Segment, Topic
from hark.errors import HarkError
from hark.understand.conditions import (
    AllOf,
    AtLevel,
    Condition,
    HasConsent,
    HasTrait,
    InSegment,
    Named,
    Not,
    Pace,
    nodes,
    replaced,
)
from hark.understand.conditions.computed import HasComputed
from hark.understand.conditions.consent import Rule
from hark.understand.conditions.pace import Passage
from hark.understand.conditions.sequence import Match

T = TypeVar("T", bound=Struct)
NAMING = ("segment", "engagement", "stage")
"""Kinds whose conditions may name each other's."""


def resolved(definitions: Iterable[T], in_force: Sequence[Definition]) -> list[T]:
    """The same definitions, in which each `in_segment` knows the condition of its segment, as in force,
    each `consent` the rules of its topic, each `pace` its table, and each trait that is computed how.

    Raises HarkError: `segment.unknown`, `segment.cycle`, `engagement.unknown`, `engagement.level`.
    """
    look_up = Lookup(in_force)
    return [_with(one, look_up.condition) for one in definitions]


class Lookup:
    """The segments in force, by which conditions are completed."""

    def __init__(self, in_force: Sequence[Definition]) -> None:
        self._segments = {one.name: one.where for one in in_force if isinstance(one, Segment)}
        self._rules = {one.name: Rule(one.default, one.opt_in) for one in in_force if isinstance(one, Topic)}
        self._computed = {one.name: one.trait for one in in_force if isinstance(one, Computed)}
        self._paces = {one.name: one.reference for one in in_force if isinstance(one, Paced)}
        self._levels = {(kind_of(one), one.name): one for one in in_force if isinstance(one, Ladder)}
        stages = stages_in_force(in_force)
        self._levels["stage", stages.name] = stages
        self._known: dict[str, Condition] = {}

    def condition(self, condition: Condition) -> Condition:
        """The condition with all that it names."""
        return self._complete(condition, ())

    def _complete(self, condition: Condition, above: tuple[str, ...]) -> Condition:
        def by(leaf: Condition) -> Condition:
            match leaf:
                case InSegment():
                    return InSegment(leaf.name, self._segment(leaf.name, above))
                case AtLevel():
                    return msgspec.structs.replace(leaf, where=self._level(leaf, above))
                case HasConsent():
                    return msgspec.structs.replace(leaf, rule=self._rules.get(leaf.topic))
                case Pace():
                    return msgspec.structs.replace(leaf, reference=self._paces.get(leaf.way.name))
                case HasTrait():
                    return self._with_computed(leaf)
            return leaf

        return replaced(condition, by)

    def _with_computed(self, leaf: HasTrait) -> Condition:
        """The condition on traits, in which those that are computed are."""
        names = {path: path.split(".")[0] for path in leaf.where}
        found = [name for name in dict.fromkeys(names.values()) if name in self._computed]
        traits = tuple(self._computed[name] for name in found)
        if not traits:
            return leaf
        computed = {path: leaf.where[path] for path, name in names.items() if name in self._computed}
        asked = HasComputed(computed, traits, traits[0].zone)
        stated = {path: value for path, value in leaf.where.items() if path not in computed}
        return AllOf((HasTrait(stated, leaf.zone), asked)) if stated else asked

    def _segment(self, name: str, above: tuple[str, ...]) -> Condition:
        if name in above:
            path = " → ".join([*above[above.index(name) :], name])
            raise HarkError(f"segments that name each other: {path}", "leave one out", "segment.cycle")
        if name not in self._segments:
            raise HarkError(f"there is no segment {name!r}", nearest(name, self._segments), "segment.unknown")
        if name not in self._known:
            self._known[name] = self._complete(self._segments[name], (*above, name))
        return self._known[name]

    def _level(self, leaf: AtLevel, above: tuple[str, ...]) -> Condition:
        label = named(leaf.kind, leaf.name)
        if label in above:
            path = " → ".join([*above[above.index(label) :], label])
            raise HarkError(f"definitions that name each other: {path}", "leave one out", "segment.cycle")
        if (leaf.kind, leaf.name) not in self._levels:
            hint = nearest(leaf.name, [name for kind, name in self._levels if kind == leaf.kind])
            raise HarkError(f"there is no {leaf.kind} {leaf.name!r}", hint, "engagement.unknown")
        meant = between(self._levels[leaf.kind, leaf.name], leaf)
        return self._complete(meant, (*above, label))


def between(definition: Ladder, leaf: AtLevel) -> Condition:
    """The bounds as a condition. Raises HarkError `engagement.level` for a level that there is not."""
    for name in (leaf.at_least, leaf.at_most):
        if name and not definition.known(name):
            hint = nearest(name, (definition.floor, *definition.names))
            raise HarkError(f"there is no level {name!r} in {definition.name}", hint, "engagement.level")
    parts = [definition.at_least(leaf.at_least)] if leaf.at_least in definition.names else []
    above = definition.next_above(leaf.at_most) if leaf.at_most else None
    parts += [Not(definition.at_least(above))] if above else []
    if not parts:
        if leaf.at_least:
            message, hint = f"everybody is at least at {leaf.at_least!r}", "name a stronger one"
        else:
            message = (
                f"{leaf.at_most!r} is the strongest level of {definition.name}: everybody is at most there"
            )
            hint = "name a weaker one"
        raise HarkError(message, hint, "engagement.level")
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def named(kind: str, name: str) -> str:
    """How a segment or a definition of levels is called where they name each other."""
    return name if kind == "segment" else f"{kind} {name}"


def kind_of(definition: object) -> str:
    """The kind of a typed definition, as documents name it."""
    return type(definition).__name__.lower()


def named_in(definition: Any) -> dict[tuple[str, str], None]:
    """(kind, name) of what the conditions of a definition name."""
    found: dict[tuple[str, str], None] = {}

    def note(condition: Condition) -> Condition:
        if isinstance(condition, Named):
            found[condition.kind if isinstance(condition, AtLevel) else "segment", condition.name] = None
        elif isinstance(condition, HasConsent):
            found["topic", condition.topic] = None
        return condition

    _with(definition, lambda condition: replaced(condition, note))
    return found


def nodes_in(definition: Any) -> list[Condition]:
    """The conditions of a definition, and all below them."""
    found: list[Condition] = []

    def note(condition: Condition) -> Condition:
        found.extend(nodes(condition))
        return condition

    _with(definition, note)
    return found


def levels_in(definition: Any) -> list[AtLevel]:
    """The levels that its conditions name."""
    return [one for one in nodes_in(definition) if isinstance(one, AtLevel)]


def passages_in(definition: Any) -> list[Passage]:
    """From which events to which a definition asks how long people take: in conditions, and from each step of
    a saved funnel to the next."""
    found: list[Passage] = []

    def note(condition: Condition) -> Condition:
        if isinstance(condition, Pace):
            found.append(condition.way)
        return condition

    asks = definition.asks if isinstance(definition, Question) else None
    if isinstance(asks, Funnel):
        steps = [Match(step.names, step.where) for step in asks.steps]
        return [Passage(*pair) for pair in pairwise(steps)]
    _with(definition, lambda condition: replaced(condition, note))
    return found


def named_conditions(definition: Any) -> list[str]:
    """The segments and definitions of levels that its conditions name, each once."""
    return [named(kind, name) for kind, name in named_in(definition) if kind in NAMING]


def cycle(name: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """The way from a segment back to itself, by whom each names; [] if there is none."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for following in names.get(way[-1], ()):
            if following == name:
                return [*way, name]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def _with(value: Any, change: Callable[[Condition], Condition]) -> Any:
    """A definition, or a part of one, with each of its conditions changed."""
    if isinstance(value, Condition):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(_with(one, change) for one in value)
    if isinstance(value, Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: _with(old, change) for name, old in fields.items()}
        new = {name: one for name, one in changed.items() if one is not fields[name] and one != fields[name]}
        return msgspec.structs.replace(value, **new) if new else value
    return value
