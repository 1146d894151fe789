"""The part of JSON Schema 2020-12 that our schema is written in, to check documents by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hark.model import JSON

TYPES: Mapping[str, Callable[[JSON], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def valid(value: JSON, schema: JSON, root: JSON) -> bool:
    """Whether a value is valid by a schema. A keyword that is not known here is a KeyError."""
    return all(RULES[keyword](value, rule, schema, root) for keyword, rule in schema.items())


def _same(one: JSON, other: JSON) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _types(value: JSON, rule: JSON, _schema: JSON, _root: JSON) -> bool:
    return any(TYPES[name](value) for name in ([rule] if isinstance(rule, str) else rule))


def _reference(value: JSON, rule: str, _schema: JSON, root: JSON) -> bool:
    return valid(value, root["$defs"][rule.removeprefix("#/$defs/")], root)


def _additional(value: JSON, rule: JSON, schema: JSON, root: JSON) -> bool:
    others = [child for key, child in _members(value).items() if key not in schema.get("properties", {})]
    return not others if rule is False else all(valid(child, rule, root) for child in others)


def _members(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


RULES: Mapping[str, Callable[[Any, Any, JSON, JSON], bool]] = {
    "$schema": lambda *_: True,
    "$defs": lambda *_: True,
    "title": lambda *_: True,
    "$ref": _reference,
    "type": _types,
    "enum": lambda value, rule, *_: any(_same(value, one) for one in rule),
    "const": lambda value, rule, *_: _same(value, rule),
    "not": lambda value, rule, _, root: not valid(value, rule, root),
    "anyOf": lambda value, rule, _, root: any(valid(value, one, root) for one in rule),
    "allOf": lambda value, rule, _, root: all(valid(value, one, root) for one in rule),
    "oneOf": lambda value, rule, _, root: sum(valid(value, one, root) for one in rule) == 1,
    "pattern": lambda value, rule, *_: not isinstance(value, str) or bool(re.search(rule, value)),
    "minLength": lambda value, rule, *_: not isinstance(value, str) or len(value) >= rule,
    "maxLength": lambda value, rule, *_: not isinstance(value, str) or len(value) <= rule,
    "minimum": lambda value, rule, *_: not TYPES["number"](value) or value >= rule,
    "maximum": lambda value, rule, *_: not TYPES["number"](value) or value <= rule,
    "minItems": lambda value, rule, *_: not isinstance(value, list) or len(value) >= rule,
    "maxItems": lambda value, rule, *_: not isinstance(value, list) or len(value) <= rule,
    "items": lambda value, rule, _, root: (
        not isinstance(value, list) or all(valid(one, rule, root) for one in value)
    ),
    "required": lambda value, rule, *_: not isinstance(value, dict) or set(rule) <= set(value),
    "minProperties": lambda value, rule, *_: not isinstance(value, dict) or len(value) >= rule,
    "maxProperties": lambda value, rule, *_: not isinstance(value, dict) or len(value) <= rule,
    "properties": lambda value, rule, _, root: all(
        valid(child, rule[key], root) for key, child in _members(value).items() if key in rule
    ),
    "propertyNames": lambda value, rule, _, root: all(valid(key, rule, root) for key in _members(value)),
    "additionalProperties": _additional,
}
