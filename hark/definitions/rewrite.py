"""A document's text changed in places: what stays the same keeps its words, its order and its comments."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from hark.definitions import yaml
from hark.definitions.problems import Problems
from hark.model import JSON

UNBROKEN = 1_000_000
"""No line that stands is broken anew."""


class Part(Struct, frozen=True):
    """One key of the document: the comments above it, and its own lines."""

    lead: str
    text: str


def body_of(text: str) -> dict[str, JSON] | None:
    """What a text of one document says; None where it is no such text."""
    problems = Problems("")
    nodes = yaml.read(text, problems)
    if problems.found or len(nodes) != 1 or not isinstance(nodes[0].value, dict):
        return None
    found: dict[str, JSON] = yaml.plain(nodes[0])
    return found


def says(text: str, body: dict[str, JSON]) -> bool:
    """Whether a text of one document says exactly this."""
    return yaml.same(body_of(text), body)


def rewritten(text: str, body: dict[str, JSON]) -> str:
    """The text, saying `body` instead: keys whose values differ are written anew, in the order of `body`, and
    every other line stays byte for byte. A text whose keys do not stand each on lines of their own is written
    out whole."""
    old = body_of(text)
    if old is None or yaml.same(old, body):
        return text if old is not None else yaml.write([body])
    parts, foot = _parts(text)
    out = []
    for key in [*(key for key in old if key not in body), *body]:
        part = parts.get(key, Part("", ""))
        out.append(part.lead + (_part(part.text, key, old, body) if key in body else ""))
    found = "".join(out) + foot
    return found if yaml.same(body_of(found), body) else yaml.write([body])


def _parts(text: str) -> tuple[dict[str, Part], str]:
    """By key, in the order of the text, and what stands below the last."""
    (node,) = yaml.read(text, Problems(""))
    assert isinstance(node.value, dict)
    lines = text.splitlines(keepends=True)
    starts = [child.line - 1 for child in node.value.values()]
    parts, lead = {}, "".join(lines[: starts[0]])
    for key, begin, end in zip(node.value, starts, [*starts[1:], len(lines)], strict=True):
        own = lines[begin:end]
        last = next((at for at in range(len(own), 0, -1) if not _between(own[at - 1])), 0)
        parts[key] = Part(lead, _ended("".join(own[:last])))
        lead = "".join(own[last:])
    return parts, lead


def _between(line: str) -> bool:
    return not line.strip() or line.startswith(("#", "---", "..."))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _part(text: str, key: str, old: JSON, body: JSON) -> str:
    if key not in old:
        return yaml.write([{key: body[key]}])
    return text if yaml.same(old[key], body[key]) else _changed(text, key, old[key], body[key])


def _changed(text: str, key: str, old: JSON, new: JSON) -> str:
    """One key's lines with another value, its comments kept where they can be."""
    keeper = YAML()
    keeper.preserve_quotes = True
    keeper.width = UNBROKEN
    keeper.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    try:
        whole = keeper.load(text)
        whole[key] = _merged(whole[key], old, new)
        keeper.dump(whole, out)
    except (YAMLError, KeyError, IndexError, TypeError, ValueError):
        return yaml.write([{key: new}])
    found = out.getvalue()
    return found if yaml.same(body_of(found), {key: new}) else yaml.write([{key: new}])


def _merged(raw: Any, old: JSON, new: JSON) -> Any:
    """The value with its comments, where it is as it was; else what is new."""
    if yaml.same(old, new):
        return raw
    if isinstance(raw, CommentedMap) and isinstance(new, dict):
        return _mapping(raw, old, new)
    if isinstance(raw, CommentedSeq) and isinstance(new, list):
        return _sequence(raw, old, new)
    return yaml.as_written(new)


def _mapping(raw: CommentedMap, old: JSON, new: dict[str, JSON]) -> CommentedMap:
    for key in [key for key in raw if key not in new]:
        del raw[key]
    for key, value in new.items():
        merged = _merged(raw[key], old[key], value) if key in raw else yaml.as_written(value)
        if old.get(key) == "":
            raw[key] = None  # ruamel would keep the quotes that nothing needed
        raw[key] = merged
    return raw


def _sequence(raw: CommentedSeq, old: list[JSON], new: Sequence[JSON]) -> CommentedSeq:
    """Each item is the old one that says the same, or else a change of the one that stood in its place."""
    left = dict(enumerate(old))
    stay = [_taken(left, value) for value in new]
    items = []
    for place, (value, known) in enumerate(zip(new, stay, strict=True)):
        if known is not None:
            items.append(raw[known])
        elif place in left:
            items.append(_merged(raw[place], left.pop(place), value))
        else:
            items.append(yaml.as_written(value))
    found = CommentedSeq(items)
    if raw.fa.flow_style():
        found.fa.set_flow_style()
    return found


def _taken(left: dict[int, JSON], value: JSON) -> int | None:
    found = next((place for place, one in left.items() if yaml.same(one, value)), None)
    if found is not None:
        del left[found]
    return found
