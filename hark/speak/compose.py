"""What a row of the outbox says, to whom: rendered content and an envelope, for whichever channel."""

from __future__ import annotations

from typing import TypeAlias

from msgspec.structs import replace

from hark.clock import moment
from hark.definitions.types import Template
from hark.model import JSON, Instant
from hark.speak.attachments import Files
from hark.speak.book import Book
from hark.speak.confirm import CONFIRM
from hark.speak.contract import Envelope, Verdict
from hark.speak.footer import WayOut, with_way_out
from hark.speak.links import Confirm, Links, Preferences, Report, Unsubscribe
from hark.speak.render import Rendered, Withheld, render
from hark.speak.reply_address import reply_token
from hark.speak.surveys import asked
from hark.speak.texts import reachable
from hark.speak.tracking import tracked
from hark.speak.words import language, stated
from hark.store.contracts import OutboxRow

REPLY = Template("_reply", "task", "", text="{{ data.text | default: data.subject | default: '(no words)' }}")
"""The words of a customer's answer, for whoever of the team reads it."""
BUILT_IN = {one.name: one for one in (CONFIRM, REPLY)}

Composed: TypeAlias = tuple[Rendered, Envelope]


def compose(row: OutboxRow, book: Book, links: Links, at: Instant, files: Files = ()) -> Composed | Verdict:
    """The message of a row, or why there is none (always *failed*, with the reason's name first)."""
    if row.template in book.broken:
        return Verdict("failed", f"template_error: {book.broken[row.template]}")
    template = _template(row, book)
    if template is None:
        return Verdict("failed", f"no_template: there is no template {row.template!r}")
    data = template_data(row, book, links, at)
    data |= asked(template, book.surveys, links, row.subject, row.message, _language(row))
    content = render(template, data)
    if isinstance(content, Withheld):
        return Verdict("failed", f"{content.reason}: {content.detail}")
    out = _unsubscribe(row, links)
    envelope = Envelope(
        message=row.message,
        to=str(row.content.get("to") or ""),
        at=at,
        unsubscribe=out,
        expires_at=row.content.get("expires"),
        files=files,
        reply_token=reply_token(links.keys[-1], row.message) if row.channel == "email" else "",
        base=reachable(links.base),
    )
    said = _mail(content, row, book, links, out) if row.channel == "email" else content
    return replace(said, data=body(row)), envelope


def _mail(content: Rendered, row: OutboxRow, book: Book, links: Links, out: str | None) -> Rendered:
    """With a visible way out and counted links, as far as the workspace wants them."""
    way = WayOut(out, _preferences(row, links), _language(row)) if out else None
    said, about = with_way_out(content, way), book.tracking
    if row.content.get("transactional"):
        return said
    return tracked(said, links, row.subject, row.message, opens=about.opens, clicks=about.clicks)


def _template(row: OutboxRow, book: Book) -> Template | None:
    """A row without a template says what its `says` says: webhooks, tasks and notes to the team need none."""
    if row.template in BUILT_IN:
        return BUILT_IN[row.template]
    if not row.template and row.channel != "email":
        return Template("", row.channel, "", text=str(row.content.get("says") or " "))
    found = book.templates.get(row.template)
    traits = row.content.get("customer") or {}
    return found and next((found.languages[one] for one in stated(traits) if one in found.languages), found)


def body(row: OutboxRow) -> JSON:
    """What a webhook is sent: the step's own `body`, or who it is about and what started it."""
    content = row.content
    if content.get("body") is not None:
        return content["body"]
    return {
        "type": "message",
        "message": row.message,
        "campaign": row.campaign,
        "arm": content.get("arm"),
        **{about: content[about] for about in ("customer", "group") if content.get(about)},
        "event": content.get("event") or {},
        "data": content.get("data") or {},
    }


def template_data(row: OutboxRow, book: Book, links: Links, at: Instant) -> dict[str, JSON]:
    """What a template may read: customer or group, event, events, data, content, campaign, topic, links,
    now."""
    content = row.content
    topic = content.get("topic")
    says = book.topics[topic].words(_language(row)) if topic in book.topics else None
    return {
        "customer": content.get("customer") or {},
        "group": content.get("group") or {},
        "event": content.get("event") or {},
        "events": content.get("events") or [],
        "data": content.get("data") or {},
        "content": content.get("item") or {},
        "campaign": {"name": row.campaign, "version": content.get("version"), "arm": content.get("arm")},
        "topic": {"name": topic, "says": says},
        "links": {
            **_elsewhere(row, book, links),
            "unsubscribe": _unsubscribe(row, links),
            "preferences": _preferences(row, links),
            "confirm": _confirm(row, links),
            "images": f"{links.base.rstrip('/')}/i/",
        },
        "now": moment(at).isoformat(),
    }


def _elsewhere(row: OutboxRow, book: Book, links: Links) -> dict[str, JSON]:
    """By name, the links at which people may tell us what they did in a place elsewhere."""
    return {name: links.url(Report(row.subject, one, name, row.message)) for name, one in book.links.items()}


def _unsubscribe(row: OutboxRow, links: Links) -> str | None:
    """None for what a person's own action called for: transactional messages and the confirmation."""
    topic = row.content.get("topic")
    if not topic or row.content.get("transactional") or row.template == CONFIRM.name:
        return None
    return links.url(Unsubscribe(row.subject, topic, row.channel, row.message))


def _preferences(row: OutboxRow, links: Links) -> str:
    return links.url(Preferences(row.subject, row.channel, row.message))


def _language(row: OutboxRow) -> str:
    return language(row.content.get("customer") or {})


def _confirm(row: OutboxRow, links: Links) -> str | None:
    if row.template != CONFIRM.name:
        return None
    return links.url(Confirm(row.subject, str(row.content.get("topic") or ""), row.channel, row.message))
