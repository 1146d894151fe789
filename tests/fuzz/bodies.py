"""Bodies as clients send them, and what may become of them on their way."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.collect.endpoints import ENDPOINTS

Mutation: TypeAlias = Callable[[bytes, random.Random], bytes]

HUGE = ("1e999", "-1e400", "9" * 400, "1E+2147483648", "0." + "1" * 300, "-0", "NaN", "Infinity", "1e-999")
WORDS = (
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"true",
    b"-1",
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff\xfe",
    b'"\xc3\x28"',
    b"\x00",
)
ENCODINGS = ("gzip", "deflate", "GZIP", "identity", "br", "gzip, gzip", "\x80")
TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
    "application/xml; charset=x",
)
KEYS = ("wk_web", "sk_web", "wk_guarded", "wk_strict", "wk_old", "nobody", "", ":", "=" * 40)

LIBRARY = {"library": {"name": "analytics-python", "version": "2.3.5"}}
SEGMENT = {
    "batch": [
        {
            "type": "identify",
            "userId": "019mr8mf4r",
            "traits": {"name": "Żółć 🌱", "n": 3},
            "messageId": "a-1",
        },
        {
            "type": "track",
            "event": "Order Completed",
            "userId": 7,
            "messageId": "a-2",
            "context": LIBRARY,
            "properties": {
                "products": [{"id": 1, "tags": ["a", None, {"deep": {"er": [1.5]}}]}],
                "revenue": 1e3,
            },
            "timestamp": "2026-01-02T03:04:05.678+02:00",
        },
        {"type": "group", "groupId": "acme", "anonymousId": "x", "traits": {"plan": "pro"}},
        {"type": "alias", "previousId": "x", "userId": "y"},
    ],
    "sentAt": "2026-01-02T03:04:06Z",
    "writeKey": "wk_web",
}
BROWSER: dict[str, Any] = {
    "timestamp": "2026-01-02T03:04:05.678Z",
    "integrations": {},
    "anonymousId": "d1b2",
    "type": "page",
    "context": {"page": {"url": "http://localhost/?q=%20", "title": "Ünïcode"}, "userAgent": "Mozilla/5.0"},
    "messageId": "ajs-next-1",
    "writeKey": "wk_web",
    "sentAt": "2026-01-02T03:04:05.700Z",
    "userId": None,
    "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
}
POSTHOG = {
    "api_key": "wk_web",
    "historical_migration": False,
    "batch": [
        {
            "event": "$identify",
            "distinct_id": "u",
            "properties": {"$anon_distinct_id": "a", "$set": {"p": 1}},
        },
        {
            "event": "$groupidentify",
            "distinct_id": "u",
            "properties": {"$group_type": "co", "$group_key": "c"},
        },
        {"event": "e", "distinct_id": "u", "properties": {"$lib": "posthog-python"}, "uuid": "0190-aa"},
    ],
}


@dataclass(frozen=True)
class Sent:
    """One request: what goes over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def wire(self) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        first = f"{self.method} {self.path} HTTP/1.1\r\nHost: hark\r\nContent-Length: {len(self.body)}\r\n"
        return f"{first}{head}\r\n".encode("latin-1") + self.body


def flip(body: bytes, chance: random.Random) -> bytes:
    content = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def truncate(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def splice(body: bytes, chance: random.Random) -> bytes:
    """A piece of another body in the middle."""
    other, at = chance.choice(CORPUS).body, chance.randrange(len(body))
    start = chance.randrange(len(other))
    return body[:at] + other[start : start + chance.randint(1, 60)] + body[at:]


def deepen(body: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((10, 63, 64, 65, 200, 5_000))
    inside = b"[" * depth + b"]" * depth if chance.random() < 0.5 else b'{"a":' * depth + b"1" + b"}" * depth
    return body[:-1] + b',"properties":' + inside + b"}"


def enlarge(body: bytes, chance: random.Random) -> bytes:
    return body[:-1] + b',"properties":{"n":' + chance.choice(HUGE).encode() + b"}}"


def replace(body: bytes, chance: random.Random) -> bytes:
    """A word in the place of some bytes."""
    at = chance.randrange(len(body))
    return body[:at] + chance.choice(WORDS) + body[at + chance.randint(0, 8) :]


def repeat(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + body[at : at + 20] * chance.randint(2, 30) + body[at:]


def same(body: bytes, _: random.Random) -> bytes:
    return body


MUTATIONS: Sequence[Mutation] = (flip, truncate, splice, deepen, enlarge, replace, repeat, same)


def damaged_gzip(body: bytes, chance: random.Random) -> bytes:
    """Packed, and then cut, flipped, followed by rubbish, or a bomb."""
    packed = chance.choice((gzip.compress, zlib.compress))(body, 1)
    if chance.random() < 0.02:
        return gzip.compress(b" " * (4 << 20), 9)
    return chance.choice((same, flip, truncate, lambda found, _: found + b"\x00" * 20))(packed, chance)


def mutated(chance: random.Random) -> Sent:
    """One request of the corpus, changed once or several times, its headers maybe too."""
    sent = chance.choice(CORPUS)
    body = sent.body or b"{}"
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        body = chance.choice(MUTATIONS)(body, chance) or b"{"
    headers = dict(sent.headers)
    if chance.random() < 0.15:
        body = damaged_gzip(body, chance)
        headers["Content-Encoding"] = "gzip"
    if chance.random() < 0.15:
        headers["Content-Encoding"] = chance.choice(ENCODINGS)
    if chance.random() < 0.15:
        headers["Content-Type"] = chance.choice(TYPES)
    if chance.random() < 0.15:
        headers["Authorization"] = chance.choice(("Basic ", "Bearer ", "basic", "")) + chance.choice(KEYS)
    return Sent(sent.method, sent.path, tuple(headers.items()), body)


def _corpus() -> list[Sent]:
    basic = {key: "Basic " + _base64(f"{key}:") for key in KEYS}
    plain = (("Content-Type", "application/json"),)
    found = [
        Sent(one.method, one.path, (*plain, ("Authorization", basic[one.key])), json.dumps(one.body).encode())
        for one in ENDPOINTS
    ]
    for path, body in (("/v1/batch", SEGMENT), ("/v1/p", BROWSER), ("/batch/", POSTHOG)):
        found.append(Sent("POST", path, plain, json.dumps(body, ensure_ascii=False).encode()))
    found.append(
        Sent("POST", "/hooks/web", plain, json.dumps({"type": "charge", "data": {"a": [1]}}).encode())
    )
    return found


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


CORPUS = _corpus()
