"""How the triggers of campaigns are written."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from hark.definitions.conditions import EVENTS, event_match
from hark.definitions.engagement import REACHING
from hark.definitions.nominal import Broadcast, OnDate, OnSchedule
from hark.definitions.offset import Offset
from hark.definitions.shapes import (
    NAME,
    Choice,
    Duration,
    Invalid,
    Mapped,
    Reading,
    Record,
    Text,
    TimeOfDay,
    Truth,
    Values,
    Zone,
)
from hark.definitions.stages import REACHING_STAGE
from hark.definitions.types import Trigger
from hark.definitions.yaml import Node

DATE = Record(
    "date",
    {
        "trait": Text("the name of a trait", r"[^.\s][^.]*"),
        "offset": Offset(),
        "at": TimeOfDay(),
        "zone": Zone(),
        "yearly": Truth(),
    },
    lambda values, _node, _reading: OnDate(
        values["trait"],
        values.get("offset", 0),
        values.get("at"),
        values.get("zone", "customer"),
        values.get("yearly", False),
    ),
    required=("trait",),
)


def _cron(text: str, node: Node, reading: Reading) -> str | Invalid:
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        return reading.expected(node, "a cron expression", '"0 9 * * MON" is Mondays at nine')
    return text


SCHEDULE = Record(
    "schedule",
    {"cron": Mapped(Text("a cron expression"), _cron), "zone": Zone()},
    lambda values, _node, _reading: OnSchedule(values["cron"], values.get("zone", "customer")),
    required=("cron",),
)


def _local(text: str, node: Node, reading: Reading) -> str | Invalid:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return reading.expected(node, "a date and time", '"2026-03-01T09:00"')
    return text


def _broadcast(values: Values, node: Node, reading: Reading) -> Broadcast | Invalid:
    assert isinstance(node.value, dict)
    if "zone" in values and datetime.fromisoformat(values["at"]).tzinfo is not None:
        return reading.refuse(node.value["zone"], "the time names its zone itself", "leave one of them out")
    return Broadcast(
        values["at"], values.get("zone", "customer"), values.get("late", "skip"), values.get("spread", 0)
    )


BROADCAST = Record(
    "broadcast",
    {
        "at": Mapped(Text("a date and time", r"\d{4}-\d\d-\d\d.*"), _local),
        "zone": Zone(),
        "late": Choice(("skip", "send")),
        "spread": Duration(),
    },
    _broadcast,
    required=("at",),
)
TIMED = ("date", "schedule", "broadcast")


def _trigger(values: Values, node: Node, reading: Reading) -> Trigger | Invalid:
    assert isinstance(node.value, dict)
    if "existing" in values and "enters" not in values:
        return reading.refuse(node.value["existing"], '"existing" belongs to {enters: segment}')
    if "event" in values or "any_of" in values:
        return Trigger(event=event_match(values, node, reading))
    if "where" in values:
        return reading.refuse(node.value["where"], '"where" belongs to an event', "narrow it by audience:")
    if "api" in values:
        return Trigger(api=True) if values["api"] else reading.refuse(node, "api is yes, or left out")
    if "enters" in values:
        return Trigger(enters=values["enters"], existing=values.get("existing", False))
    timed = next((values[key] for key in TIMED if key in values), None)
    return Trigger(timed=timed, level=values.get("engagement") or values.get("stage"))


def named(trigger: Trigger) -> str:
    """The key by which a trigger is written."""
    if trigger.timed is not None:
        return {OnDate: "date", OnSchedule: "schedule", Broadcast: "broadcast"}[type(trigger.timed)]
    if trigger.level:
        return trigger.level.kind
    return "event" if trigger.event else "api" if trigger.api else "enters"


TRIGGER = Record(
    "trigger",
    {
        **EVENTS,
        "enters": NAME,
        "existing": Truth(),
        "date": DATE,
        "schedule": SCHEDULE,
        "broadcast": BROADCAST,
        "api": Truth(),
        "engagement": REACHING,
        "stage": REACHING_STAGE,
    },
    _trigger,
    one_of=(("event", "any_of", "enters", *TIMED, "api", "engagement", "stage"),),
)
