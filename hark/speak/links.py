"""Signed links: a token says who asked for what, and nobody else can make one.

    token = key id "." base64url(msgpack payload) "." base64url(first 16 bytes of HMAC-SHA256)

The HMAC covers the key id, the purpose and the payload. A link does nothing when it is fetched (mail
scanners fetch every link); only a POST acts.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import ClassVar, TypeAlias

import msgspec
from msgspec import Struct

UNSUBSCRIBE_PATH = "/u/"
CONFIRM_PATH = "/c/"
REPORT_PATH = "/r/"
PREFERENCES_PATH = "/p/"
CLICK_PATH = "/k/"
OPEN_PATH = "/o/"
SURVEY_PATH = "/s/"
WORTH_PATH = "/w/"
TAG_BYTES = 16
LONGEST = 1_000


class Key(Struct, frozen=True):
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.id!r}, ...)"


class Unsubscribe(Struct, frozen=True, tag="u", array_like=True):
    """The subject leaves a topic on a channel; `message` is what they were reading."""

    subject: int
    topic: str
    channel: str
    message: str
    path: ClassVar[str] = UNSUBSCRIBE_PATH


class Confirm(Struct, frozen=True, tag="c", array_like=True):
    """The subject confirms a subscription they asked for."""

    subject: int
    topic: str
    channel: str
    message: str
    path: ClassVar[str] = CONFIRM_PATH


class Report(Struct, frozen=True, tag="r", array_like=True):
    """The subject may tell us what they did elsewhere: the link `name` of the source's document."""

    subject: int
    source: str
    name: str
    message: str
    path: ClassVar[str] = REPORT_PATH


class Preferences(Struct, frozen=True, tag="p", array_like=True):
    """The subject chooses what to get; `message` is what they were reading."""

    subject: int
    channel: str
    message: str
    path: ClassVar[str] = PREFERENCES_PATH


class Click(Struct, frozen=True, tag="k", array_like=True):
    """The subject follows a link of the message, the `place`th of it, to `url`."""

    subject: int
    message: str
    place: int
    url: str
    path: ClassVar[str] = CLICK_PATH


class Open(Struct, frozen=True, tag="o", array_like=True):
    """The message's picture is fetched."""

    subject: int
    message: str
    path: ClassVar[str] = OPEN_PATH


class SurveyLink(Struct, frozen=True, tag="s", array_like=True):
    """The subject answers a survey; `choice` is the answer that the link stands for, "" for none yet."""

    subject: int
    survey: str
    message: str
    choice: str
    path: ClassVar[str] = SURVEY_PATH


class WorthLink(Struct, frozen=True, tag="w", array_like=True):
    """The subject says whether the message was worth their time: `choice` is "yes" or "no"."""

    subject: int
    message: str
    choice: str
    path: ClassVar[str] = WORTH_PATH


Link: TypeAlias = Unsubscribe | Confirm | Report | Preferences | Click | Open | SurveyLink | WorthLink
_DECODER: msgspec.msgpack.Decoder[Link] = msgspec.msgpack.Decoder(Link)


class Links(Struct, frozen=True):
    """Makes and reads links under one public address, for example "https://hark.example"."""

    base: str
    keys: tuple[Key, ...]

    def url(self, link: Link) -> str:
        return f"{self.base.rstrip('/')}{link.path}{self.token(link)}"

    def token(self, link: Link) -> str:
        """The token of a link, URL-safe as it is; the same link and key give the same token."""
        payload = msgspec.msgpack.encode(link)
        key = self.keys[-1]
        return f"{key.id}.{_text(payload)}.{_text(_tag(key, payload))}"

    def read(self, token: str) -> Link | None:
        """What a token says; None if it was not made with one of our keys."""
        try:
            key_id, payload_text, tag_text = token[:LONGEST].split(".")
            payload, tag = _bytes(payload_text), _bytes(tag_text)
            key = next(key for key in self.keys if key.id == key_id)
        except (ValueError, StopIteration):
            return None
        return _DECODER.decode(payload) if hmac.compare_digest(tag, _tag(key, payload)) else None


def _tag(key: Key, payload: bytes) -> bytes:
    signed = b"hark link\x00" + key.id.encode() + b"\x00" + payload
    return hmac.digest(key.secret.encode(), signed, "sha256")[:TAG_BYTES]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(data) != text:
        raise ValueError("not canonical base64url")
    return data
