"""How templates are written, with the layouts and snippets that they share, and their languages."""

from __future__ import annotations

import re
from typing import Any

from hark.definitions.blocks import BLOCKS
from hark.definitions.languages import LANGUAGE
from hark.definitions.sending import ANY_CHANNEL
from hark.definitions.shapes import INVALID, NAME, Choice, Invalid, Reading, Record, Shape, Text, Values
from hark.definitions.shared import Layout, Snippet
from hark.definitions.types import Template
from hark.definitions.yaml import Node
from hark.model import JSON

_SUBJECT = Text("a subject of one line", r"[^\r\n]+")
_BODIES: dict[str, Shape[Any]] = {"mjml": Text(), "html": Text(), "text": Text()}
_LEADS: dict[str, Shape[Any]] = {
    "url": Text("a URL of one line", r"[^\s]([^\r\n]*[^\s])?"),
    "action": _SUBJECT,
}
"""Where a message leads that is no letter, and what its button says."""
_PARTS: dict[str, Shape[Any]] = {"subject": _SUBJECT, "layout": NAME, "blocks": BLOCKS, **_BODIES, **_LEADS}
_SOURCES = frozenset((*_BODIES, "blocks"))
LEADING = frozenset({"in_app", "push", "web_push"})
"""The channels whose messages have a title, a text and one place to lead to."""
CONTENT = re.compile(r"\{\{-?\s*content\s*-?\}\}")


def _body(values: Values, node: Node, reading: Reading) -> Values | Invalid:
    if len(values.keys() & {"mjml", "html", "blocks"}) > 1:
        words = "a message is written in mjml, in html or in blocks"
        return reading.refuse(node, words, "take one of them")
    return values


class _Languages(Shape[dict[str, Values]]):
    """For each language what is other there than in the template itself."""

    one = Record("a language of a template", _PARTS, _body)

    def read(self, node: Node, reading: Reading) -> dict[str, Values] | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(
                node, "subject and body for each language", "de: {subject: ..., mjml: ...}"
            )
        found: dict[str, Values] = {}
        for language, child in node.value.items():
            if not re.fullmatch(LANGUAGE, language):
                return reading.refuse(child, f'"{language}" is no language', "two small letters: en, de, fr")
            if isinstance(read := self.one.read(child, reading), Invalid):
                return INVALID
            found[language] = read
        return found

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "propertyNames": {"pattern": f"^{LANGUAGE}$"},
                "additionalProperties": self.one.schema()}  # fmt: skip


def _template(values: Values, node: Node, reading: Reading) -> Template | Invalid:
    channel = values["channel"]
    if channel == "email" and "subject" not in values:
        return reading.refuse(node, 'a template for email needs "subject"')
    if channel != "email" and "text" not in values:
        return reading.refuse(node, f'a template for {channel} is written as "text"')
    if isinstance(read := _body(values, node, reading), Invalid):
        return read
    refused = _leads(values, node, reading)
    if refused:
        return refused
    if not values.keys() & _SOURCES:
        return reading.refuse(node, "a template needs exactly one of mjml, html, blocks, text, found none")
    others = {one: _in(values, there) for one, there in values.get("languages", {}).items()}
    return _made(values, others)


def _leads(values: Values, node: Node, reading: Reading) -> Invalid | None:
    """Refuses the keys of another channel's messages."""
    assert isinstance(node.value, dict)
    channel = values["channel"]
    for key in ("url", "action", "show", "survey"):
        if key in values and channel not in LEADING:
            hint = "a letter has its links in its text" if channel == "email" else ""
            return reading.refuse(node.value[key], f'"{key}" is no key of a template for {channel}', hint)
    for key in ("show", "survey"):
        if key in values and channel != "in_app":
            return reading.refuse(node.value[key], f'"{key}" is no key of a template for {channel}')
    for key in ("mjml", "html", "layout", "blocks"):
        if key in values and channel in LEADING:
            return reading.refuse(
                node.value[key], f"a template for {channel} is plain text", "write text: ..."
            )
    if "action" in values and "url" not in values:
        return reading.refuse(node.value["action"], "a button that leads nowhere", "url: ...")
    return None


def _in(values: Values, there: Values) -> Template:
    """In another language: what is not said there is as in the template itself. A body of one's own has a
    text part of its own, or one that is made of it."""
    mine = {key: one for key, one in values.items() if key not in (*_SOURCES, "languages")}
    bodies = there if there.keys() & _SOURCES else values
    return _made(mine | {key: bodies[key] for key in _SOURCES if key in bodies} | there, {})


def _made(values: Values, languages: dict[str, Template]) -> Template:
    return Template(
        name=values["template"],
        channel=values["channel"],
        subject=values.get("subject", ""),
        mjml=values.get("mjml"),
        html=values.get("html"),
        text=values.get("text"),
        layout=values.get("layout"),
        blocks=tuple(values.get("blocks", ())),
        url=values.get("url", ""),
        action=values.get("action", ""),
        show=values.get("show", "banner"),
        survey=values.get("survey", ""),
        languages=languages,
    )


TEMPLATE = Record(
    "template",
    {
        "template": NAME,
        "channel": ANY_CHANNEL,
        **_PARTS,
        "show": Choice(("banner", "inbox")),
        "survey": NAME,
        "languages": _Languages(),
    },
    _template,
    required=("template", "channel"),
)


def _layout(values: Values, node: Node, reading: Reading) -> Layout | Invalid:
    assert isinstance(node.value, dict)
    for form in _BODIES.keys() & values.keys():
        places = len(CONTENT.findall(values[form]))
        if places != 1:
            message = f"the {form} of a layout has one place for the message, found {places or 'none'}"
            return reading.refuse(node.value[form], message, "write {{ content }} there, once")
    return _some(values, node, reading, "layout") or Layout(
        values["layout"], values.get("mjml"), values.get("html"), values.get("text")
    )


def _snippet(values: Values, node: Node, reading: Reading) -> Snippet | Invalid:
    return _some(values, node, reading, "snippet") or Snippet(
        values["snippet"], values.get("mjml"), values.get("html"), values.get("text")
    )


def _some(values: Values, node: Node, reading: Reading, kind: str) -> Invalid | None:
    if values.keys() & _BODIES.keys():
        return None
    return reading.refuse(node, f"a {kind} needs one or more of mjml, html, text")


LAYOUT = Record("layout", {"layout": NAME, **_BODIES}, _layout, required=("layout",))
SNIPPET = Record("snippet", {"snippet": NAME, **_BODIES}, _snippet, required=("snippet",))
