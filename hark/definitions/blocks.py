"""How a mail of blocks is written, and the brand that its looks come from."""

from __future__ import annotations

from typing import Any

from hark.definitions.shapes import (
    NAME,
    Choice,
    Invalid,
    ListOf,
    Number,
    Reading,
    Record,
    Shape,
    Text,
    Truth,
    Values,
)
from hark.definitions.shared import Block, Brand
from hark.definitions.yaml import Node

_LINK = Text(
    "a link", r"(https?://|mailto:|\{\{)[^\r\n\"<>]+", "https://..., or a value such as {{ event.url }}"
)
_PICTURE = Text(
    "a picture",
    r"[0-9a-f]{32}\.(png|jpg|gif)|https://[^\s\"<>]+|\{\{[^\r\n\"<>]+",
    "its name on the page Images",
)
_COLOUR = Text("a colour", r"#[0-9A-Fa-f]{6}", "for example #3355dd")
_PATH = Text("a list", r"(event|events|data|customer)(\.\w+)*", "for example event.items")
KINDS: dict[str, Shape[Any]] = {
    "heading": Text(),
    "text": Text(),
    "image": _PICTURE,
    "button": Text("a few words"),
    "products": _PATH,
    "snippet": NAME,
    "line": Truth(),
}
TAKES = {
    "image": ("alt", "to"),
    "button": ("to",),
    "products": ("to", "most"),
}
"""What a kind takes besides its own value."""
NEEDS = {"image": ("alt",), "button": ("to",)}
FONTS = {
    "system": "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
    "sans": "Helvetica, Arial, sans-serif",
    "serif": "Georgia, Times New Roman, serif",
    "mono": "Consolas, Menlo, monospace",
}
"""Those that mail programs have; others would have to be fetched."""


def _block(values: Values, node: Node, reading: Reading) -> Block | Invalid:
    kind = next(kind for kind in KINDS if kind in values)
    for key in values:
        if key not in (kind, *TAKES.get(kind, ())):
            return reading.refuse(node, f'"{key}" is no key of a block {kind}')
    for key in NEEDS.get(kind, ()):
        if key not in values:
            return reading.refuse(node, f'a block {kind} needs "{key}"')
    says = "" if kind == "line" else values[kind]
    return Block(kind, says, values.get("to", ""), values.get("alt", ""), values.get("most", 4))


BLOCKS = ListOf(
    Record(
        "a block",
        {**KINDS, "to": _LINK, "alt": Text(), "most": Number(1, 50, whole=True)},
        _block,
        one_of=(tuple(KINDS),),
    ),
    "a list of blocks",
)


def _brand(values: Values, _node: Node, _reading: Reading) -> Brand | Invalid:
    given = {key: value for key, value in values.items() if key != "brand"}
    return Brand(name=values["brand"], **given)


BRAND = Record(
    "brand",
    {
        "brand": NAME,
        "logo": _PICTURE,
        "logo_alt": Text(),
        "site": _LINK,
        "accent": _COLOUR,
        "background": _COLOUR,
        "font": Choice(tuple(FONTS)),
        "address": Text(),
    },
    _brand,
    required=("brand",),
)
