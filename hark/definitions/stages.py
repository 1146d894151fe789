"""How the stages of the purchase decision are written, and those that hold where no document says otherwise.

They are levels like those of engagement, but for one thing: the first stage is everybody who is at no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import TypeVar

from hark.definitions import yaml
from hark.definitions.document import Document
from hark.definitions.engagement import BOUNDS, LEVEL, PURCHASE, levels_of
from hark.definitions.levels import Level, Reaching, Stage
from hark.definitions.problems import DefinitionError
from hark.definitions.shapes import (
    NAME,
    Choice,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Prose,
    Reading,
    Record,
    Shape,
    Values,
)
from hark.definitions.yaml import Node, plain
from hark.understand.conditions import AtStage

T = TypeVar("T")


def _stage(values: Values, node: Node, reading: Reading) -> Stage | Invalid:
    assert isinstance(node.value, dict)
    stages = node.value["stages"]
    first, *others = values["stages"]
    assert isinstance(stages.value, list)
    if not isinstance(first, str):
        hint = "for example - unaware: everybody who is at no other"
        return reading.refuse(stages.value[0], "the first stage is a name alone", hint)
    levels = [one for one in others if isinstance(one, Level)]
    if len(levels) < len(others) or not levels:
        bare = next((n for n, one in enumerate(others, start=1) if not isinstance(one, Level)), 0)
        return reading.refuse(stages.value[bare], "every stage after the first needs when:", "at least one")
    found = Stage(values["stage"], tuple(levels), ladder=False, says=values.get("says", ""), floor=first)
    return levels_of(found, stages, reading)


STAGE: Shape[Stage] = Record(
    "stage",
    {
        "stage": Choice((PURCHASE,), hint="there is one decision: stage: purchase"),
        "says": Prose(),
        "stages": ListOf(Either(NAME, LEVEL), "a list of stages, the first one a name alone"),
    },
    _stage,
    required=("stage", "stages"),
)
AT_STAGE: Shape[AtStage] = Mapped(
    Either(Mapped(NAME, lambda name, _n, _r: (name, name)), BOUNDS),
    lambda bounds, _n, _r: AtStage(PURCHASE, at_least=bounds[0], at_most=bounds[1]),
)
REACHING_STAGE: Shape[Reaching] = Record(
    "stage",
    {"reaches": NAME, "falls_below": NAME},
    lambda values, _n, _r: Reaching(
        PURCHASE, values.get("reaches") or values["falls_below"], "reaches" in values, "stage"
    ),
    one_of=(("reaches", "falls_below"),),
)


def text_of_built_in() -> str:
    """The built-in stages as they are written."""
    return (files("hark.definitions") / "builtin" / "purchase.yaml").read_text(encoding="utf-8")


@cache
def built_in(zone: str = "UTC") -> tuple[Document, Stage]:
    """The stages that hold where no document says otherwise, as version 0. A test reads the file."""
    reading = Reading("purchase.yaml", zone)
    (node,) = yaml.read(text_of_built_in(), reading)
    found = STAGE.read(node, reading)
    if isinstance(found, Invalid):
        raise DefinitionError(reading.found)
    body = {key: value for key, value in plain(node).items() if key != "stage"}
    return Document("stage", PURCHASE, 0, body, note="built in"), found


def in_force(definitions: Iterable[object], zone: str = "UTC") -> Stage:
    """The stages by these definitions: those of the document among them, else the built-in ones."""
    return next((one for one in definitions if isinstance(one, Stage)), built_in(zone)[1])


def with_stages(definitions: Sequence[T], zone: str) -> list[T | Stage]:
    """The definitions, and the built-in stages where no document says otherwise."""
    built = built_in(zone)[1]
    return [*definitions, *([] if any(isinstance(one, Stage) for one in definitions) else [built])]
