"""What an inbox holds: a customer's messages in the app, less those that are over, unwanted or put away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from hark.model import DAY, JSON, Instant
from hark.store.contracts import OutboxRow

KEPT_US = 90 * DAY
"""How long a message without an end of its own stays."""
MOST = 50
SHOWN, OPENED, CLICKED, DISMISSED = "shown", "opened", "clicked", "dismissed"
ANSWERED = "answered"
HANDLINGS = (SHOWN, OPENED, CLICKED, DISMISSED)


class Entry(Struct, frozen=True):
    """One message as its reader gets it."""

    id: str
    title: str
    text: str
    url: str
    """Where it leads; "" for nowhere."""
    action: str
    """What its button says."""
    banner: bool
    """It is to be shown by itself: nobody has seen it yet, on any device."""
    unread: bool
    sent_at: Instant
    expires_at: Instant | None
    survey: JSON = None
    """{"name", "asks", "low", "high", "answers": [{"value", "label"}], "takes_text"} where it asks one."""
    answered: bool = False


class Inbox(Struct, frozen=True):
    """All of it, the newest first."""

    messages: tuple[Entry, ...]
    unread: int
    preferences: str = ""
    """Where the customer chooses what to get."""


def inbox(
    rows: Iterable[OutboxRow],
    handled: Mapping[str, frozenset[str]],
    wanted: Callable[[str], bool],
    now: Instant,
) -> Inbox:
    """`handled`: by message, what was done with it; `wanted`: whether the customer still wants to hear of a
    topic by this channel."""
    entries = [
        _entry(row, handled.get(row.message, frozenset()))
        for row in rows
        if holds(row, now) and _welcome(row, wanted)
    ]
    kept = tuple(one for one in entries if DISMISSED not in handled.get(one.id, ()))[:MOST]
    return Inbox(kept, sum(one.unread for one in kept))


def holds(row: OutboxRow, now: Instant) -> bool:
    """Whether it is a message in the app, handed over and not over yet."""
    expires = row.content.get("expires")
    here = row.channel == "in_app" and row.state in ("sent", "delivered") and "said" in row.content
    return here and now < (row.updated_at + KEPT_US if expires is None else expires)


def _welcome(row: OutboxRow, wanted: Callable[[str], bool]) -> bool:
    topic = row.content.get("topic") or ""
    return bool(row.content.get("transactional")) or not topic or wanted(topic)


def _entry(row: OutboxRow, done: frozenset[str]) -> Entry:
    said: Mapping[str, Any] = row.content["said"]
    return Entry(
        row.message,
        said["title"],
        said["text"],
        said["url"],
        said["action"],
        banner=said["show"] == "banner" and not done,
        unread=not done & {OPENED, CLICKED, ANSWERED},
        sent_at=row.updated_at,
        expires_at=row.content.get("expires"),
        survey=said.get("survey"),
        answered=ANSWERED in done,
    )
