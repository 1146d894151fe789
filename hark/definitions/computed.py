"""How a `computed` trait is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hark.definitions.conditions import EVENT, EVENTS, names_of
from hark.definitions.learned import Prospect, Renewing
from hark.definitions.measures import whole_days
from hark.definitions.shapes import (
    NAME,
    PATH,
    Choice,
    Duration,
    Invalid,
    ListOf,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Values,
)
from hark.definitions.types import Computed
from hark.definitions.yaml import Node
from hark.model import DAY, JSON, WEEK
from hark.understand.conditions.amount import MOST_DAYS
from hark.understand.conditions.computed import ComputedTrait

ESTIMATED = "Worth Estimated"
"""The event by which the day's work tells a history what a model says of its customer."""
WHATS = ("alive", "purchases", "value")
RENEWING = ("stays", "periods", "value")
MODELS = ("worth", "subscription")
"""Keys of traits that a model estimates."""
MOST_WEEKS = 260
MOST_PERIODS, LONGEST_PERIOD = 120, 366
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


def _prospect(values: Values, node: Node, reading: Reading) -> Prospect | Invalid:
    assert isinstance(node.value, dict)
    weeks, rest = divmod(values.get("ahead", 13 * WEEK), WEEK)
    if rest or not 1 <= weeks <= MOST_WEEKS:
        return reading.expected(node.value["ahead"], f"whole weeks up to {MOST_WEEKS}w", "13w")
    if values["what"] == "value" and "value" not in values:
        return reading.refuse(node, "the value of purchases needs the property that has it", "value: revenue")
    return Prospect(names_of(values), values["what"], values.get("value"), weeks)


WORTH: Shape[Prospect] = Record(
    "worth",
    {
        "event": EVENTS["event"],
        "any_of": EVENTS["any_of"],
        "what": Choice(WHATS),
        "value": PATH,
        "ahead": Duration(),
    },
    _prospect,
    required=("what",),
    one_of=(("event", "any_of"),),
)


@dataclass(frozen=True)
class OneOrMore(Shape[tuple[str, ...]]):
    """An event, or a list of events of which any will do."""

    many = ListOf(EVENT, "an event, or a list of events")

    def read(self, node: Node, reading: Reading) -> tuple[str, ...] | Invalid:
        if isinstance(node.value, list):
            return self.many.read(node, reading)
        one = EVENT.read(node, reading)
        return one if isinstance(one, Invalid) else (one,)

    def schema(self) -> JSON:
        return {"anyOf": [EVENT.schema(), self.many.schema()]}


def _renewing(values: Values, node: Node, reading: Reading) -> Renewing | Invalid:
    assert isinstance(node.value, dict)
    days, rest = divmod(values.get("period", 30 * DAY), DAY)
    if rest or not 1 <= days <= LONGEST_PERIOD:
        return reading.expected(node.value["period"], f"whole days up to {LONGEST_PERIOD}d", "30d")
    if values["what"] == "value" and "value" not in values:
        hint = "value: price"
        return reading.refuse(node, "the value of periods needs the property that has one's price", hint)
    ahead = int(values.get("ahead", 12))
    return Renewing(values["start"], values["end"], values["what"], values.get("value"), days, ahead)


SUBSCRIPTION: Shape[Renewing] = Record(
    "subscription",
    {
        "start": OneOrMore(),
        "end": OneOrMore(),
        "what": Choice(RENEWING),
        "value": PATH,
        "period": Duration(),
        "ahead": Number(1, MOST_PERIODS, whole=True),
    },
    _renewing,
    required=("start", "end", "what"),
)


def _estimated(values: Values, prospect: Prospect | Renewing, reading: Reading) -> Computed:
    name = values["computed"]
    told = {"trait": name}
    trait = ComputedTrait(name, "last", (ESTIMATED,), "value", told, zone=reading.zone)
    return Computed(name, trait, values.get("says", ""), prospect)


def _computed(values: Values, _node: Node, reading: Reading) -> Computed:
    for model in MODELS:
        if model in values:
            return _estimated(values, values[model], reading)
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
    {
        "computed": NAME,
        "says": Prose(),
        **{kind: _part(kind) for kind in (*OF_VALUES, *COUNTED)},
        "worth": WORTH,
        "subscription": SUBSCRIPTION,
    },
    _computed,
    required=("computed",),
    one_of=((*OF_VALUES, *COUNTED, *MODELS),),
)
