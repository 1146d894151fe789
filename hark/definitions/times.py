"""Dates and times as they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hark.clock import instant
from hark.definitions.shapes import Invalid, Reading, Shape
from hark.definitions.yaml import Node
from hark.model import JSON, Instant


@dataclass(frozen=True)
class Moment(Shape[Instant]):
    """A quoted date or time; without a zone it is the workspace's."""

    def read(self, node: Node, reading: Reading) -> Instant | Invalid:
        hint = '"2026-03-01" or "2026-03-01T09:00"'
        if not isinstance(node.value, str) or not re.match(r"\d{4}-\d\d-\d\d", node.value):
            return reading.expected(node, "a date or time", hint)
        try:
            moment = datetime.fromisoformat(node.value)
        except ValueError:
            return reading.expected(node, "a date or time", hint)
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(reading.zone)))

    def schema(self) -> JSON:
        return {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}
