"""From YAML to typed documents, and from stored bodies to typed definitions.

A text with any problem is refused whole, with all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from hark.definitions import check, yaml
from hark.definitions.document import Document
from hark.definitions.documents import KINDS
from hark.definitions.problems import DefinitionError, Problem, nearest
from hark.definitions.shapes import Invalid, Reading
from hark.definitions.types import Definition
from hark.definitions.yaml import Node, located, plain
from hark.model import JSON


class Parsed(Struct, frozen=True):
    """One document as it was read: typed, as plain data, and with the lines it stands on."""

    kind: str
    name: str
    body: JSON
    """The document as plain data, its keys in the order of the text; what a version stores."""
    definition: Definition
    file: str
    node: Node
    text: str = ""
    """The YAML as it was written, with the comments above it; it says exactly `body`, or is ""."""

    @property
    def line(self) -> int:
        return self.node.line

    def line_of(self, *path: str | int) -> int:
        """The line of the value under a path; of its nearest parent that is there, where it is not."""
        node = self.node
        for step in path:
            children = node.value
            if isinstance(children, dict) and step in children:
                node = children[str(step)]
            elif isinstance(children, list) and isinstance(step, int) and step < len(children):
                node = children[step]
            else:
                break
        return node.line

    def line_naming(self, name: str) -> int:
        """The line on which a condition names a segment, topic or engagement; the document's if none does."""
        ways = [self.node]
        while ways:
            value = ways.pop().value
            children: Iterable[tuple[object, Node]] = (
                value.items()
                if isinstance(value, dict)
                else enumerate(value)
                if isinstance(value, list)
                else ()
            )
            for key, child in children:
                if key in _NAMING and child.value == name:
                    return child.line
                ways.append(child)
        return self.line


def _document(node: Node, reading: Reading, text: str = "") -> Parsed | None:
    if not isinstance(node.value, dict) or not node.value:
        reading.expected(node, "a document", f"it begins with its kind: {', '.join(KINDS)}")
        return None
    kind = next(iter(node.value))
    if kind not in KINDS:
        reading.refuse(node, f'"{kind}" is not a kind of document', nearest(kind, KINDS))
    else:
        definition = KINDS[kind].read(node, reading)
        if not isinstance(definition, Invalid):
            return Parsed(kind, definition.name, plain(node), definition, reading.file, node, text)
    return None


def _documents(text: str, reading: Reading) -> list[Parsed]:
    nodes = yaml.read(text, reading)
    documents = [
        _document(node, reading, own) for node, own in zip(nodes, yaml.texts(text, nodes), strict=True)
    ]
    return [document for document in documents if document is not None]


def parse(text: str, file: str = "", zone: str = "UTC") -> list[Parsed]:
    """The documents of one YAML text; `zone` is the workspace's. Raises DefinitionError.

    References between documents are not looked at: `read` does both.
    """
    reading = Reading(file or "text", zone)
    parsed = _documents(text, reading)
    if reading.found:
        raise DefinitionError(reading.found)
    return parsed


_NAMING = ("in_segment", "topic", "definition", "stage", "at_least", "at_most")
"""The keys under which conditions name what stands elsewhere."""
Check: TypeAlias = Callable[[Definition, Sequence[Definition]], str | None]
"""What is wrong with a document beyond its form, if anything is, among those in force and those that are to
be (`speak.checking.Checking`)."""


def read(
    files: Iterable[tuple[str, str]],
    current: Sequence[Document] = (),
    zone: str = "UTC",
    wrong: Check | None = None,
) -> list[Parsed]:
    """The documents of several (file, text), checked with each other and with those in force.

    Raises DefinitionError with the problems of all files; references are looked at once all can be read.
    """
    parsed: list[Parsed] = []
    problems: list[Problem] = []
    for file, text in files:
        reading = Reading(file, zone)
        documents = _documents(text, reading)
        parsed += documents
        problems += reading.found
    before = [definition(document, zone) for document in current]
    problems = problems or check.problems(parsed, before)
    problems += _wrong(parsed, before, wrong)
    if problems:
        raise DefinitionError(problems)
    return parsed


def _wrong(parsed: Sequence[Parsed], before: Sequence[Definition], wrong: Check | None) -> Iterator[Problem]:
    known = [*before, *(one.definition for one in parsed)]
    for one in parsed if wrong else ():
        if wrong and (found := wrong(one.definition, known)):
            yield Problem(one.file, one.line, f"{one.kind} {one.name}: {found}")


def parse_files(
    paths: Iterable[Path],
    current: Sequence[Document] = (),
    zone: str = "UTC",
    wrong: Check | None = None,
) -> list[Parsed]:
    """`read` for files on disk, named in problems by their paths as given. Raises DefinitionError."""
    files, problems = [], []
    for path in paths:
        try:
            files.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            problems.append(Problem(str(path), 1, f"cannot be read: {reason}"))
    if problems:
        raise DefinitionError(problems)
    return read(files, current, zone, wrong)


def definition(document: Document, zone: str = "UTC") -> Definition:
    """The typed definition of a stored document. Raises DefinitionError if its body is none (any more)."""
    file = f"{document.kind} {document.name} version {document.version}"
    reading = Reading(file, zone)
    body = {document.kind: document.name, **document.body}
    node = located(body)
    if document.kind not in KINDS:
        reading.refuse(node, f'"{document.kind}" is not a kind of document', nearest(document.kind, KINDS))
        raise DefinitionError(reading.found)
    found = KINDS[document.kind].read(node, reading)
    if isinstance(found, Invalid):
        raise DefinitionError(reading.found)
    return found
