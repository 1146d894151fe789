"""One address for one page, however it was reached: what texts are known by.

After RFC 3986, section 6.2 (case, percent-encoding, default ports), and beyond it, for people: `www.`, http
or https, a slash at the end, an index file, the fragment and parameters that only say where somebody came
from make no other page. Other parameters do (`?p=12`), in whatever order.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote_to_bytes, urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from hark.model import JSON

TRACKING = re.compile(
    r"utm_.*|hsa_.*|mtm_.*|pk_.*|matomo_.*|_hs.*|mc_[ce]id|__hs.*|oly_.*|vero_.*|ml_subscriber.*"
    r"|[a-z]*clid|gbraid|wbraid|gad_.*|_gl|_ga|igsh(id)?|si|s_cid|ref|ref_src|referrer|cmpid|trk"
    r"|phpsessid|jsessionid|sessionid",
    re.IGNORECASE,
)
"""Parameters that say where somebody came from, or who they are, and nothing about the page."""
_INDEX = re.compile(r"/(index|default)\.(html?|php|aspx?|jsp)$", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_KEPT = "/~:@!$&'()*+,;="
"""What stands in a path as it is (RFC 3986, 3.3)."""


class _Told(Struct):
    """What of an event's properties says which text it is about."""

    content: JSON = None
    url: JSON = None
    path: JSON = None
    title: JSON = None


@lru_cache(maxsize=4096)
def canonical(address: str) -> str:
    """The one form of a web address ("shop.example/guides/size?p=2"), of a path ("/guides/size"); any other
    text is a name and stays as it is."""
    text = address.strip()
    if not re.match(r"(https?:)?//|/", text, re.IGNORECASE):
        return text
    try:
        parts = urlsplit(text)
        host = _host(parts)
    except ValueError:
        return text
    query = urlencode(sorted(_telling(parts.query)))
    return host + _path(parts.path) + (f"?{query}" if query else "")


def path_of(address: str) -> str:
    """The canonical path of a web address, without its host."""
    whole = canonical(address)
    return whole[whole.find("/") :] if "/" in whole else whole


def cleaned(url: str) -> str:
    """A web address as somebody may follow it: as it was, without fragment and parameters of tracking."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(_telling(parts.query)), ""))


def known_as(properties: bytes, at: str = "") -> tuple[str, ...]:
    """What the text of an event (`Content Read`, `Time Spent`, `Worth It`) is known by: its address where one
    is told (else `at`), and its name. A path alone counts where no address says on which site it is."""
    try:
        told = msgspec.json.decode(properties, type=_Told)
    except msgspec.DecodeError:
        return ()
    url = canonical(told.url if isinstance(told.url, str) else at)
    named = next(
        (one for one in (told.content, told.path, told.title) if isinstance(one, str) and one.strip()), ""
    )
    name = "" if url and named.startswith("/") else canonical(named)
    return tuple(dict.fromkeys(filter(None, (url, name))))


def _telling(query: str) -> list[tuple[str, str]]:
    """The parameters that say which page it is."""
    return [one for one in parse_qsl(query, keep_blank_values=True) if not TRACKING.fullmatch(one[0])]


def _host(parts: SplitResult) -> str:
    """Host and port, in the form in which browsers tell them; "" of a path."""
    name = (parts.hostname or "").rstrip(".").removeprefix("www.")
    with suppress(UnicodeError):  # no name of the DNS is still the same as itself
        name = name.encode("idna").decode()
    port = parts.port
    return name if port in (None, _PORTS.get(parts.scheme or "https")) else f"{name}:{port}"


def _path(path: str) -> str:
    plain = re.sub(r"/{2,}", "/", quote(unquote_to_bytes(path), safe=_KEPT))
    return _INDEX.sub("", plain).rstrip("/") or "/"
