"""The visible way out of a message: nobody is written to about nothing they could leave."""

from __future__ import annotations

from html import escape

from msgspec import Struct
from msgspec.structs import replace

from hark.speak.render import Rendered
from hark.speak.words import words


class WayOut(Struct, frozen=True):
    """Where a message's reader leaves, and where they choose what they get."""

    unsubscribe: str
    preferences: str
    language: str = "en"


def with_way_out(content: Rendered, out: WayOut | None) -> Rendered:
    """The message with the way out in each part whose template has no link to leave (None: needs none)."""
    if out is None:
        return content
    return replace(content, html=_html(content.html, out), text=_text(content.text, out))


def _text(text: str, out: WayOut) -> str:
    if out.unsubscribe in text:
        return text
    said = words(out.language)
    lines = (f"{said['unsubscribe']}: {out.unsubscribe}", f"{said['preferences']}: {out.preferences}")
    return f"{text.rstrip()}\n\n-- \n" + "\n".join(lines) + "\n"


def _html(html: str | None, out: WayOut) -> str | None:
    if html is None or escape(out.unsubscribe) in html:
        return html
    said = words(out.language)
    links = ((said["unsubscribe"], out.unsubscribe), (said["preferences"], out.preferences))
    shown = " · ".join(
        f'<a href="{escape(url)}" style="color:#767676">{escape(text)}</a>' for text, url in links
    )
    footer = (
        f'<p style="margin:24px 16px;text-align:center;font:12px/1.5 sans-serif;color:#767676">{shown}</p>'
    )
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{footer}{body_end}{after}" if body_end else html + footer
