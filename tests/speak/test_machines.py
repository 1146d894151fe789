"""People and machines at a message's links: request patterns with their labels, and where each was described.

Sources: [mpp] Apple, "Mail Privacy Protection & IP"; [gip] Google, "Image proxy" of Gmail; [ymp] Yahoo,
"Image proxy"; [sl] Microsoft, "Safe Links in Defender for Office 365"; [bar] Barracuda, "Link protection";
[mim] Mimecast, "URL protect"; [pp] Proofpoint, "URL Defense"; [fetch] WHATWG and W3C, "Sec-Purpose" and
"Purpose: prefetch"; [moz] MDN, "X-moz: prefetch"; [ua] the agents that each program documents for itself;
[bi] browsers' own agents.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from hark.model import HOUR, MINUTE, SECOND
from hark.speak.machines import HIDDEN, MANY, Asked, machines

SENT = 1_767_225_600 * SECOND
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/140.0.0.0 Safari/537.36"
SAFARI = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/18.0 Safari/605.1.15"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {APPLE} Mobile/15E148"
ANDROID = f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {KIT} Chrome/140.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
EDGE = CHROME + " Edg/140.0.0.0"
OUTLOOK = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0)"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"
SAMSUNG = ANDROID.replace("Chrome", "SamsungBrowser/27.0 Chrome")
INSTAGRAM = IPHONE + " Instagram 390.0.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


class Pattern(NamedTuple):
    """Requests of one message, and whether a person made the first of them."""

    name: str
    source: str
    person: bool
    asked: tuple[Asked, ...]


def one(agent: str, after_us: int = HOUR, **more: object) -> Asked:
    return Asked(SENT + after_us, agent, address="192.0.2.1", **more)  # type: ignore[arg-type]


def many(agent: str, links: int, apart_us: int, after_us: int = HOUR) -> tuple[Asked, ...]:
    return tuple(one(agent, after_us + place * apart_us, place=place) for place in range(links))


def person(name: str, agent: str, source: str = "bi", **more: object) -> Pattern:
    return Pattern(name, source, True, (one(agent, **more),))  # type: ignore[arg-type]


def machine(name: str, agent: str, source: str = "ua", **more: object) -> Pattern:
    return Pattern(name, source, False, (one(agent, **more),))  # type: ignore[arg-type]


PATTERNS = [
    person("Chrome on Windows", CHROME),
    person("Safari on a Mac", SAFARI),
    person("Mail on an iPhone", IPHONE),
    person("Chrome on Android", ANDROID),
    person("Firefox", FIREFOX),
    person("Edge", EDGE),
    person("Outlook's own window", OUTLOOK),
    person("Thunderbird", THUNDERBIRD),
    person("Samsung's browser", SAMSUNG),
    person("a browser within an app", INSTAGRAM),
    person("a quick reader, twenty seconds on", CHROME, after_us=20 * SECOND),
    person("a week later", SAFARI, after_us=7 * 24 * HOUR),
    person("picture by Gmail's proxy, on opening", GMAIL, "gip", place=None),
    person("picture by Yahoo's proxy, on opening", YAHOO, "ymp", place=None),
    person("picture in Thunderbird", THUNDERBIRD, place=None),
    Pattern("two links within a second", "bi", True, many(CHROME, 2, SECOND)),
    Pattern("every link, a minute apart", "bi", True, many(FIREFOX, 6, MINUTE)),
    Pattern("the same link three times", "bi", True, tuple(one(CHROME, HOUR + n * SECOND) for n in range(3))),
    machine("Apple's privacy protection", "Mozilla/5.0", "mpp", place=None),
    machine("a picture the moment it arrives", CHROME, "sl", place=None, after_us=SECOND // 2),
    machine("a gateway one second on", EDGE, "sl", after_us=SECOND),
    machine("HEAD before GET", CHROME, "bar", method="HEAD"),
    machine("POST to a link", CHROME, "mim", method="POST"),
    machine("Barracuda", "BarracudaCentral/2.0 (Sentinel)", "bar"),
    machine("Mimecast", "Mozilla/5.0 (compatible; Mimecast URL Protect)", "mim"),
    machine("Proofpoint", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", "pp"),
    machine("no agent at all", "", "sl"),
    machine("a dash", "-", "sl"),
    machine("a prefetching browser", CHROME, "fetch", headers={"sec-purpose": "prefetch;prerender"}),
    machine("an older prefetching browser", CHROME, "fetch", headers={"purpose": "prefetch"}),
    machine("Safari's preview", SAFARI, "fetch", headers={"x-purpose": "preview"}),
    machine("Firefox's prefetch", FIREFOX, "moz", headers={"x-moz": "prefetch"}),
    machine("Googlebot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    machine("bingbot", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
    machine("Facebook's preview", "facebookexternalhit/1.1"),
    machine("Slack's preview", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    machine("WhatsApp's preview", "WhatsApp/2.23.20.0"),
    machine("Skype's preview", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"),
    machine("curl", "curl/8.5.0"),
    machine("Python", "python-requests/2.32.3"),
    machine("Go", "Go-http-client/2.0"),
    machine("Java", "Java/17.0.2"),
    machine("Windows' library", "Mozilla/5.0 (Windows NT; WinHTTP.WinHttpRequest.5)"),
    machine("PowerShell", "Mozilla/5.0 (Windows NT; Windows NT 10.0) WindowsPowerShell/5.1"),
    machine("headless Chrome", CHROME.replace("Chrome", "HeadlessChrome")),
    Pattern("all links at once as a browser", "sl", False, many(CHROME, 8, SECOND // 10)),
    Pattern("three links in two seconds", "pp", False, many(EDGE, MANY, SECOND)),
    Pattern(
        "the hidden link, then a visible one", "sl", False, (one(CHROME, place=2), one(CHROME, place=HIDDEN))
    ),
    machine("the hidden link alone", SAFARI, "sl", place=HIDDEN),
]


def judged(pattern: Pattern) -> bool:
    """Whether a person is thought to have made the first request."""
    return machines(pattern.asked, SENT)[0] is None


def test_the_set_is_large_enough() -> None:
    """At least forty patterns, each with its own name, of both kinds."""
    assert len({one.name for one in PATTERNS}) == len(PATTERNS) >= 40
    assert sum(one.person for one in PATTERNS) >= 15


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if one.person], ids=lambda one: one.name)
def test_no_persons_click_is_lost(pattern: Pattern) -> None:
    """None of the clear ones is taken for a machine's."""
    assert judged(pattern)


def test_almost_all_are_sorted_right() -> None:
    """At least 95 of a hundred."""
    wrong = [one.name for one in PATTERNS if judged(one) != one.person]
    assert len(wrong) <= 0.05 * len(PATTERNS), wrong


def test_somebody_elses_gateway_takes_nothing_from_a_person() -> None:
    """A scanner's requests don't make those of another address a machine's."""
    scanner = [Asked(SENT + HOUR, EDGE, place, address="198.51.100.9") for place in range(9)]
    mine = one(CHROME, place=3)
    assert machines([*scanner, mine], SENT)[-1] is None
