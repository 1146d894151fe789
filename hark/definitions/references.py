"""References: values that a run finds when it needs them, as `{ref: event.basket_id}`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hark.definitions.conditions import Operand, Predicate
from hark.definitions.shapes import INVALID, Invalid, Named, Reading, Shape, Text
from hark.definitions.yaml import Node, plain
from hark.model import JSON

REFERENCE = Text(
    "a reference",
    r"(event|data|customer|group)\.[^.\s]+(\.[^.\s]+)*",
    "event.NAME, data.NAME or customer.NAME",
)


def refers(text: str) -> bool:
    """Whether it is a reference, where an address may stand as well."""
    return bool(text) and "@" not in text


def is_reference(node: Node) -> bool:
    return isinstance(node.value, dict) and "ref" in node.value


def references(value: JSON) -> Iterator[str]:
    """The references that stand in a value, at any depth."""
    if isinstance(value, dict):
        if value.keys() == {"ref"}:
            yield value["ref"]
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from references(one)


@dataclass(frozen=True)
class Reference(Shape[JSON]):
    """`{ref: event.basket_id}`, kept as it is."""

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        assert isinstance(node.value, dict)
        if len(node.value) > 1:
            return reading.refuse(node, "a reference stands alone", "write {ref: event.basket_id}")
        found = REFERENCE.read(node.value["ref"], reading)
        return found if isinstance(found, Invalid) else plain(node)

    def schema(self) -> JSON:
        return {
            "type": "object",
            "properties": {"ref": REFERENCE.schema()},
            "required": ["ref"],
            "additionalProperties": False,
        }


REF = Reference()


@dataclass(frozen=True)
class Referring(Shape[JSON]):
    """An operand in which a compared value may be a reference."""

    operand: Operand

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if is_reference(node):
            return REF.read(node, reading)
        if not isinstance(node.value, dict):
            return self.operand.read(node, reading)
        referring = {name: child for name, child in node.value.items() if is_reference(child)}
        rest = {name: child for name, child in node.value.items() if name not in referring}
        read = [REF.read(child, reading) for child in referring.values()]
        if rest or not referring:
            read.append(self.operand.read(Node(rest, node.line), reading))
        return INVALID if INVALID in read else plain(node)

    def schema(self) -> JSON:
        return {"anyOf": [self.operand.schema(), {"type": "object", "minProperties": 1}]}


REFERRING_PREDICATE: Shape[JSON] = Predicate(Referring(Operand()))
REFERRING = Named("referring_predicate", lambda: REFERRING_PREDICATE)
"""A predicate on an event which a run compares with what it knows."""


@dataclass(frozen=True)
class Value(Shape[JSON]):
    """A text, number, truth or reference."""

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if is_reference(node):
            return REF.read(node, reading)
        if not isinstance(node.value, str | int | float | bool):
            return reading.expected(node, "a text, number, true or false, now or {ref: ...}")
        return node.value

    def schema(self) -> JSON:
        return {"anyOf": [{"type": ["string", "number", "boolean"]}, REF.schema()]}
