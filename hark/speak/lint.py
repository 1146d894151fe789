"""What a message may suffer from before anybody opens it: what filters and mail programs mind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import Struct

from hark.speak.render import Rendered

CLIPPED_BYTES = 102_000
"""Gmail shows no more of a message."""
LONG_SUBJECT = 70
SHORTENERS = frozenset({"bit.ly", "t.co", "goo.gl", "tinyurl.com", "ow.ly", "is.gd", "buff.ly", "rb.gy"})
_ANCHOR = re.compile(r'<a\b[^>]*?\shref="([^"]*)"[^>]*>(.*?)</a>', re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")
_HOST = re.compile(r"(?:https?://)?([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)


class Finding(Struct, frozen=True):
    """One thing to look at."""

    name: str
    says: str


def lint(said: Rendered, leaves: str | None) -> list[Finding]:
    """All that was found, in the order in which a reader meets it; `leaves` is the way out's address, None
    where a message needs none."""
    html = said.html or ""
    found = [*_subject(said.subject), *_size(html), *_parts(said, leaves), *_links(html), *_images(html)]
    return list(dict.fromkeys(found))


def _subject(subject: str) -> Iterator[Finding]:
    if len(subject) > LONG_SUBJECT:
        yield Finding(
            "long_subject", f"the subject has {len(subject)} characters; most programs show {LONG_SUBJECT}"
        )
    letters = [one for one in subject if one.isalpha()]
    if len(letters) > 6 and all(one.isupper() for one in letters):
        yield Finding("shouting", "the subject is all capitals")
    if re.search(r"!!|\?\?|\$\$", subject):
        yield Finding("marks", "the subject has its marks more than once")


def _size(html: str) -> Iterator[Finding]:
    size = len(html.encode())
    if size > CLIPPED_BYTES:
        yield Finding("clipped", f"the HTML has {size:,} bytes; Gmail cuts it at {CLIPPED_BYTES:,}")


def _parts(said: Rendered, leaves: str | None) -> Iterator[Finding]:
    if not said.text.strip():
        yield Finding("no_text", "there is no plain text part")
    if leaves is not None and leaves not in said.text:
        yield Finding("no_way_out", "the plain text part has no link to leave")
    words = _TAG.sub(" ", re.sub(r"<(style|head)\b.*?</\1>", " ", said.html or "", flags=re.DOTALL)).split()
    if said.html and len(words) < 10 and _IMAGE.search(said.html):
        yield Finding("only_pictures", "almost everything is in pictures, which many programs do not load")


def _links(html: str) -> Iterator[Finding]:
    for href, inside in _ANCHOR.findall(html):
        if not href.strip() or href.startswith("#"):
            yield Finding("empty_link", "a link leads nowhere")
            continue
        host = (urlsplit(href).hostname or "").lower()
        if href.startswith("http:"):
            yield Finding("http", f"{host} is linked without encryption: write https")
        if re.fullmatch(r"[\d.]+", host):
            yield Finding("numeric_link", f"a link leads to {host}, an address without a name")
        if host in SHORTENERS:
            yield Finding("shortener", f"{host} hides where a link leads, as spammers do")
        shown = _HOST.fullmatch(_TAG.sub("", inside).strip())
        if shown and host and not _same_site(shown[1].lower(), host):
            yield Finding("other_place", f"a link says {shown[1]} and leads to {host}")


def _same_site(one: str, other: str) -> bool:
    return one.removeprefix("www.") == other.removeprefix("www.")


def _images(html: str) -> Iterator[Finding]:
    for image in _IMAGE.findall(html):
        if not re.search(r"\salt\s*=", image, re.IGNORECASE):
            yield Finding("no_alt", "a picture has no words for whoever does not see it (alt)")
        if re.search(r'\ssrc\s*=\s*"http:', image, re.IGNORECASE):
            yield Finding("http_picture", "a picture comes without encryption: write https")
