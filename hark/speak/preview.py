"""A message as one customer would get it, with links that do nothing, before anybody gets it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from hark.model import JSON, Instant
from hark.speak.book import Book
from hark.speak.compose import compose
from hark.speak.contract import Verdict
from hark.speak.links import Key, Links
from hark.speak.lint import Finding, lint
from hark.speak.render import Rendered
from hark.store.contracts import OutboxRow

NOWHERE = Links("https://preview.invalid", (Key("preview", "nobody takes these links for true ones"),))
"""Whoever clicks in a preview leaves nothing and confirms nothing."""
SAMPLE: Mapping[str, JSON] = {
    "id": "sample",
    "first_name": "Ada",
    "name": "Ada King",
    "email": "ada@example.com",
}
MESSAGE = "0" * 32


class About(Struct, frozen=True):
    """For whom, and about what."""

    customer: Mapping[str, JSON] = field(default_factory=lambda: dict(SAMPLE))
    event: Mapping[str, JSON] = {}
    data: Mapping[str, JSON] = {}
    topic: str = ""
    """"" for a message that needs no way out."""
    content: str = ""
    """The item of the catalogue that it brings; "" for any."""


class Preview(Struct, frozen=True):
    """What it would be; or why there would be none."""

    said: Rendered | None
    why_not: str
    """"" where there is one; else the reason's name and its detail."""
    findings: list[Finding] = []


def preview(template: str, book: Book, about: About, at: Instant) -> Preview:
    """The message of a template that stands in the book."""
    made = compose(row(template, book, about, at), book, NOWHERE, at)
    if isinstance(made, Verdict):
        return Preview(None, made.detail)
    said, envelope = made
    # mail alone has parts, pictures and clipped ends
    found = lint(said, envelope.unsubscribe) if book.templates[template].channel == "email" else []
    return Preview(said, "", found)


def row(template: str, book: Book, about: About, at: Instant, to: str = "") -> OutboxRow:
    """An outbox row as the engine would hand it over, of no message that there is."""
    found = book.templates.get(template)
    content: dict[str, JSON] = {
        "to": to or about.customer.get("email"),
        "customer": dict(about.customer),
        "event": dict(about.event),
        "events": [dict(about.event)],
        "data": dict(about.data),
        "item": _item(book, about.content),
        "topic": about.topic or None,
        "transactional": not about.topic,
    }
    channel = found.channel if found else "email"
    return OutboxRow(MESSAGE, 0, "preview", "", template, channel, "sending", at, at, content)


def _item(book: Book, name: str) -> dict[str, JSON]:
    """What a template may read of the item of this name, else of the first; nothing where there is none."""
    found = book.contents.get(name) or next(iter(book.contents.values()), None)
    return found.shown() if found else {}
