"""What an `event:` document says: the plan of one event, what its properties should be."""

from __future__ import annotations

from msgspec import Struct

from hark.model import JSON

TYPES = ("string", "number", "integer", "boolean", "array", "object", "time")


class Property(Struct, frozen=True):
    """What one property should be."""

    type: str = ""
    """One of TYPES; "" for any. `time` is a string that is a time with a zone, or a date."""
    required: bool = False
    test: JSON = None
    """Operators that must hold where it is there (`understand.operators`); None: none."""
    says: str = ""

    @property
    def words(self) -> str:
        """The rules in short: "number, required, gte 0"; "any" for none."""
        tests = [f"{name} {_said(operand)}" for name, operand in (self.test or {}).items()]
        return ", ".join(filter(None, [self.type, "required" * self.required, *tests])) or "any"


class Event(Struct, frozen=True, tag="event"):
    """The tracking plan of one event. Nothing is refused by it: what breaks it is counted."""

    name: str
    says: str = ""
    properties: dict[str, Property] = {}
    """By dotted path."""
    other: bool = True
    """Whether there may be properties that are not named here."""


def _said(operand: JSON) -> str:
    return " ".join(map(str, operand)) if isinstance(operand, list) else str(operand)
