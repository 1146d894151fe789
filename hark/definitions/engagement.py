"""How `engagement` documents are written, and the conditions and triggers that name their levels."""

from __future__ import annotations

from typing import TypeVar

from hark.definitions.conditions import ANYWHERE
from hark.definitions.levels import Engagement, Ladder, Level, Reaching
from hark.definitions.shapes import (
    NAME,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Prose,
    Reading,
    Record,
    Shape,
    Truth,
    Values,
)
from hark.definitions.yaml import Node
from hark.understand.conditions import AtLevel

MOST_LEVELS = 20
PURCHASE = "purchase"
"""The name of the stages: there is one decision, so conditions need not say it. No engagement may have it,
since memberships of both kinds of levels stand side by side."""
L = TypeVar("L", bound=Ladder)

LEVEL = Record(
    "a level",
    {"name": NAME, "when": ANYWHERE, "held_for": Duration(), "grace": Duration()},
    lambda values, _n, _r: Level(
        values["name"], values["when"], values.get("held_for", 0), values.get("grace", 0)
    ),
    required=("name", "when"),
)


def _engagement(values: Values, node: Node, reading: Reading) -> Engagement | Invalid:
    assert isinstance(node.value, dict)
    found = Engagement(
        values["engagement"], tuple(values["levels"]), values.get("ladder", True), values.get("says", "")
    )
    if found.name == PURCHASE:
        return reading.refuse(node.value["engagement"], f'"{PURCHASE}" is the name of the stages', "another")
    return levels_of(found, node.value["levels"], reading)


def levels_of(found: L, listed: Node, reading: Reading) -> L | Invalid:
    """The definition, if its levels can be told apart."""
    assert isinstance(listed.value, list)
    names = ((found.floor,) if found.floor else ()) + found.names
    for place, name in enumerate(names):
        if name in names[:place]:
            second, hint = listed.value[place], "each level has a name of its own"
            return reading.refuse(second, f'two levels are named "{name}"', hint)
    if len(names) > MOST_LEVELS:
        return reading.refuse(listed, f"{len(names)} levels", f"at most {MOST_LEVELS}")
    return found


ENGAGEMENT: Shape[Engagement] = Record(
    "engagement",
    {
        "engagement": NAME,
        "says": Prose(),
        "ladder": Truth(),
        "levels": ListOf(LEVEL, "a list of levels, the weakest first"),
    },
    _engagement,
    required=("engagement", "levels"),
)

BOUNDS = Record(
    "level",
    {"at_least": NAME, "at_most": NAME},
    lambda values, node, reading: (
        (values.get("at_least", ""), values.get("at_most", ""))
        if values
        else reading.expected(node, "at_least or at_most", "for example {at_least: returning}")
    ),
)
AT_LEVEL: Shape[AtLevel] = Record(
    "engagement",
    {
        "definition": NAME,
        "level": Either(Mapped(NAME, lambda name, _n, _r: (name, name)), BOUNDS),
    },
    lambda values, _n, _r: AtLevel(
        values["definition"], at_least=values["level"][0], at_most=values["level"][1]
    ),
    required=("definition", "level"),
)
REACHING: Shape[Reaching] = Record(
    "engagement",
    {"definition": NAME, "reaches": NAME, "falls_below": NAME},
    lambda values, _n, _r: Reaching(
        values["definition"], values.get("reaches") or values["falls_below"], "reaches" in values
    ),
    required=("definition",),
    one_of=(("reaches", "falls_below"),),
)
