"""What a team publishes (`content` documents), and how a step asks for one of them; how both are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Either,
    Invalid,
    Mapped,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Text,
    Values,
)
from hark.definitions.times import Moment
from hark.definitions.yaml import Node
from hark.model import JSON, Instant
from hark.understand.addresses import canonical, path_of

WORDS_A_MINUTE = 238.0
"""Silent reading of English by adults (Brysbaert 2019, Journal of Memory and Language 109, 104047)."""


class Content(Struct, frozen=True, dict=True, tag="content"):
    """One item of the catalogue."""

    name: str
    title: str
    url: str
    format: str
    stages: tuple[str, ...] = ()
    """The stages of the decision to buy that it serves; (): each."""
    topics: tuple[str, ...] = ()
    words: int | None = None
    said_minutes: float | None = None
    also: tuple[str, ...] = ()
    """Further addresses, or names, under which it is read."""
    says: str = ""
    starts: Instant | None = None
    ends: Instant | None = None
    """From then on nobody is sent it."""

    @property
    def minutes(self) -> float | None:
        """How long it takes; None where nobody said."""
        if self.said_minutes is not None:
            return self.said_minutes
        return None if self.words is None else round(self.words / WORDS_A_MINUTE, 1)

    @cached_property
    def known_as(self) -> frozenset[str]:
        """All that its reading is known by (`understand.addresses`): its name, its address with and without
        the site, and what it is `also`."""
        return frozenset((self.name, canonical(self.url), path_of(self.url), *map(canonical, self.also)))

    def offered(self, now: Instant) -> bool:
        """Whether it may be sent at this moment."""
        return (self.starts or 0) <= now and (self.ends is None or now < self.ends)

    def shown(self) -> dict[str, JSON]:
        """What a template may read of it."""
        return {
            "name": self.name,
            "title": self.title,
            "url": self.url,
            "format": self.format,
            "says": self.says,
            "topics": list(self.topics),
            "stages": list(self.stages),
            "words": self.words,
            "minutes": self.minutes,
        }


class Picking(Struct, frozen=True):
    """What a step asks of the item that it sends; nothing: one for their stage, by what they read."""

    topics: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    stage: str | None = None
    """In place of the customer's own."""


@dataclass(frozen=True)
class OneOrMore(Shape[tuple[str, ...]]):
    """A text, or a list of different ones."""

    item: Shape[str]
    what: str

    def read(self, node: Node, reading: Reading) -> tuple[str, ...] | Invalid:
        nodes = node.value if isinstance(node.value, list) else [node]
        if not nodes:
            return reading.expected(node, f"{self.what} or a list of them")
        read = [self.item.read(one, reading) for one in nodes]
        found = tuple(one for one in read if not isinstance(one, Invalid))
        if len(found) < len(read):
            return INVALID
        twice = next((n for n, one in enumerate(found) if one in found[:n]), None)
        if twice is not None:
            return reading.refuse(nodes[twice], f'"{found[twice]}" stands twice')
        return found

    def schema(self) -> JSON:
        item = self.item.schema()
        return {"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]}


def _words(what: str, hint: str) -> Shape[str]:
    """A word or a few, whatever their case and the spaces between them."""
    return Mapped(Text(what, r"[^\n,]{1,60}", hint), lambda text, _n, _r: " ".join(text.lower().split()))


FORMAT = _words("a format", "for example article, video, guide, case study, webinar")
TOPICS = OneOrMore(_words("a topic", "for example running shoes"), "a topic")
STAGES = OneOrMore(NAME, "a stage")
PLACE = Text("an address, a path or a name", r"[^\s]+", "for example /guides/size")


def _content(values: Values, node: Node, reading: Reading) -> Content | Invalid:
    assert isinstance(node.value, dict)
    if "words" in values and "minutes" in values:
        return reading.refuse(node.value["minutes"], '"words" and "minutes" both say how long it is', "one")
    if values.get("starts", 0) >= values.get("ends", values.get("starts", 0) + 1):
        return reading.refuse(node.value["ends"], "it ends before it starts")
    return Content(
        values["content"],
        " ".join(values["title"].split()),
        values["url"],
        values["format"],
        values.get("stage", ()),
        values.get("topics", ()),
        int(values["words"]) if "words" in values else None,
        values.get("minutes"),
        values.get("also", ()),
        values.get("says", ""),
        values.get("starts"),
        values.get("ends"),
    )


CONTENT: Shape[Content] = Record(
    "content",
    {
        "content": NAME,
        "title": Prose("a title"),
        "says": Prose(),
        "url": Text("a web address", r"https?://[^\s/]+(/[^\s]*)?", "https://..."),
        "format": FORMAT,
        "stage": STAGES,
        "topics": TOPICS,
        "words": Number(1, 1_000_000, whole=True),
        "minutes": Number(0.1, 10_000),
        "also": OneOrMore(PLACE, "an address"),
        "starts": Moment(),
        "ends": Moment(),
    },
    _content,
    required=("content", "title", "url", "format"),
    hints={"stages": 'write stage:, one or a list "[considering, evaluating]"', "topic": "write topics:"},
)
BY_STAGE = "by_stage"
PICKING: Shape[Picking] = Either(
    Mapped(Choice((BY_STAGE,), hint="or {topics: [...], format: ...}"), lambda _w, _n, _r: Picking()),
    Record(
        "content",
        {"topics": TOPICS, "format": OneOrMore(FORMAT, "a format"), "stage": NAME},
        lambda values, _n, _r: Picking(
            values.get("topics", ()), values.get("format", ()), values.get("stage")
        ),
        hints={"formats": "write format:, one or a list", "topic": "write topics:"},
    ),
)
