"""The visible way out of a message: nobody is written to about nothing they could leave."""

from __future__ import annotations

from html import escape

from msgspec.structs import replace

from hark.speak.render import Rendered


def with_way_out(content: Rendered, unsubscribe: str | None) -> Rendered:
    """The message with an unsubscribe link in each part whose template has none (None: needs none)."""
    if unsubscribe is None:
        return content
    return replace(content, html=_html(content.html, unsubscribe), text=_text(content.text, unsubscribe))


def _text(text: str, url: str) -> str:
    return text if url in text else f"{text.rstrip()}\n\n-- \nUnsubscribe: {url}\n"


def _html(html: str | None, url: str) -> str | None:
    href = escape(url)
    if html is None or href in html:
        return html
    footer = (
        '<p style="margin:24px 16px;text-align:center;font:12px/1.5 sans-serif;color:#767676">'
        f'<a href="{href}" style="color:#767676">Unsubscribe</a></p>'
    )
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{footer}{body_end}{after}" if body_end else html + footer
