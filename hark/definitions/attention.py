"""How `policy: attention` is written: when, how often and for what a customer may be written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hark.definitions.conditions import ANYWHERE, EVENT, read_condition
from hark.definitions.manners import Arbitration, Budget, Cap, QuietHours
from hark.definitions.sending import CHANNEL
from hark.definitions.shapes import (
    Choice,
    Duration,
    Invalid,
    ListOf,
    Mapped,
    Number,
    Reading,
    Record,
    Shape,
    Share,
    Text,
    TimeOfDay,
    Truth,
    Values,
    Zone,
)
from hark.definitions.types import Policy
from hark.definitions.yaml import Node
from hark.model import JSON
from hark.understand.conditions import Condition


def _minutes(time: str, _node: Node, _reading: Reading) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


_MINUTES: Shape[int] = Mapped(TimeOfDay(), _minutes)


def _quiet(values: Values, node: Node, reading: Reading) -> QuietHours | Invalid:
    if values["from"] == values["to"]:
        return reading.refuse(node, "quiet hours from a time to the same time", "they would be none or all")
    return QuietHours(
        start=values["from"],
        end=values["to"],
        zone=values.get("zone", "customer"),
        fallback_zone=values.get("fallback_zone", reading.zone),
    )


QUIET_HOURS = Record(
    "quiet_hours",
    {"from": _MINUTES, "to": _MINUTES, "zone": Zone(), "fallback_zone": Zone(customer=False)},
    _quiet,
    required=("from", "to"),
)


def _cap(values: Values, node: Node, reading: Reading) -> Cap | Invalid:
    on_cap = values.get("on_cap", "skip")
    if "max_wait" in values and on_cap != "wait":
        assert isinstance(node.value, dict)
        return reading.refuse(node.value["max_wait"], '"max_wait" belongs to on_cap: wait')
    return Cap(int(values["messages"]), values["per"], values.get("channel"), on_cap, values.get("max_wait"))


CAP = Record(
    "a cap",
    {
        "messages": Number(1, 1000, whole=True),
        "per": Duration(),
        "channel": CHANNEL,
        "on_cap": Choice(("skip", "wait")),
        "max_wait": Duration(),
    },
    _cap,
    required=("messages", "per"),
)
GLOBAL_CONTROL = Record(
    "global_control",
    {"share": Share(0, 0.5), "redraw": Duration()},
    lambda values, _node, _reading: (values["share"], values.get("redraw")),
    required=("share",),
)


POINTS = Number(0, 1000)


def _refill(text: str, node: Node, reading: Reading) -> tuple[float, int] | Invalid:
    points, _, per = text.partition(" per ")
    span = Duration().read(Node(per, node.line), reading)
    return span if isinstance(span, Invalid) else (float(points), span)


REFILL: Shape[tuple[float, int]] = Mapped(
    Text("points per time", r"[0-9]{1,3}(\.[0-9]+)? per [0-9]+[mhdw]", "for example 1 per 3d"), _refill
)


def _budget(values: Values, node: Node, reading: Reading) -> Budget | Invalid:
    costs = {intent: values.get(intent, 1.0) for intent in INTENTS}
    dear = next((intent for intent, cost in costs.items() if cost > values["most"]), None)
    if dear is not None:
        return reading.refuse(node, f"a budget of {values['most']:g} never pays for {dear} ({costs[dear]:g})")
    refill, per_us = values["refill"]
    wait = {"max_wait_us": values["max_wait"]} if "max_wait" in values else {}
    return Budget(
        refill, per_us, values["most"], costs, values.get("ignored", 0.0), values.get("earned", {}), **wait
    )


INTENTS = ("help", "tell", "ask")
EARNING = ("goal", "read", "reply", "return", "strong")
BUDGET = Record(
    "budget",
    {
        "refill": REFILL,
        "most": Number(0.1, 1000),
        **dict.fromkeys(INTENTS, POINTS),
        "ignored": POINTS,
        "earned": Record(
            "earned", dict.fromkeys(EARNING, POINTS), lambda values, _node, _reading: dict(values)
        ),
        "max_wait": Duration(),
    },
    _budget,
    required=("refill", "most"),
)
ARBITRATION = Record(
    "arbitration",
    {"within": Duration(), "on_outranked": Choice(("wait", "skip"))},
    lambda values, _node, _reading: Arbitration(values["within"], values.get("on_outranked", "wait")),
    required=("within",),
)
ASKS = Record(
    "asks",
    {"gap": Duration(), "after": ANYWHERE},
    lambda values, _node, _reading: {
        name: values[key] for key, name in (("gap", "ask_gap_us"), ("after", "ask_after")) if key in values
    },
)


def open_ticket(opened: str, solved: Sequence[str], within: str) -> Condition:
    """Who opened a ticket so lately, and none of the events by which it ends came after it."""
    again = {"did": {"event": opened, "since": {"any_of": list(solved)}}}
    open_still = {"any": [{"did_not": {"any_of": list(solved)}}, again]}
    return read_condition({"all": [{"did": {"event": opened, "within": within}}, open_still]}, "UTC")


def _tickets(values: Values, _node: Node, _reading: Reading) -> dict[str, Condition]:
    opened, solved = values.get("opened", OPENED), values.get("solved", SOLVED)
    return {"tickets": open_ticket(opened, solved, values.get("within", OPEN_FOR))}


OPENED, SOLVED, OPEN_FOR = "Ticket Opened", ("Ticket Solved", "Ticket Closed"), "14d"
"""What is usual: a ticket counts as open for so long unless it was solved or closed before."""


@dataclass(frozen=True)
class Tickets(Shape[dict[str, Any]]):
    """`no`, or how a history tells of open tickets."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any] | Invalid:
        if isinstance(node.value, dict):
            return _TICKETS.read(node, reading)
        found = Truth().read(node, reading)
        return found if isinstance(found, Invalid) else {"holds_tickets": found}

    def schema(self) -> JSON:
        return {"anyOf": [Truth().schema(), _TICKETS.schema()]}


WITHIN = Text("a duration", "[0-9]{1,9}[mhdw]", "30m, 6h, 14d or 8w")
_TICKETS = Record(
    "tickets", {"opened": EVENT, "solved": ListOf(EVENT, "a list of events"), "within": WITHIN}, _tickets
)
TICKETS = Tickets()


def _attention(values: Values, _node: Node, _reading: Reading) -> Policy:
    share, redraw_us = values.get("global_control", (0.0, None))
    return Policy(
        name=values["policy"],
        quiet_hours=values.get("quiet_hours"),
        caps=values.get("caps", ()),
        global_control=share,
        redraw_us=redraw_us,
        budget=values.get("budget"),
        arbitration=values.get("arbitration"),
        **values.get("asks", {}),
        **values.get("tickets", {}),
    )


ATTENTION = Record(
    "policy attention",
    {
        "policy": Choice(("attention",)),
        "quiet_hours": QUIET_HOURS,
        "caps": ListOf(CAP, "a list of caps"),
        "global_control": GLOBAL_CONTROL,
        "budget": BUDGET,
        "arbitration": ARBITRATION,
        "asks": ASKS,
        "tickets": TICKETS,
    },
    _attention,
    required=("policy",),
)
