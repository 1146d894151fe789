"""Reply addresses: a mail's own, so that who answers needs no other name.

    local part = "r" base32(message's 16 bytes, first 10 bytes of HMAC-SHA256), in small letters

Mail systems may change the case of a local part, and take 64 characters; therefore base32 and no key id: a
reply is tried with every key. Nothing of the customer stands in it.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable, Sequence

from hark.speak.links import Key

TAG_BYTES = 10
_TOKEN = re.compile(r"(?:[^+@\s]+\+)?r([a-z2-7]{42})@", re.IGNORECASE)
_PADDING = "=" * 6


def reply_token(key: Key, message: str) -> str:
    """The token of a message's id (32 hexadecimal digits)."""
    given = bytes.fromhex(message)
    return "r" + b32encode(given + _tag(key, given)).decode().rstrip("=").lower()


def reply_address(where: str, token: str) -> str:
    """`where` is a domain of our own ("reply.shop.example": every address there reaches us), or a mailbox
    that takes what is added behind a plus ("team@shop.example"). "" where either is missing."""
    if not (where and token):
        return ""
    user, at, domain = where.rpartition("@")
    return f"{user}+{token}@{domain}" if at else f"{token}@{domain}"


def answered(keys: Sequence[Key], addresses: Iterable[str]) -> str:
    """The id of the message whose own address is among these; "" if none was made with one of our keys."""
    found = (_read(keys, one[1]) for text in addresses for one in _TOKEN.finditer(text))
    return next(filter(None, found), "")


def _read(keys: Sequence[Key], text: str) -> str:
    raw = b32decode(text.upper() + _PADDING)
    given, tag = raw[:16], raw[16:]
    mine = any(hmac.compare_digest(tag, _tag(key, given)) for key in keys)
    return given.hex() if mine else ""


def _tag(key: Key, message: bytes) -> bytes:
    signed = b"hark reply\x00" + key.id.encode() + b"\x00" + message
    return hmac.digest(key.secret.encode(), signed, "sha256")[:TAG_BYTES]
