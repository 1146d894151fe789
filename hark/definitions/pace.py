"""How a `pace` is written: the condition, and the document that holds how long others took."""

from __future__ import annotations

from datetime import date
from typing import Any

from hark.definitions.sequences import MATCH
from hark.definitions.shapes import (
    NAME,
    Invalid,
    ListOf,
    Mapped,
    Number,
    Reading,
    Record,
    Shape,
    Share,
    Text,
    Truth,
    Values,
)
from hark.definitions.types import Paced
from hark.definitions.yaml import Node
from hark.understand.conditions import Condition, Pace
from hark.understand.conditions.pace import Passage, Reference

_PASSAGE: dict[str, Shape[Any]] = {"from": MATCH, "to": MATCH, "stayed": Truth()}
LONGEST_S = 10**10


def passage_of(values: Values) -> Passage:
    return Passage(values["from"], values["to"], values.get("stayed", True))


def _percent(share: float, node: Node, reading: Reading) -> int | Invalid:
    if abs(share * 100 - round(share * 100)) > 1e-9:
        return reading.expected(node, "whole percent", "for example 0.9 or 90%")
    return round(share * 100)


PACE: Shape[Condition] = Record(
    "pace",
    {**_PASSAGE, "slower_than": Mapped(Share(0.01, 0.99), _percent)},
    lambda values, _n, reading: Pace(passage_of(values), values["slower_than"], None, reading.zone),
    required=("from", "to", "slower_than"),
)


def _day(text: str, node: Node, reading: Reading) -> str | Invalid:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return reading.expected(node, "a day", "2026-03-01")


DAY: Shape[str] = Mapped(Text("a day"), _day)


def _paced(values: Values, node: Node, reading: Reading) -> Paced | Invalid:
    way, waits = passage_of(values), tuple(int(wait) for wait in values.get("waits", ()))
    if values["pace"] != way.name:
        return reading.refuse(
            node, f"this way is called {way.name}", "hark pace --keep writes these documents"
        )
    if list(waits) != sorted(waits) or len(waits) > 99:
        return reading.refuse(node, "waits are up to 99 ascending numbers of seconds, one for each percent")
    return Paced(values["pace"], way, Reference(values["day"], int(values["cases"]), waits))


PACED: Shape[Paced] = Record(
    "pace",
    {
        "pace": NAME,
        **_PASSAGE,
        "day": DAY,
        "cases": Number(0, 10**12, whole=True),
        "waits": ListOf(Number(0, LONGEST_S, whole=True), "a list of seconds"),
    },
    _paced,
    required=("pace", "from", "to", "day", "cases"),
)
