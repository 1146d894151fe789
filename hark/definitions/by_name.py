"""Mappings whose keys are names of the author's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from hark.definitions.shapes import INVALID, NAME, Invalid, Reading, Shape, Text
from hark.definitions.yaml import Node
from hark.model import JSON

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class ByName(Shape[dict[str, T_co]]):
    """A mapping with names of the author's own, at least one; each value of one shape."""

    item: Shape[T_co]
    what: str = "a mapping"
    names: Text = NAME

    def read(self, node: Node, reading: Reading) -> dict[str, T_co] | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, f"{self.what} of at least one")
        read = {name: self._one(name, child, reading) for name, child in node.value.items()}
        items = {name: one for name, one in read.items() if not isinstance(one, Invalid)}
        return items if len(items) == len(read) else INVALID

    def _one(self, name: str, node: Node, reading: Reading) -> T_co | Invalid:
        if isinstance(self.names.read(Node(name, node.line), reading), Invalid):
            return INVALID
        return self.item.read(node, reading)

    def schema(self) -> JSON:
        names = {"pattern": f"^({self.names.pattern})$"}
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": names,
            "additionalProperties": self.item.schema(),
        }
