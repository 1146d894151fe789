"""A step of a question in one line, as people type it on the command line and in the console, and back."""

from __future__ import annotations

import re

import msgspec

from hark.errors import HarkError
from hark.model import JSON

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_WORDS = frozenset({"true", "false", "null"})


def step_of(text: str | None) -> JSON:
    """ "A|B where {x: 1}", "not: A" or "when {in_segment: regulars}" as what it is written as.

    Raises HarkError `question.step`.
    """
    if text is None:
        return None
    if text.startswith("not: "):
        return {"not": step_of(text.removeprefix("not: "))}
    if text.startswith("when "):
        hint = 'for example "when {in_segment: regulars}"'
        return {"when": _yaml(text.removeprefix("when "), "the condition", hint)}
    names, where, predicate = text.partition(" where ")
    if not where:
        return text
    hint = 'for example "Order Completed where {revenue: {gte: 50}}"'
    asked = _yaml(predicate, f"the predicate of {names}", hint)
    return {"any_of": [name.strip() for name in names.split("|")], "where": asked}


def _yaml(text: str, what: str, hint: str) -> JSON:
    # Late: a step without a predicate, as most are, needs no reader of YAML.
    from hark.definitions.shapes import Reading
    from hark.definitions.yaml import plain, read

    reading = Reading("step")
    nodes = read(text, reading)
    if reading.found or len(nodes) != 1:
        raise HarkError(f"{what} cannot be read: {text}", hint, "question.step")
    return plain(nodes[0])


def line_of(step: JSON) -> str:
    """The line that `step_of` reads as this step."""
    if isinstance(step, str):
        return step
    if "not" in step:
        return f"not: {line_of(step['not'])}"
    if "when" in step:
        return f"when {flow(step['when'])}"
    names = "|".join(step["any_of"]) if "any_of" in step else step["event"]
    return f"{names} where {flow(step['where'])}" if step.get("where") else names


def flow(value: JSON) -> str:
    """A value as YAML in one line: `{revenue: {gte: 50}}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return msgspec.json.encode(value).decode()
