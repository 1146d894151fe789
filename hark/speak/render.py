"""A template and plain data become the subject, HTML and text of a message, or a named reason not to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape
from typing import Literal, TypeAlias

import css_inline
import mrml
from liquid.exceptions import LiquidError, ResourceLimitError
from msgspec import Struct

from hark.definitions.types import Template
from hark.model import JSON
from hark.speak.parts import BrokenTemplateError, Parts, whole
from hark.speak.plain import plain, plain_source
from hark.speak.sandbox import MissingError, parsed, present, rendered

LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
WITHOUT_SUBJECT = frozenset({"sms", "chat", "webhook", "task", "in_app", "push", "web_push"})
"""Channels whose messages need none."""
PLACE = re.compile(
    r"(?!javascript:|data:|vbscript:|file:|blob:)[a-z][a-z0-9+.-]*://[^/\s]|/(?![/\\])", re.IGNORECASE
)
"""An address of the web, a path of the product's own, or a link into an app (shop://orders/7)."""
Reason: TypeAlias = Literal["missing_variable", "template_error", "too_large"]


class Rendered(Struct, frozen=True):
    """What a message says; channels take what they need. `subject` is one line, no control characters."""

    subject: str = ""
    html: str | None = None
    text: str = ""
    url: str = ""
    """Where a message leads that is no letter; "" for nowhere."""
    action: str = ""
    """What its button says."""
    data: JSON = None
    """Plain data that goes with it: a webhook's body, a push's payload."""


class Withheld(Struct, frozen=True):
    """Why this message is not sent to this customer."""

    reason: Reason
    detail: str


def render(template: Template, data: Mapping[str, JSON]) -> Rendered | Withheld:
    """The message that `template` makes of `data`; the same data give the same bytes.

    A variable that is missing (absent, null or blank) and has no `default` withholds the message.
    Never raises for what stands in a template or in data.
    """
    try:
        return _rendered(template, present(data))
    except MissingError as error:
        return Withheld("missing_variable", str(error.args[0]))
    except ResourceLimitError as error:
        return Withheld("too_large", str(error.args[0]))
    except (LiquidError, BrokenTemplateError) as error:
        return Withheld("template_error", str(error.args[0]))


def problem(template: Template, parts: Parts | None = None) -> str | None:
    """What is wrong with the template itself (MJML, Liquid, a layout or snippet that there is not), whatever
    the data; None if nothing."""
    try:
        made = whole(template, parts or Parts())
        for one in (made, *made.languages.values()):
            for source, html in _sources(one):
                parsed(source, html)
    except (LiquidError, BrokenTemplateError) as error:
        return str(error.args[0])
    return None


def _rendered(template: Template, data: Mapping[str, JSON]) -> Rendered:
    subject = one_line(rendered(template.subject, data, html=False))
    if not subject and template.channel not in WITHOUT_SUBJECT:
        raise MissingError("subject", token=None)
    html = _html(template, data)
    leads = (template.url, template.action)
    url, action = (one and one_line(rendered(one, data, html=False)) for one in leads)
    if url and not PLACE.match(url):
        raise BrokenTemplateError(f"the url leads nowhere that a browser may go: {url[:80]}")
    return Rendered(subject, html, _text(template, html, data), url, action)


def _text(template: Template, html: str | None, data: Mapping[str, JSON]) -> str:
    """The plain part: as written, or the words of the HTML. These are taken out of the template once and
    filled with the data then, which is ten times faster than taking them out of each message."""
    if template.text is not None:
        return rendered(template.text, data, html=False)
    source = _plain_source(html_source(template) or "")
    return plain(html or "") if source is None else _tidy(rendered(source, data, html=False))


@lru_cache(maxsize=256)
def _plain_source(html: str) -> str | None:
    """None where the words can't be told from the markup before the data are in it."""
    source = plain_source(html)
    try:
        parsed(source or "", False)
    except LiquidError:
        return None
    return source


def _tidy(text: str) -> str:
    """Without the lines that conditions leave empty."""
    lines = (line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _sources(template: Template) -> list[tuple[str, bool]]:
    parts = [(template.subject, False), (html_source(template), True), (template.text, False)]
    parts += [(template.url, False), (template.action, False)]
    return [(source, html) for source, html in parts if source is not None]


def one_line(text: str) -> str:
    """The text on one line: whatever could end a header, and any run of space, becomes one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def html_source(template: Template) -> str | None:
    """The HTML with its Liquid still in it. Raises BrokenTemplateError."""
    return _compiled(template.mjml) if template.mjml is not None else template.html


@lru_cache(maxsize=256)
def _compiled(mjml: str) -> str:
    # No includes (they read files), no web fonts (they would call a third party on each opening).
    options = mrml.ParserOptions(include_loader=mrml.noop_loader())
    try:
        html = str(mrml.to_html(mjml, options, mrml.RenderOptions(fonts={})).content)
    except OSError as error:
        raise BrokenTemplateError(f"MJML: {error}") from error
    # XML makes authors write `a &lt; b` inside Liquid too.
    return LIQUID.sub(lambda mark: unescape(mark[0]), html)


def _html(template: Template, data: Mapping[str, JSON]) -> str | None:
    source = html_source(template)
    if source is None:
        return None
    html = rendered(source, data, html=True)
    # Inlining comes after Liquid: an HTML parser would move `{% for %}` out of a table.
    return _inlined(html) if template.mjml is None and "<style" in html else html


def _inlined(html: str) -> str:
    """Styles on the elements, since many mail programs drop the head; media queries stay where they are."""
    return css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False)
