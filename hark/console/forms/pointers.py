"""Places within a document by JSON Pointer (RFC 6901), and what buttons do to its lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from hark.model import JSON

Body: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]


def pointer(path: Sequence[str | int]) -> str:
    """The path as text: ("steps", 0, "a/b") is "/steps/0/a~1b"."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


def path_of(text: str) -> Path:
    """The path that a pointer is of."""
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in text.split("/")[1:])


def under(at: str, *keys: str | int) -> str:
    return at + pointer(keys)


def found(body: JSON, at: str) -> JSON:
    """What stands there; None where nothing does."""
    for key in path_of(at):
        body = _member(body, key)
    return body


def _member(value: JSON, key: str) -> JSON:
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    return None


def put(body: Body, at: str, value: JSON) -> None:
    """Set what stands there; mappings on the way are made, and a parent that is neither mapping nor list
    stays as it is written."""
    *parents, last = path_of(at)
    inner: Any = body
    for key in parents:
        if isinstance(inner, dict) and inner.get(key) is None:
            _set(inner, key, {}, inner is body)
        inner = _member(inner, key)
    if isinstance(inner, dict):
        _set(inner, last, value, inner is body)
    elif isinstance(inner, list) and last.isdecimal() and int(last) < len(inner):
        inner[int(last)] = value


def take(body: Body, at: str) -> None:
    """Take away what stands there."""
    *parents, last = path_of(at)
    inner = found(body, pointer(parents))
    if isinstance(inner, dict):
        inner.pop(last, None)
    elif isinstance(inner, list) and last.isdecimal() and int(last) < len(inner):
        del inner[int(last)]


def renamed(body: Body, at: str, name: str) -> None:
    """Another key for what stands there, at its place; nothing where the name is taken."""
    *parents, last = path_of(at)
    inner = found(body, pointer(parents))
    if isinstance(inner, dict) and last in inner and name not in inner:
        items = [(name if key == last else key, value) for key, value in inner.items()]
        inner.clear()
        inner.update(items)


def moved(body: Body, at: str, by: int) -> str:
    """One place up (-1) or down (1) in its list or mapping; where it stands then."""
    *parents, last = path_of(at)
    inner = found(body, pointer(parents))
    if isinstance(inner, dict) and last in inner:
        keys = list(inner)
        _swap(keys, keys.index(last), by)
        items = [(key, inner[key]) for key in keys]
        inner.clear()
        inner.update(items)
    elif isinstance(inner, list) and last.isdecimal() and int(last) < len(inner):
        return pointer((*parents, _swap(inner, int(last), by)))
    return at


def _swap(items: list[Any], place: int, by: int) -> int:
    other = min(max(place + by, 0), len(items) - 1)
    items[place], items[other] = items[other], items[place]
    return other


def appended(body: Body, at: str, value: JSON) -> str:
    """One more in the list there, which is made where it is missing; where it stands then."""
    known = found(body, at)
    if not isinstance(known, list):
        known = []
        put(body, at, known)
    known.append(value)
    return under(at, len(known) - 1)


ORDER = (
    "campaign", "segment", "intent", "hypothesis", "expects", "trigger", "key", "audience", "subject",
    "where", "goal", "also", "guardrails", "situations", "control", "why", "programme", "exclusive",
    "assign_by", "arm", "reenter", "on_retrigger", "fresh", "topic", "transactional", "worth", "decide_by",
    "starts", "ends", "exit", "paused", "rehearsal", "ramp", "allocation", "variants", "steps",
)  # fmt: skip
"""Where a key of a document is put that was not there."""


def _set(inner: Body, key: str, value: JSON, top: bool) -> None:
    if key in inner or not top or key not in ORDER:
        inner[key] = value
        return
    before = ORDER[: ORDER.index(key)]
    place = max((at + 1 for at, known in enumerate(inner) if known in before), default=0)
    items = list(inner.items())
    inner.clear()
    inner.update([*items[:place], (key, value), *items[place:]])
