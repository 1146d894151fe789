"""Times before and after a moment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hark.definitions.shapes import LONGEST_DAYS, UNITS, Invalid, Reading, Shape
from hark.definitions.yaml import Node
from hark.model import DAY, JSON


@dataclass(frozen=True)
class Offset(Shape[int]):
    """A span of time before (-24h) or after (2h) a moment, as microseconds; 0 for the moment itself."""

    def read(self, node: Node, reading: Reading) -> int | Invalid:
        if node.value in (0, "0"):
            return 0
        if not isinstance(node.value, str) or not re.fullmatch("-?[0-9]{1,5}[mhdw]", node.value):
            return reading.expected(node, "a time before or after", "-24h or 2d")
        span = int(node.value[:-1]) * UNITS[node.value[-1]]
        return span if abs(span) <= LONGEST_DAYS * DAY else reading.expected(node, "at most 100 years")

    def schema(self) -> JSON:
        return {"anyOf": [{"const": 0}, {"type": "string", "pattern": "^(0|-?[0-9]{1,5}[mhdw])$"}]}
