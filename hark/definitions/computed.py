"""How a `computed` trait is written."""

from __future__ import annotations

from typing import Any

from hark.definitions.conditions import EVENTS, names_of
from hark.definitions.measures import whole_days
from hark.definitions.shapes import (
    NAME,
    PATH,
    Duration,
    Invalid,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Values,
)
from hark.definitions.types import Computed
from hark.definitions.yaml import Node
from hark.understand.conditions.amount import MOST_DAYS
from hark.understand.conditions.computed import ComputedTrait

OF_VALUES = ("first", "last", "most_frequent", "top", "sum")
COUNTED = ("count", "days")
MOST_TOP = 20


def _whole(values: Values, node: Node, reading: Reading) -> Values | Invalid:
    assert isinstance(node.value, dict)
    values["days"] = whole_days(values.get("within"), MOST_DAYS)
    if values["days"] is None:
        return reading.expected(node.value["within"], f"whole days up to {MOST_DAYS}d", "90d")
    return values


def _part(kind: str) -> Shape[Values]:
    """What is said under the kind's key."""
    fields: dict[str, Shape[Any]] = {**EVENTS}
    if kind in OF_VALUES:
        fields["of"] = PATH
    if kind not in ("first", "last"):
        fields["within"] = Duration()
    if kind == "top":
        fields["n"] = Number(1, MOST_TOP, whole=True)
    required = ("of",) if kind in OF_VALUES else ()
    return Record(kind, fields, _whole, required, one_of=(("event", "any_of"),))


def _computed(values: Values, _node: Node, reading: Reading) -> Computed:
    kind = next(one for one in (*OF_VALUES, *COUNTED) if one in values)
    part = values[kind]
    trait = ComputedTrait(
        name=values["computed"],
        kind=kind,  # type: ignore[arg-type]
        names=names_of(part),
        of=part.get("of"),
        where=part.get("where"),
        window_days=part["days"] or None,
        n=int(part.get("n", 1)),
        zone=reading.zone,
    )
    return Computed(values["computed"], trait, values.get("says", ""))


COMPUTED: Shape[Computed] = Record(
    "computed",
    {"computed": NAME, "says": Prose(), **{kind: _part(kind) for kind in (*OF_VALUES, *COUNTED)}},
    _computed,
    required=("computed",),
    one_of=((*OF_VALUES, *COUNTED),),
)
