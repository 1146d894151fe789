"""The plain-text part of a message, made from its HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

HIDDEN = frozenset({"head", "style", "script", "title", "template"})
APART = frozenset({"blockquote", "h1", "h2", "h3", "ol", "p", "table", "ul"})
"""Blocks with an empty line before them."""
BLOCKS = APART | {"address", "article", "aside", "div", "dl", "dt", "dd", "figure", "footer", "form", "h4"}
BLOCKS |= {"h5", "h6", "header", "hr", "main", "nav", "pre", "section", "tr"}


def plain(html: str) -> str:
    """The words of `html` in reading order: blocks on lines of their own, a link's address after its text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
MARKUP = re.compile(r"\|\s*(newline_to_br|escape|escape_once)\b|\{%-?\s*(capture|raw|comment|liquid)\b")
"""What makes markup of a value, or text of markup."""
OPEN, CLOSE = "\ue000", "\ue001"
_KEPT = re.compile(f"{OPEN}(\\d+){CLOSE}")


def plain_source(html: str) -> str | None:
    """The words of a template with its Liquid between them, to be filled in as text; None where that can't be
    said before the data are known: a tag is written only in part by a condition, or a value is markup."""
    if MARKUP.search(html) or OPEN in html:
        return None
    marks: list[str] = []

    def put_away(found: re.Match[str]) -> str:
        marks.append(found[0])
        return f"{OPEN}{len(marks) - 1}{CLOSE}"

    text = plain(LIQUID.sub(put_away, html))
    if not _same_blocks(marks, text):
        return None
    return _KEPT.sub(lambda found: marks[int(found[1])], text)


def _same_blocks(marks: list[str], text: str) -> bool:
    """Whether every tag came out, in its order; a link's own values stand behind its words."""
    tags = [number for number, mark in enumerate(marks) if mark.startswith("{%")]
    return tags == [int(number) for number in _KEPT.findall(text) if marks[int(number)].startswith("{%")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0
        self._link = ""
        self._said = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in HIDDEN:
            self._hidden += 1
        elif tag == "a":
            self._link, self._said = given.get("href") or "", len(self.parts)
        else:
            self._say(_opening(tag, given))

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a":
            self._close_link()
        elif tag in BLOCKS:
            self._say("\n")

    def handle_data(self, data: str) -> None:
        # A line break of the source is only a space for a reader.
        self._say(re.sub(r"\s+", " ", data))

    def _close_link(self) -> None:
        said = "".join(self.parts[self._said :]).strip()
        if self._link.startswith(("http:", "https:", "mailto:", OPEN)) and self._link != said:
            self._say(f" ({self._link})" if said else self._link)
        self._link = ""

    def _say(self, text: str) -> None:
        if not self._hidden:
            self.parts.append(text)


def _opening(tag: str, given: dict[str, str | None]) -> str:
    if tag == "li":
        return "\n- "
    if tag == "img":
        return given.get("alt") or ""
    if tag in APART:
        return "\n\n"
    return "\n" if tag == "br" or tag in BLOCKS else ""
