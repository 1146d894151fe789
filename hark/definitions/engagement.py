"""How `engagement` documents are written, and the conditions and triggers that name their levels."""

from __future__ import annotations

from hark.definitions.conditions import ANYWHERE
from hark.definitions.levels import Engagement, Level, Reaching
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
    levels = node.value["levels"]
    assert isinstance(levels.value, list)
    for place, name in enumerate(found.names):
        if name in found.names[:place]:
            second, hint = levels.value[place], "each level has a name of its own"
            return reading.refuse(second, f'two levels are named "{name}"', hint)
    if len(found.levels) > MOST_LEVELS:
        return reading.refuse(levels, f"{len(found.levels)} levels", f"at most {MOST_LEVELS}")
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

_BOUNDS = Record(
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
        "level": Either(Mapped(NAME, lambda name, _n, _r: (name, name)), _BOUNDS),
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
