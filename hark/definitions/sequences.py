"""How a `sequence` is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hark.definitions.conditions import EVENT, EVENTS, names_of
from hark.definitions.shapes import (
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Reading,
    Record,
    Shape,
    Values,
)
from hark.definitions.yaml import Node
from hark.understand.conditions import Condition, InSequence
from hark.understand.conditions.sequence import Match, Never, Step

MOST_STEPS = 12
MATCH: Shape[Match] = Either(
    Mapped(EVENT, lambda name, _node, _reading: Match((name,))),
    Record(
        "an event",
        EVENTS,
        lambda values, _node, _reading: Match(names_of(values), values.get("where")),
        one_of=(("event", "any_of"),),
    ),
)
_STEP: Mapping[str, Shape[Any]] = {**EVENTS, "not": MATCH, "within": Duration()}


def _step(values: Values, _node: Node, _reading: Reading) -> Step | Never:
    if "not" in values:
        return Never((values["not"],), values.get("within"))
    return Step(Match(names_of(values), values.get("where")), values.get("within"))


STEP: Shape[Step | Never] = Either(
    Mapped(EVENT, lambda name, _node, _reading: Step(Match((name,)))),
    Record("a step", _STEP, _step, one_of=(("event", "any_of", "not"),)),
)


def _sequence(values: Values, node: Node, reading: Reading) -> InSequence | Invalid:
    assert isinstance(node.value, dict)
    lines = node.value["steps"].value
    assert isinstance(lines, list)
    given = list(values["steps"])
    wrong = _misplaced(given)
    if wrong is not None:
        place, message, hint = wrong
        return reading.refuse(lines[place], message, hint)
    if sum(isinstance(one, Step) for one in given) > MOST_STEPS:
        return reading.refuse(node, f"more than {MOST_STEPS} steps")
    never = given[-1] if isinstance(given[-1], Never) else None
    return InSequence(_gathered(given), never, values.get("within"))


def _misplaced(given: list[Step | Never]) -> tuple[int, str, str] | None:
    """(place, what is wrong, a hint) of the first step that cannot stand where it does."""
    if isinstance(given[0], Never):
        return 0, "a sequence begins with an event", "put what must not happen after one"
    if given[0].within_us is not None:
        return 0, "the first step has none before it", "write within beside steps"
    for place, one in enumerate(given):
        after = given[place + 1 :]
        if isinstance(one, Never) and one.within_us is not None and any(isinstance(x, Step) for x in after):
            return place, "only the last not has a time of its own", "write within at the step after it"
        if isinstance(one, Never) and after and all(isinstance(x, Never) for x in after):
            return place + 1, "one not at the end is enough", "name several events by any_of"
    return None


def _gathered(given: list[Step | Never]) -> tuple[Step, ...]:
    """Each step with what must not come before it."""
    found: list[Step] = []
    without: tuple[Match, ...] = ()
    for one in given:
        if isinstance(one, Never):
            without += one.matches
        else:
            found.append(Step(one.match, one.within_us, without))
            without = ()
    return tuple(found)


SEQUENCE: Shape[Condition] = Record(
    "sequence",
    {"steps": ListOf(STEP, "a list of steps"), "within": Duration()},
    _sequence,
    required=("steps",),
)
