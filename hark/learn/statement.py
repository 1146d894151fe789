"""What engagement is here, on one page that can be attached to a contract: words, counts, dates, a signature.

Signed with Ed25519 (RFC 8032), so that whoever has the workspace's public key can tell that not a letter was
changed since, without any secret of the workspace.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from hark.clock import moment
from hark.errors import HarkError
from hark.model import JSON, Instant

INFO = b"hark engagement statement"
_LINE = re.compile(r"Signed: ed25519 ([A-Za-z0-9+/]{43}=) ([A-Za-z0-9+/]{86}==)\n?")
WIDTH = 22


class Signed(Struct, frozen=True):
    """A statement that is as it was signed."""

    text: str
    """Without the line of the signature."""
    key: str
    """The public key, in base64, by which it is proven."""


def statement(answer: Mapping[str, Any], issued: Instant) -> str:
    """The page, unsigned: from the answer of the question `engagement`, as of the answer's instant."""
    return (
        "\n".join([*_head(answer, issued), "", *_levels(answer), "", *_weeks(answer), "", *_foot(answer)])
        + "\n"
    )


def _head(answer: Mapping[str, Any], issued: Instant) -> Iterator[str]:
    yield f"ENGAGEMENT STATEMENT: {answer['definition']}"
    yield ""
    if answer["says"]:
        yield answer["says"]
        yield ""
    since = f"version {answer['version']}, in force since {when(answer['since'])}"
    yield _pair("Definition", since + (f", by {answer['author']}" if answer["author"] else ""))
    yield _pair("Counted as of", when(answer["at"]))
    yield _pair("Issued", when(issued))
    yield _pair("Customers", f"{answer['customers']:,}, our own people left out")


def _levels(answer: Mapping[str, Any]) -> Iterator[str]:
    rule = "counts only with those below it" if answer["ladder"] else "stands by itself; the strongest counts"
    yield f"Levels, from strong to weak. A level {rule}."
    for one in reversed(answer["levels"]):
        yield _pair(one["level"] or "below all levels", f"{one['customers']:,} ({one['share']:.1%})")
        if one["says"]:
            yield f"    Customers who {one['says']}."
        if one["events"]:
            yield f"    As a sign of staying: {'; '.join(map(_graded, one['events']))}."


def _graded(one: Mapping[str, Any]) -> str:
    """ "Content Read weak since 2026-02-11"."""
    grade = "not known yet" if one["grade"] == "too few" else one["grade"]
    return f"{one['event']} {grade}{' since ' + one['since'] if one['since'] else ''}"


def _weeks(answer: Mapping[str, Any]) -> Iterator[str]:
    yield "At the end of each week before, from weak to strong:"
    yield _pair("", "  ".join(one["level"] or "below" for one in answer["levels"]))
    for one in answer["over_time"]:
        yield _pair(f"{moment(one['at']):%Y-%m-%d}", "  ".join(f"{n:,}" for n in one["customers"]))


def _foot(answer: Mapping[str, Any]) -> Iterator[str]:
    yield _pair("Definition's SHA-256", answer["fingerprint"])
    yield "Counted from the events with a time up to the moment named, by the rules above and nothing else."


def _pair(name: str, value: str) -> str:
    return f"{name:<{WIDTH}}{value}"


def when(at: Instant) -> str:
    """ "2026-03-01 09:00 UTC"."""
    return f"{moment(at):%Y-%m-%d %H:%M} UTC"


def fingerprint(body: JSON) -> str:
    """SHA-256 of a document's body as JSON with sorted keys: the same for the same definition."""
    return sha256(msgspec.json.encode(body, order="sorted")).hexdigest()


def signed(text: str, secret: str) -> str:
    """The text with the line that proves it, by a key that follows from a secret of the workspace."""
    key = _private(secret)
    signature = b64encode(key.sign(text.encode())).decode()
    return f"{text}Signed: ed25519 {_written(key.public_key())} {signature}\n"


def public_key(secret: str) -> str:
    """The public key in base64, to give to whom statements are given."""
    return _written(_private(secret).public_key())


def verified(text: str) -> Signed:
    """The statement, as it was signed. Raises HarkError `statement.unsigned`, `statement.changed`."""
    body, _, line = text.replace("\r\n", "\n").rstrip("\n").rpartition("\n")
    found = _LINE.fullmatch(line)
    if not found:
        hint = "the last line of a statement begins with Signed:"
        raise HarkError("this has no signature", hint, "statement.unsigned")
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(found[1]))
        key.verify(b64decode(found[2]), f"{body}\n".encode())
    except (InvalidSignature, ValueError):
        hint = "ask for the original; each letter and blank counts"
        raise HarkError("the statement is not as it was signed", hint, "statement.changed") from None
    return Signed(f"{body}\n", found[1])


def _private(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(SHA256(), 32, salt=None, info=INFO).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _written(key: Ed25519PublicKey) -> str:
    return b64encode(key.public_bytes_raw()).decode()
