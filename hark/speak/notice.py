"""What a push says on a screen: title, words, where it leads; small enough for every push service."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hark.speak.contract import Job

LONGEST = 3_000
"""Bytes of all of it: web push takes 3,993, FCM and APNs 4,096, with what is around it."""
LONGEST_TEXT = 1_000


class Notice(Struct, frozen=True):
    """As devices get it; `message` is our id, by which one that is repeated replaces itself."""

    message: str
    title: str
    body: str
    url: str


def notice(job: Job) -> Notice:
    """What the message says, its text cut to what is shown."""
    said = job.said
    text = said.text.strip()
    body = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    found = Notice(job.envelope.message, said.subject, body, said.url)
    while len(msgspec.json.encode(found)) > LONGEST and body:
        body = body[: len(body) * 3 // 4]
        found = Notice(job.envelope.message, said.subject[:300], body, said.url)
    return found


def lasts_s(job: Job, longest_s: int) -> int:
    """How long the service keeps it for a device that is away."""
    expires = job.envelope.expires_at
    return longest_s if expires is None else max(0, min(longest_s, (expires - job.envelope.at) // 1_000_000))
