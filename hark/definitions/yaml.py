"""YAML 1.2 by its core schema, with the line of every key, and plain data back to YAML.

`NO`, `yes`, `21:00` and `2026-01-01` are text; only true, false, null and JSON-like numbers are not.
Duplicate keys, tags and aliases are problems: a definition reads the same to everybody.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from hark.definitions.problems import Problems
from hark.model import JSON

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"


BROKEN = "look at what is open on that line and before it: brackets, quotes, the depth of the lines"


class Node(Struct, frozen=True):
    """One value of a document and the line it stands on: its key's, or its own in a list."""

    value: Value
    line: int


_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.capitalize(), word.upper())
}


def plain(node: Node) -> JSON:
    """The node as plain data, in the order of the document."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def located(value: JSON, line: int = 0) -> Node:
    """Plain data as nodes that all stand on one line."""
    if isinstance(value, dict):
        return Node({key: located(child, line) for key, child in value.items()}, line)
    if isinstance(value, list):
        return Node([located(child, line) for child in value], line)
    return Node(value, line)


def _core_schema(text: str) -> Value:
    """What a plain (unquoted) scalar is, by table 10.2.1.2 of YAML 1.2.2; infinities stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return text if abs(number) == float("inf") else number
    return text


class _Converter:
    """Turns ruamel's nodes into ours; what the language forbids goes to `problems`."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.seen: dict[int, Any] = {}
        """By identity; holding them keeps an identity from being given twice."""

    def convert(self, raw: Any, line: int) -> Node:
        if id(raw) in self.seen:
            self.problems.add(line, "an alias (*name) is not part of the language", "write the value out")
            return self.scalar(raw, line) if isinstance(raw, ScalarNode) else Node(None, line)
        self.seen[id(raw)] = raw
        if self.text[raw.start_mark.index : raw.start_mark.index + 1] == "!":
            self.problems.add(
                line, "a tag (!name) is not part of the language", "quote the value if it is text"
            )
        if isinstance(raw, MappingNode):
            return Node(self.mapping(raw), line)
        if isinstance(raw, SequenceNode):
            return Node([self.convert(item, item.start_mark.line + 1) for item in raw.value], line)
        return self.scalar(raw, line)

    @staticmethod
    def scalar(raw: ScalarNode, line: int) -> Node:
        return Node(raw.value if raw.style else _core_schema(raw.value), line)

    def mapping(self, raw: MappingNode) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in raw.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.problems.add(line, "a key must be a text")
            elif key.value in entries:
                first = entries[key.value].line
                self.problems.add(line, f'the key "{key.value}" stands twice', f"first on line {first}")
            else:
                entries[key.value] = self.convert(value, line)
        return entries


def read(text: str, problems: Problems) -> list[Node]:
    """The documents of a YAML text (empty ones left out); what is wrong with it goes to `problems`."""
    if "\x00" in text:
        problems.add(text[: text.index("\x00")].count("\n") + 1, "not a text file")
        return []
    convert = _Converter(text, problems).convert
    try:
        found = [convert(raw, raw.start_mark.line + 1) for raw in _compose(text)]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problems.add(line, f"not YAML: {error.problem or error.context}", BROKEN)
        return []
    except YAMLError as error:
        problems.add(1, f"not YAML: {str(error).splitlines()[0]}", BROKEN)
        return []
    except RecursionError:
        problems.add(1, "nested too deeply")
        return []
    return [node for node in found if node.value is not None]


_BETWEEN = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:#.*)?$\n?", re.MULTILINE)


def texts(text: str, nodes: Sequence[Node]) -> list[str]:
    """Of each of a text's documents its own lines, with the comments above it; "" for all where they cannot
    be told apart."""
    lead, found = "", []
    for part in _BETWEEN.split(text):
        whole = lead + part.strip("\n") + "\n" * bool(part.strip())
        lead = "" if _speaks(part) else whole
        found += [whole] if _speaks(part) else []
    if lead and found:
        found[-1] += lead
    known = len(found) == len(nodes) and all(map(_says, found, nodes))
    return found if known else [""] * len(nodes)


def _speaks(text: str) -> bool:
    """Whether there is more in it than comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _says(text: str, node: Node) -> bool:
    """Whether the text by itself is this document."""
    problems = Problems("")
    found = read(text, problems)
    return not problems.found and len(found) == 1 and same(plain(found[0]), plain(node))


def same(one: JSON, other: JSON) -> bool:
    """Also of the same kinds and in the same order, which == does not ask."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


def _compose(text: str) -> Iterator[Any]:
    loader = YAML(typ="safe", pure=True)
    loader.version = (1, 2)
    return (node for node in loader.compose_all(io.StringIO(text)) if node is not None)


def as_written(value: JSON) -> JSON:
    """Texts as YAML should write them: several lines as a block, what would be no text in quotes."""
    if isinstance(value, dict):
        return {as_written(key): as_written(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_written(child) for child in value]
    if not isinstance(value, str):
        return value
    if "\n" in value:
        return LiteralScalarString(value)
    return value if isinstance(_core_schema(value), str) else DoubleQuotedScalarString(value)


def write(documents: Sequence[JSON]) -> str:
    """The documents as one YAML text which `read` gives back as they are."""
    writer = YAML()
    writer.version = None
    writer.width = 110
    writer.indent(mapping=2, sequence=4, offset=2)
    parts = []
    for document in documents:
        out = io.StringIO()
        writer.dump(as_written(document), out)
        parts.append(out.getvalue())
    return "---\n".join(parts)
