"""Whether a link was followed, or a picture fetched, by a person or by a machine.

Mail is read by machines before people: gateways follow every link to look for malware, mail programs fetch
pictures ahead. What they do is never the customer's. All requests of one message that came close together are
judged together, since much of what tells a machine is seen only beside the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hark.model import SECOND, Instant

HIDDEN = -1
"""The place of a link that no person can see."""
TOGETHER_US = 3 * SECOND
"""Different links that one address follows within this time are followed by a machine."""
MANY = 3
SOON_US = 2 * SECOND
"""Nobody has read a message so soon after it was handed over."""


class Machine(StrEnum):
    """What told that it was a machine."""

    METHOD = "method"
    PREFETCH = "prefetch"
    AGENT = "agent"
    TOO_SOON = "too_soon"
    HIDDEN_LINK = "hidden_link"
    ALL_AT_ONCE = "all_at_once"


class Asked(Struct, frozen=True):
    """One request for a link (`place`: which one of the message) or for the picture (None)."""

    at: Instant
    agent: str
    place: int | None = 0
    method: str = "GET"
    headers: Mapping[str, str] = {}
    """In small letters."""
    address: str = ""


_ROBOTS = re.compile(
    # Those that call themselves robots, previews or scanners.
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|validator|checker|fetcher|archiver|headless|phantomjs"
    r"|facebookexternalhit|whatsapp|skypeuripreview|slack-imgproxy|embedly|bitlybot|vkshare|pingdom|lighthouse"
    # Security gateways that name themselves.
    r"|barracuda|mimecast|proofpoint|urldefense|trendmicro|symantec|messagelabs|sophos|fortinet|forcepoint"
    r"|zscaler|cloudmark|ironport|fireeye|trustwave|bitdefender|avast|kaspersky|safelinks|mailguard|vade"
    # Libraries and tools.
    r"|^(curl|wget|python|go-http|java|okhttp|apache|libwww|lwp|ruby|php|node|axios|got|guzzle|aiohttp|httpx)"
    r"|httpclient|http_client|winhttp|powershell|postman|scrapy|dataprovider|nutch",
    re.IGNORECASE,
)
_BARE = frozenset(("", "-", "Mozilla", "Mozilla/4.0", "Mozilla/5.0"))
"""Agents of no browser: Apple's mail privacy protection fetches pictures as plain "Mozilla/5.0"."""
_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
"""They fetch a picture when the person opens the message, and follow no links."""
_AHEAD = ("purpose", "x-purpose", "sec-purpose", "x-moz")


def machines(asked: Sequence[Asked], handed_over: Instant | None) -> list[Machine | None]:
    """What tells that each request was a machine's; None: it may count as the person's."""
    trapped = {_origin(one) for one in asked if one.place == HIDDEN}
    return [
        Machine.HIDDEN_LINK
        if one.place == HIDDEN or _origin(one) in trapped
        else _alone(one, handed_over) or _among(one, asked)
        for one in asked
    ]


def _alone(one: Asked, handed_over: Instant | None) -> Machine | None:
    """What a request tells by itself."""
    if one.method != "GET":
        return Machine.METHOD
    if any(re.search("prefetch|preview|prerender", one.headers.get(name, "")) for name in _AHEAD):
        return Machine.PREFETCH
    proxied = one.place is None and _PROXIES.search(one.agent)
    if not proxied and (one.agent.strip() in _BARE or _ROBOTS.search(one.agent)):
        return Machine.AGENT
    if handed_over is not None and one.at - handed_over < SOON_US:
        return Machine.TOO_SOON
    return None


def _among(one: Asked, asked: Sequence[Asked]) -> Machine | None:
    """What it tells beside the others: nobody follows so many links in a moment."""
    near = {
        other.place
        for other in asked
        if other.place is not None
        and _origin(other) == _origin(one)
        and abs(other.at - one.at) <= TOGETHER_US
    }
    return Machine.ALL_AT_ONCE if one.place is not None and len(near) >= MANY else None


def _origin(one: Asked) -> tuple[str, str]:
    return one.address, one.agent
