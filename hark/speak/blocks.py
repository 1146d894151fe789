"""MJML out of blocks and a brand: what people put together in forms, in the words that mail programs know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape

from hark.definitions.blocks import FONTS
from hark.definitions.shared import Block, Brand

PLAIN = Brand("plain")
INK, CARD = "#1f2328", "#ffffff"
IMAGES = "{{ links.images }}"
"""Where files of the image library are had."""
_FILE = re.compile(r"[0-9a-f]{32}\.(png|jpg|gif)")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]+)\]\(((?:https?://|mailto:|\{\{)[^)\s<>]*(?: [^)<>]*\}\}[^)\s<>]*)?)\)")
_DARK = """
      :root { color-scheme: light dark; }
      @media (prefers-color-scheme: dark) {
        body, .page { background: #16181c !important; }
        .card, .card > table, .card td { background-color: #22262c !important; }
        .say div, .say a { color: #e8eaed !important; }
        .small div { color: #a0a6ad !important; }
        .act td { background-color: ACCENT !important; }
      }"""


def sections(blocks: Sequence[Block], brand: Brand) -> str:
    """The blocks as sections of an MJML body."""
    parts, open_ = [], False
    for one in blocks:
        if one.kind in APART:
            parts.append(_CLOSE * open_ + APART[one.kind](one, brand))
            open_ = False
        else:
            parts.append(_OPEN * (not open_) + WITHIN[one.kind](one, brand))
            open_ = True
    return "\n".join(parts) + _CLOSE * open_


def document(blocks: Sequence[Block], brand: Brand | None) -> str:
    """A whole MJML document: logo, blocks, and the foot with who writes and the way out."""
    look = brand or PLAIN
    return f"""<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="{FONTS[look.font]}" />
      <mj-text font-size="16px" line-height="1.55" color="{INK}" />
    </mj-attributes>
    <mj-style>{_DARK.replace("ACCENT", look.accent)}
    </mj-style>
  </mj-head>
  <mj-body background-color="{look.background}" css-class="page" width="600px">
    {_logo(look)}
    {sections(blocks, look)}
    {_foot(look)}
  </mj-body>
</mjml>"""


_OPEN = f'<mj-section background-color="{CARD}" padding="4px 12px" css-class="card"><mj-column>\n'
_CLOSE = "\n</mj-column></mj-section>\n"


def _logo(look: Brand) -> str:
    if not look.logo:
        return '<mj-section padding="16px 0 0"></mj-section>'
    to = f' href="{_attribute(look.site)}"' if look.site else ""
    picture = f'<mj-image src="{_source(look.logo)}" alt="{_attribute(look.logo_alt)}" width="140px"{to} />'
    return f'<mj-section padding="24px 0 12px"><mj-column>{picture}</mj-column></mj-section>'


def _foot(look: Brand) -> str:
    address = f"{_words(look.address)}" if look.address else ""
    text = f'<mj-text font-size="13px" color="#5f6670" align="center" css-class="small">{address}</mj-text>'
    return f'<mj-section padding="12px 0 24px"><mj-column>{text if address else ""}</mj-column></mj-section>'


def _heading(one: Block, _: Brand) -> str:
    look = 'font-size="24px" line-height="1.25" font-weight="700" css-class="say"'
    return f"<mj-text {look}>{_line(one.says)}</mj-text>"


def _text(one: Block, brand: Brand) -> str:
    return f'<mj-text css-class="say">{_words(one.says, brand.accent)}</mj-text>'


def _image(one: Block, _: Brand) -> str:
    to = f' href="{_attribute(one.to)}"' if one.to else ""
    return f'<mj-image src="{_source(one.says)}" alt="{_attribute(one.alt)}"{to} border-radius="6px" />'


def _button(one: Block, brand: Brand) -> str:
    look = f'background-color="{brand.accent}" color="{readable_on(brand.accent)}"'
    shape = 'border-radius="8px" font-size="16px" font-weight="600" align="left" inner-padding="13px 26px"'
    return (
        f'<mj-button href="{_attribute(one.to)}" {look} {shape} css-class="act">{_line(one.says)}</mj-button>'
    )


def _rule(_one: Block, _: Brand) -> str:
    return '<mj-divider border-width="1px" border-color="#dfe1e5" />'


def _products(one: Block, brand: Brand) -> str:
    """Each with its picture and price, where it has them; its name it must have."""
    to = one.to or "{{ one.url }}"
    name = f'<a href="{_attribute(to)}" style="color:{brand.accent};font-weight:600">{{{{ one.name }}}}</a>'
    linked = (
        name
        if one.to
        else f"{{% if one.url %}}{name}{{% else %}}<strong>{{{{ one.name }}}}</strong>{{% endif %}}"
    )
    price = "{% if one.price %}<br />{{ one.price }}{% endif %}"
    picture = '<mj-image src="{{ one.image }}" alt="{{ one.name }}" width="120px" align="left" />'
    return f"""<mj-raw>{{% for one in {one.says} limit: {one.most} %}}</mj-raw>
{_OPEN}<mj-raw>{{% if one.image %}}</mj-raw>{picture}<mj-raw>{{% endif %}}</mj-raw>
<mj-text css-class="say">{linked}{price}</mj-text>{_CLOSE}<mj-raw>{{% endfor %}}</mj-raw>"""


def _snippet(one: Block, _: Brand) -> str:
    return f"{{% snippet '{one.says}' %}}"


WITHIN: Mapping[str, Callable[[Block, Brand], str]] = {
    "heading": _heading,
    "text": _text,
    "image": _image,
    "button": _button,
    "line": _rule,
}
"""Blocks that stand together in one card."""
APART: Mapping[str, Callable[[Block, Brand], str]] = {"products": _products, "snippet": _snippet}
"""Blocks with sections of their own."""


def readable_on(colour: str) -> str:
    """White or black, whichever has the higher contrast on the colour (WCAG 2.2, relative luminance)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else "#000000"


def _words(text: str, accent: str = "") -> str:
    """Paragraphs with **bold** and [links](https://...)."""
    paragraphs = (_line(one, accent).replace("\n", "<br />") for one in re.split(r"\n\s*\n", text.strip()))
    return "".join(f'<p style="margin:0 0 12px">{one}</p>' for one in paragraphs)


def _line(text: str, accent: str = "") -> str:
    colour = f' style="color:{accent}"' if accent else ""
    linked = _LINK.sub(rf'<a href="\2"{colour}>\1</a>', escape(text.strip(), quote=False))
    return _BOLD.sub(r"<strong>\1</strong>", linked)


def _source(picture: str) -> str:
    return IMAGES + picture if _FILE.fullmatch(picture) else _attribute(picture)


def _attribute(text: str) -> str:
    return escape(" ".join(text.split()))
