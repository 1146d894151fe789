"""How goals are written: what a campaign is for, what else is watched, and what must not become worse."""

from __future__ import annotations

import re

from hark.definitions.conditions import CONDITION, EVENT, EVENTS, event_match
from hark.definitions.references import REFERRING
from hark.definitions.shapes import (
    INVALID,
    PATH,
    Duration,
    Invalid,
    ListOf,
    Mapped,
    Reading,
    Record,
    Shape,
    Truth,
    Values,
)
from hark.definitions.types import EventMatch, Goal
from hark.definitions.yaml import Node
from hark.model import ConsentName, FactName
from hark.understand.conditions import AllOf, AnyOf, Named, Not, nodes

_MESSAGES = "(message|email|push|sms|in-app|notification|webhook|newsletter)s? "
_LOOKED = "opened|clicked|tapped|link clicked|viewed|shown"
_LOOKING = re.compile(f"{_MESSAGES}({_LOOKED})", re.IGNORECASE)
_ABOUT_MESSAGES = re.compile(
    f"{_MESSAGES}({_LOOKED}|dismissed|delivered|sent|bounced|replied|complained|dropped|received)",
    re.IGNORECASE,
)


def tells_of_looking(name: str) -> bool:
    """Whether an event tells that a message was opened or clicked: a weak sign by definition."""
    return bool(_LOOKING.fullmatch(name))


def about_messages(name: str) -> bool:
    """Whether an event tells of a message or of Hark's own doing, and so can be nobody's goal."""
    return name in set(FactName) | set(ConsentName) or bool(_ABOUT_MESSAGES.fullmatch(name))


def _goal(values: Values, node: Node, reading: Reading) -> Goal | Invalid:
    assert isinstance(node.value, dict)
    if "when" in values:
        return _judged(values, node, reading)
    event = event_match(values, node, reading)
    for name in event.names:
        if about_messages(name):
            line = node.value["event" if "event" in values else "any_of"].line
            reading.add(
                line,
                f'"{name}" cannot be a goal: it tells of a message, not of what people do',
                "name an action in the product",
            )
            return INVALID
    return Goal(event, values["within"], values.get("value"), response=values.get("response", False))


def _judged(values: Values, node: Node, reading: Reading) -> Goal | Invalid:
    """A condition, judged at the window's end."""
    assert isinstance(node.value, dict)
    for key in ("where", "value", "response"):
        if key in values:
            hint = "in a goal with when, the condition says it all"
            return reading.refuse(node.value[key], f'"{key}" belongs to a goal with event or any_of', hint)
    when = values["when"]
    asked = [one for one in nodes(when) if not isinstance(one, AllOf | AnyOf | Not | Named)]
    for name in sorted({name for one in asked for leaf in one.leaves() for name in leaf.watches()}):
        if about_messages(name):
            message = f'"{name}" cannot be a goal: it tells of a message, not of what people do'
            return reading.refuse(node.value["when"], message, "name an action in the product")
    return Goal(EventMatch(()), values["within"], when=when)


GOAL: Shape[Goal] = Record(
    "goal",
    {
        **EVENTS,
        "where": REFERRING,
        "when": CONDITION,
        "within": Duration(),
        "value": PATH,
        "response": Truth(),
    },
    _goal,
    required=("within",),
    one_of=(("event", "any_of", "when"),),
)


def _of_programme(goal: Goal, node: Node, reading: Reading) -> Goal | Invalid:
    if goal.when is not None or goal.response:
        return reading.refuse(node, "a programme's goal is an event", "{event: Order Completed, within: 90d}")
    return goal


PROGRAMME_GOAL: Shape[Goal] = Mapped(GOAL, _of_programme)
ALSO = ListOf(GOAL, "a list of goals")


def _different(names: tuple[str, ...], node: Node, reading: Reading) -> tuple[str, ...] | Invalid:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        return reading.refuse(node, f'the guardrail "{twice}" stands twice')
    return names


GUARDRAILS: Shape[tuple[str, ...]] = Mapped(ListOf(EVENT, "a list of events"), _different)
