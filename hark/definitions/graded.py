"""How the grades of events are written, which the server keeps daily."""

from __future__ import annotations

from hark.definitions.by_name import ByName
from hark.definitions.conditions import EVENT
from hark.definitions.learned import STAYING, Graded, Signals
from hark.definitions.pace import DAY
from hark.definitions.shapes import Choice, Invalid, ListOf, Number, Reading, Record, Share, Values
from hark.definitions.yaml import Node


def _graded(values: Values, node: Node, reading: Reading) -> Graded | Invalid:
    adds = values.get("adds", (0.0, 0.0, 0.0))
    if len(adds) != 3 or not adds[1] <= adds[0] <= adds[2]:
        return reading.refuse(
            node, "adds is an estimate and its two bounds", "for example [0.12, 0.08, 0.16]"
        )
    return Graded(values["grade"], values["since"], values["did"], values["stayed"], tuple(adds))


GRADED = Record(
    "a grade",
    {
        "grade": Choice(("strong", "weak", "none")),
        "since": DAY,
        "did": Share(),
        "stayed": Share(),
        "adds": ListOf(Number(-1, 1), "a list of three numbers"),
    },
    _graded,
    required=("grade", "since", "did", "stayed"),
)
SIGNALS = Record(
    "signals",
    {
        "signals": Choice((STAYING,)),
        "day": DAY,
        "customers": Number(1, 10**12, whole=True),
        "grades": ByName(GRADED, "a grade for each event", EVENT),
    },
    lambda values, _n, _r: Signals(
        values["signals"], values["day"], int(values["customers"]), values["grades"]
    ),
    required=("signals", "day", "customers", "grades"),
)
