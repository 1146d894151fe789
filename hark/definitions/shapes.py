"""Shapes of values: each reads a node into a typed value, or says what was expected, and has a schema.

The language is written once, as shapes; the parser and the JSON Schema both come from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hark.definitions.problems import Problems, nearest
from hark.definitions.yaml import Node, plain
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK

T_co = TypeVar("T_co", covariant=True)
Values: TypeAlias = dict[str, Any]
"""What a record's fields were read as, by key; absent keys are absent."""


class Invalid(Enum):
    """Read in place of a value that is wrong; the problem has been noted."""

    INVALID = "invalid"


INVALID = Invalid.INVALID


class Reading(Problems):
    """The problems of one file, and what reading needs to know besides."""

    def __init__(self, file: str, zone: str = "UTC") -> None:
        super().__init__(file)
        self.zone = zone
        """The workspace's zone."""

    def refuse(self, node: Node, message: str, hint: str = "") -> Invalid:
        self.add(node.line, message, hint)
        return INVALID

    def expected(self, node: Node, what: str, hint: str = "") -> Invalid:
        return self.refuse(node, f"expected {what}, found {shown(node)}", hint)


def shown(node: Node) -> str:
    """A value as a message names it, on one line."""
    if isinstance(node.value, dict):
        return "a mapping" if node.value else "an empty mapping"
    if isinstance(node.value, list):
        return "a list" if node.value else "an empty list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if not isinstance(node.value, str):
        return str(node.value)
    first = node.value.strip().partition("\n")[0]
    return f'"{first[:60]}..."' if node.value not in (first, first[:60]) else f'"{first}"'


class Shape(Generic[T_co]):
    """How one sort of value is written."""

    def read(self, node: Node, reading: Reading) -> T_co | Invalid:
        raise NotImplementedError

    def schema(self) -> JSON:
        """Its JSON Schema (2020-12)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Shape[str]):
    """A text, by default not an empty one; `pattern` must match all of it."""

    what: str = "a text"
    pattern: str = ""
    hint: str = ""

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        text = node.value
        if not isinstance(text, str):
            quote = f'write "{text}"' if isinstance(text, int | float) else self.hint
            return reading.expected(node, self.what, quote)
        if not text.strip() or (self.pattern and not re.fullmatch(self.pattern, text)):
            return reading.expected(node, self.what, self.hint)
        return text

    def schema(self) -> JSON:
        return {"type": "string", "minLength": 1} | (
            {"pattern": f"^({self.pattern})$"} if self.pattern else {}
        )


@dataclass(frozen=True)
class Prose(Shape[str]):
    """A text for people, of any length; white space around it is no part of it."""

    what: str = "a text"

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        text = Text(self.what).read(node, reading)
        return text if isinstance(text, Invalid) else text.strip()

    def schema(self) -> JSON:
        return {"type": "string", "minLength": 1}


NAME = Text("a name in snake_case", "[a-z][a-z0-9_]*", "small letters, digits and _, a letter first")
PATH = Text("the path of a property", r"[^.\s][^.]*(\.[^.]+)*")


@dataclass(frozen=True)
class Choice(Shape[str]):
    """One of a few words; those in `planned` are not yet built."""

    options: tuple[str, ...]
    planned: tuple[str, ...] = ()
    hint: str = ""
    """What else may stand here, if no word is near."""

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        if isinstance(node.value, str):
            if node.value in self.options:
                return node.value
            if node.value in self.planned:
                return reading.refuse(
                    node, f'"{node.value}" is not yet built', f"built: {', '.join(self.options)}"
                )
            hint = nearest(node.value, self.options)
            near = hint if hint.startswith("did") or not self.hint else self.hint
            return reading.expected(node, " or ".join(self.options), near)
        return reading.expected(node, " or ".join(self.options), self.hint)

    def schema(self) -> JSON:
        return {"enum": list(self.options)}


@dataclass(frozen=True)
class Truth(Shape[bool]):
    """true or false; also yes and no, which are texts in YAML 1.2."""

    def read(self, node: Node, reading: Reading) -> bool | Invalid:
        words = {"yes": True, "no": False}
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, str) and node.value in words:
            return words[node.value]
        return reading.expected(node, "yes or no")

    def schema(self) -> JSON:
        return {"enum": [True, False, "yes", "no"]}


@dataclass(frozen=True)
class Number(Shape[float]):
    """A number between two limits, both allowed; whole ones only, if asked."""

    low: float
    high: float
    whole: bool = False

    def read(self, node: Node, reading: Reading) -> float | Invalid:
        value = node.value
        kinds = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.low <= value <= self.high:
            what = "a whole number" if self.whole else "a number"
            return reading.expected(node, f"{what} from {self.low:g} to {self.high:g}")
        return value

    def schema(self) -> JSON:
        return {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}


UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
LONGEST_DAYS = 36500


@dataclass(frozen=True)
class Duration(Shape[int]):
    """A span of time such as 30m, 6h, 14d or 8w, as microseconds; never nothing, at most 100 years."""

    def read(self, node: Node, reading: Reading) -> int | Invalid:
        found = re.fullmatch(r"([0-9]{1,9})([mhdw])", node.value) if isinstance(node.value, str) else None
        if found is None:
            return reading.expected(node, "a duration", "30m, 6h, 14d or 8w")
        span = int(found[1]) * UNITS[found[2]]
        if not 0 < span <= LONGEST_DAYS * DAY:
            return reading.expected(node, "a duration over 0 and up to 100 years")
        return span

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^0*[1-9][0-9]{0,8}[mhdw]$"}


@dataclass(frozen=True)
class Share(Shape[float]):
    """A share as a number (0.1) or a percentage (10%)."""

    low: float = 0.0
    high: float = 1.0

    def read(self, node: Node, reading: Reading) -> float | Invalid:
        value = node.value
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?%", value):
            share = float(value[:-1]) / 100
        elif isinstance(value, int | float) and not isinstance(value, bool):
            share = float(value)
        else:
            return reading.expected(node, "a share", "10% or 0.1")
        if not self.low <= share <= self.high:
            hint = f"write {value}% for a percentage" if share > 1 and not isinstance(value, str) else ""
            return reading.expected(node, f"a share from {self.low:.0%} to {self.high:.0%}", hint)
        return share

    def schema(self) -> JSON:
        number = {"type": "number", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [number, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?%$"}]}


@dataclass(frozen=True)
class TimeOfDay(Shape[str]):
    """A local time of day, "09:00"."""

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        if isinstance(node.value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", node.value):
            return node.value
        return reading.expected(node, "a time of day", 'from "00:00" to "23:59"')

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}


@dataclass(frozen=True)
class Zone(Shape[str]):
    """A time zone's name; or `customer`, where that is allowed."""

    customer: bool = True

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        hint = 'a name such as "Europe/London"' + (", or customer" if self.customer else "")
        if not isinstance(node.value, str):
            return reading.expected(node, "a time zone", hint)
        if self.customer and node.value == "customer":
            return node.value
        try:
            ZoneInfo(node.value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return reading.expected(node, "a time zone", hint)
        return node.value

    def schema(self) -> JSON:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class ListOf(Shape[tuple[T_co, ...]]):
    """A list of at least one."""

    item: Shape[T_co]
    what: str = "a list"

    def read(self, node: Node, reading: Reading) -> tuple[T_co, ...] | Invalid:
        if not isinstance(node.value, list) or not node.value:
            return reading.expected(node, f"{self.what} of at least one")
        read = [self.item.read(child, reading) for child in node.value]
        items = tuple(item for item in read if not isinstance(item, Invalid))
        return items if len(items) == len(read) else INVALID

    def schema(self) -> JSON:
        return {"type": "array", "minItems": 1, "items": self.item.schema()}


@dataclass(frozen=True)
class Plain(Shape[JSON]):
    """A mapping of anything, as it is."""

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        return plain(node) if isinstance(node.value, dict) else reading.expected(node, "a mapping")

    def schema(self) -> JSON:
        return {"type": "object"}


@dataclass(frozen=True)
class Record(Shape[T_co]):
    """A mapping with known keys. `build` makes the value from the fields read, and may still refuse."""

    what: str
    fields: Mapping[str, Shape[Any]]
    build: Callable[[Values, Node, Reading], T_co | Invalid]
    required: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = field(default=())
    """Of each group of keys exactly one must stand."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """What to write in place of a key that people try."""

    def read(self, node: Node, reading: Reading) -> T_co | Invalid:
        if not isinstance(node.value, dict):
            return reading.expected(node, f"a mapping for {self.what}", f"keys: {', '.join(self.fields)}")
        complete = self._keys(node, node.value, reading)
        values: Values = {}
        for key, child in node.value.items():
            if key in self.fields:
                value = self.fields[key].read(child, reading)
                complete = complete and not isinstance(value, Invalid)
                values[key] = value
        return self.build(values, node, reading) if complete else INVALID

    def _keys(self, node: Node, children: Mapping[str, Node], reading: Reading) -> bool:
        before = len(reading.found)
        for key, child in children.items():
            if key in self.planned:
                reading.add(child.line, f'"{key}" in {self.what} is not yet built')
            elif key not in self.fields:
                hint = self.hints.get(key) or nearest(key, self.fields)
                reading.add(child.line, f'unknown key "{key}" in {self.what}', hint)
        for key in self.required:
            if key not in children:
                reading.add(node.line, f'{self.what} needs "{key}"')
        for group in self.one_of:
            self._exactly_one(group, node, children, reading)
        return len(reading.found) == before

    def _exactly_one(
        self, group: Sequence[str], node: Node, children: Mapping[str, Node], reading: Reading
    ) -> None:
        present = [key for key in group if key in children]
        if len(present) != 1 and not any(key in self.planned for key in children):
            found = "both" if len(present) == 2 else "none" if not present else "several"
            line = max((children[key].line for key in present), default=node.line)
            reading.add(line, f"{self.what} needs exactly one of {', '.join(group)}, found {found}")

    def schema(self) -> JSON:
        schema: dict[str, JSON] = {
            "type": "object",
            "properties": {key: shape.schema() for key, shape in self.fields.items()},
            "additionalProperties": False,
        }
        if self.required:
            schema["required"] = list(self.required)
        groups = [{"oneOf": [{"required": [key]} for key in group]} for group in self.one_of]
        return schema | ({"allOf": groups} if groups else {})


@dataclass(frozen=True)
class Either(Shape[T_co]):
    """A short form (any value that is no mapping) or a long one (a mapping)."""

    short: Shape[T_co]
    long: Shape[T_co]

    def read(self, node: Node, reading: Reading) -> T_co | Invalid:
        return (self.long if isinstance(node.value, dict) else self.short).read(node, reading)

    def schema(self) -> JSON:
        return {"anyOf": [self.short.schema(), self.long.schema()]}


@dataclass(frozen=True)
class Named(Shape[T_co]):
    """A shape with a definition of its own in the schema, so that it may contain itself."""

    name: str
    shape: Callable[[], Shape[T_co]]

    def read(self, node: Node, reading: Reading) -> T_co | Invalid:
        return self.shape().read(node, reading)

    def schema(self) -> JSON:
        return {"$ref": f"#/$defs/{self.name}"}


@dataclass(frozen=True)
class Mapped(Shape[T_co]):
    """Another shape, whose value is turned into something else."""

    shape: Shape[Any]
    into: Callable[[Any, Node, Reading], T_co | Invalid]

    def read(self, node: Node, reading: Reading) -> T_co | Invalid:
        value = self.shape.read(node, reading)
        return value if isinstance(value, Invalid) else self.into(value, node, reading)

    def schema(self) -> JSON:
        return self.shape.schema()
