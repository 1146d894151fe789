"""How an `event:` document is written: the plan of one event, what its properties should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hark.definitions.conditions import Operand
from hark.definitions.event_plan import TYPES, Event, Property
from hark.definitions.shapes import (
    PATH,
    Choice,
    Invalid,
    Prose,
    Reading,
    Record,
    Shape,
    Text,
    Truth,
    Values,
)
from hark.definitions.yaml import Node
from hark.model import JSON

MOST_PROPERTIES = 200


Read: TypeAlias = "dict[str, Property] | Invalid"

_TYPE = Choice(TYPES)
_OWN: dict[str, Shape[object]] = {"type": _TYPE, "required": Truth(), "says": Prose()}


class PropertyShape(Shape[Property]):
    """A type's name, or a mapping: `type`, `required`, `says` and operators."""

    def read(self, node: Node, reading: Reading) -> Property | Invalid:
        if not isinstance(node.value, dict):
            found = _TYPE.read(node, reading)
            return found if isinstance(found, Invalid) else Property(found)
        operators = {key: child for key, child in node.value.items() if key not in _OWN}
        own = Node({key: child for key, child in node.value.items() if key in _OWN}, node.line)
        values = _OWN_KEYS.read(own, reading)
        test = _OPERAND.read(Node(operators, node.line), reading) if operators else None
        if isinstance(values, Invalid) or isinstance(test, Invalid):
            return Invalid.INVALID
        return Property(test=test, **values)

    def schema(self) -> JSON:
        operators = _OPERAND.schema()["anyOf"][1]["properties"]
        own = {key: shape.schema() for key, shape in _OWN.items()}
        long = {"type": "object", "properties": {**own, **operators}, "additionalProperties": False}
        return {"anyOf": [_TYPE.schema(), long]}


@dataclass(frozen=True)
class Properties(Shape[dict[str, Property]]):
    """By the path of a property what it should be."""

    def read(self, node: Node, reading: Reading) -> Read:
        if not isinstance(node.value, dict) or not 0 < len(node.value) <= MOST_PROPERTIES:
            return reading.expected(node, f"one to {MOST_PROPERTIES} properties", "revenue: number")
        found: dict[str, Property] = {}
        wrong = False
        for path, child in node.value.items():
            read = PropertyShape().read(child, reading)
            named = PATH.read(Node(path, child.line), reading)
            if isinstance(read, Invalid) or isinstance(named, Invalid):
                wrong = True
            else:
                found[path] = read
        return Invalid.INVALID if wrong else found

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "additionalProperties": PropertyShape().schema()}


def _event(values: Values, _node: Node, _reading: Reading) -> Event:
    return Event(
        name=values["event"],
        says=values.get("says", ""),
        properties=values.get("properties", {}),
        other=values.get("other", True),
    )


_OPERAND = Operand()
_OWN_KEYS: Record[Values] = Record("a property", _OWN, lambda values, _node, _reading: values)
EVENT = Record(
    "event",
    {"event": Text("the name of an event"), "says": Prose(), "properties": Properties(), "other": Truth()},
    _event,
    required=("event",),
)
