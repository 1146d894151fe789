"""The definitions that a deliverer needs, in force at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from hark.definitions.contents import Content
from hark.definitions.document import Document
from hark.definitions.mapping import Source
from hark.definitions.parse import definition
from hark.definitions.survey import Survey
from hark.definitions.types import Definition, Policy, Sender, Template, Topic
from hark.speak.parts import BrokenTemplateError, parts_of, whole

KINDS = frozenset(
    {"sender", "template", "layout", "snippet", "topic", "source", "policy", "brand", "survey", "content"}
)


class Book(Struct, frozen=True):
    senders: Mapping[str, Sequence[Sender]] = field(default_factory=dict)
    """By channel, in the order of their names."""
    templates: Mapping[str, Template] = field(default_factory=dict)
    """With their layouts and snippets in them."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """By name, what is wrong with templates that can't be put together."""
    topics: Mapping[str, Topic] = field(default_factory=dict)
    tracking: Policy = Policy("tracking")
    links: Mapping[str, str] = field(default_factory=dict)
    """Links to places elsewhere, by name: the source whose document has them."""
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    contents: Mapping[str, Content] = field(default_factory=dict)
    """The catalogue, for previews: what is sent has its item with it."""

    @staticmethod
    def of(definitions: Iterable[Definition]) -> Book:
        given = list(definitions)
        return Book(
            by_channel(d for d in given if isinstance(d, Sender)),
            *_together(given),
            {d.name: d for d in given if isinstance(d, Topic)},
            next((d for d in given if isinstance(d, Policy) and d.name == "tracking"), Policy("tracking")),
            {name: d.name for d in given if isinstance(d, Source) for name in d.links},
            {d.name: d for d in given if isinstance(d, Survey)},
            {d.name: d for d in given if isinstance(d, Content)},
        )


def _together(given: Sequence[Definition]) -> tuple[dict[str, Template], dict[str, str]]:
    """Templates by name, and what is wrong with those that can't be put together."""
    parts, made, broken = parts_of(given), dict[str, Template](), dict[str, str]()
    for one in given:
        if isinstance(one, Template):
            try:
                made[one.name] = whole(one, parts)
            except BrokenTemplateError as error:
                broken[one.name] = str(error)
    return made, broken


def by_channel(senders: Iterable[Sender]) -> dict[str, list[Sender]]:
    found: dict[str, list[Sender]] = {}
    for sender in sorted(senders, key=lambda one: one.name):
        found.setdefault(sender.channel, []).append(sender)
    return found


class Shelf:
    """The book of the documents in force, read anew only when one of them has a new version."""

    def __init__(self, documents: Callable[[], Iterable[Document]], sender: Sender | None = None) -> None:
        """`sender` serves its channel while no document does."""
        self._documents = documents
        self._spare = by_channel([sender] if sender else [])
        self._last: tuple[frozenset[tuple[str, str, int]], Book] = (frozenset(), Book(self._spare))

    def book(self) -> Book:
        """Raises DefinitionError for a stored document that is none any more."""
        ours = [document for document in self._documents() if document.kind in KINDS]
        versions = frozenset((document.kind, document.name, document.version) for document in ours)
        known, book = self._last
        if versions != known:
            book = Book.of(map(definition, ours))
            book = replace(book, senders={**self._spare, **book.senders})
            self._last = versions, book
        return book
