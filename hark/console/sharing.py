"""The same question elsewhere: on the command line, in Python, as a document, as a file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from msgspec import Struct

from hark.console.asking import Ask
from hark.definitions import yaml
from hark.definitions.lines import line_of
from hark.model import JSON

PLACED = {"funnel": "steps", "trend": "event"}
"""By kind, the key that stands on the command line without a name."""
OPTIONS = {"of": "--sum", "on_or_after": "--on-or-after", "returned_to": "--returned-to"}
PYTHON = {"return": "returning", "from": "origin", "to": "target"}
"""Keys that Python has another word for."""
FIRST = {"funnel": ("steps",), "retention": ("start",), "paths": ("from",), "trend": ("event",)}
"""By kind, what is given by place."""


class Share(Struct, frozen=True):
    """How others get the same answer."""

    address: str
    command: str
    python: str
    document: str
    files: tuple[tuple[str, str], ...]
    """(what it is, its address)."""


def share(ask: Ask) -> Share | None:
    """None while nothing is asked."""
    if ask.body is None:
        return None
    here = f"/questions/{ask.saved.name}?version={ask.saved.version}" if ask.saved else ask.address
    between = "&" if "?" in here and not here.endswith("?") else ""
    files = (("JSON", "answer"), ("CSV", "csv"), ("Parquet", "parquet"))
    return Share(
        here,
        command_line(ask.kind, ask.body),
        python(ask.kind, ask.body),
        document(ask.saved.name if ask.saved else "name_it", ask.kind, ask.body),
        tuple((name, f"{here}{between}format={form}") for name, form in files),
    )


def command_line(kind: str, body: Mapping[str, JSON]) -> str:
    """The command that prints this answer."""
    return shlex.join(["hark", kind, *_placed(kind, body), *_options(kind, body)])


def _placed(kind: str, body: Mapping[str, JSON]) -> list[str]:
    found = body.get(PLACED.get(kind, ""), [])
    return [line_of(step) for step in (found if isinstance(found, list) else [found])]


def _options(kind: str, body: Mapping[str, JSON]) -> Iterator[str]:
    for key, value in body.items():
        if key == PLACED.get(kind):
            continue
        if key == "collapse":
            yield from [] if value else ["--repeats"]
        elif isinstance(value, bool):
            yield from [OPTIONS.get(key, f"--{key}")] if value else []
        else:
            yield from [OPTIONS.get(key, f"--{key}"), _word(key, value)]


def _word(key: str, value: JSON) -> str:
    if key == "by" and isinstance(value, dict):
        ((kind, name),) = value.items()
        return f"{kind}:{name}"
    if key == "subject" and isinstance(value, dict):
        return str(value["group"])
    return line_of(value) if isinstance(value, dict) else str(value)


def python(kind: str, body: Mapping[str, JSON]) -> str:
    """The expression that gives this answer, typed."""
    placed = FIRST.get(kind, ())
    given = [repr(body[key]) for key in placed if key in body]
    plain = {key: _word(key, value) if key == "subject" else value for key, value in body.items()}
    named = [f"{PYTHON.get(key, key)}={value!r}" for key, value in plain.items() if key not in placed]
    return f'hark.open("hark-data").{kind}({", ".join(given + named)})'


def document(name: str, kind: str, body: Mapping[str, JSON], says: str = "") -> str:
    """The `question:` document that saves it."""
    return yaml.write([question(name, kind, body, says)])


def question(name: str, kind: str, body: Mapping[str, JSON], says: str = "") -> JSON:
    """The document as plain data."""
    return {"question": name, **({"says": says} if says else {}), kind: dict(body)}
