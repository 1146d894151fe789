"""Links and the picture by which opens and clicks are heard of, where the workspace's policy says so.

Off by default: a click is a weak signal, and a message whose links go straight there is better. A tracked
link's target stands in its signed token, so that it leads nowhere that a message of ours did not.
"""

from __future__ import annotations

import re
from html import escape, unescape

from msgspec.structs import replace

from hark.speak.links import Click, Links, Open
from hark.speak.machines import HIDDEN
from hark.speak.render import Rendered

LONGEST_URL = 600
"""A longer target would not fit into a token; its link goes straight there."""
_ANCHOR = re.compile(r'(<a\b[^>]*?\shref=")(https?://[^"]+)(")', re.IGNORECASE)


def tracked(
    content: Rendered, links: Links, subject: int, message: str, *, opens: bool, clicks: bool
) -> Rendered:
    """The message with its links counted (but those to Hark itself) and with the picture at its end."""
    html = content.html
    if html is None or not (opens or clicks):
        return content
    if clicks:
        html = _at_the_end(_clicks(html, links, subject, message), _trap(links, subject, message))
    if opens:
        picture = escape(links.url(Open(subject, message)))
        html = _at_the_end(html, f'<img src="{picture}" width="1" height="1" alt="" style="border:0">')
    return replace(content, html=html)


def _clicks(html: str, links: Links, subject: int, message: str) -> str:
    places = iter(range(10_000))

    def counted(found: re.Match[str]) -> str:
        url = unescape(found[2])
        if url.startswith(links.base) or len(url.encode()) > LONGEST_URL:
            return found[0]
        return found[1] + escape(links.url(Click(subject, message, next(places), url))) + found[3]

    return _ANCHOR.sub(counted, html)


def _trap(links: Links, subject: int, message: str) -> str:
    """A link that no person can see or reach: who follows it is a machine."""
    url = escape(links.url(Click(subject, message, HIDDEN, links.base)))
    return f'<a href="{url}" tabindex="-1" aria-hidden="true" style="display:none"></a>'


def _at_the_end(html: str, what: str) -> str:
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{what}{body_end}{after}" if body_end else html + what
