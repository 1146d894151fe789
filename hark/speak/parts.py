"""A template with its layout and its snippets put in: one text for each part, read and compiled once.

Snippets are put in as they are written, before MJML is compiled: `{% snippet 'footer' %}`, with values as
`{% snippet 'card', item: product %}`, which become variables of the template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from hark.definitions.problems import nearest
from hark.definitions.shared import Brand, Layout, Snippet
from hark.definitions.templates import CONTENT
from hark.definitions.types import Definition, Template
from hark.speak.blocks import PLAIN, document, sections

Form: TypeAlias = Literal["mjml", "html", "text"]
FORMS: tuple[Form, ...] = ("mjml", "html", "text")
DEEPEST = 5
"""Snippets within snippets."""
LONGEST = 300_000
CALL = re.compile(
    r"\{%-?\s*snippet\s+(?:'(?P<one>[^'%]+)'|\"(?P<two>[^\"%]+)\")\s*(?P<values>(?:,\s*\w+\s*:[^%]+?)?)\s*-?%\}"
)
_VALUE = re.compile(r",\s*(\w+)\s*:\s*((?:'[^']*'|\"[^\"]*\"|[^,'\"])+)")


class BrokenTemplateError(ValueError):
    """The template cannot be read, whatever the data."""


class Parts(Struct, frozen=True):
    """What templates may use, by name."""

    layouts: Mapping[str, Layout] = {}
    snippets: Mapping[str, Snippet] = {}
    brand: Brand | None = None


def parts_of(known: Sequence[Definition]) -> Parts:
    """The layouts and snippets among definitions; of two of a name the later."""
    return Parts(
        {one.name: one for one in known if isinstance(one, Layout)},
        {one.name: one for one in known if isinstance(one, Snippet)},
        next((one for one in known if isinstance(one, Brand)), None),
    )


def whole(template: Template, parts: Parts) -> Template:
    """The template, and each of its languages, with layout and snippets in it.

    Raises BrokenTemplateError for one that is not there, has not the form that is needed, or holds itself.
    """
    languages = {name: whole(one, parts) for name, one in template.languages.items()}
    written = replace(template, mjml=_of_blocks(template, parts)) if template.blocks else template
    made = {form: _form(written, form, parts) for form in FORMS}
    return replace(template, layout=None, languages=languages, **made)


def _of_blocks(template: Template, parts: Parts) -> str:
    """A whole document in the brand's looks, or what goes into the template's own layout."""
    if template.layout:
        return sections(template.blocks, parts.brand or PLAIN)
    return document(template.blocks, parts.brand)


def uses(text: str) -> set[str]:
    """The names of the snippets that a text calls."""
    return {found["one"] or found["two"] for found in CALL.finditer(text)}


def _form(template: Template, form: Form, parts: Parts) -> str | None:
    written: str | None = getattr(template, form)
    if written is None:
        return None
    around = _layout(template, form, parts)
    return _filled(written if around is None else CONTENT.sub(lambda _: written, around), form, parts, 0)


def _layout(template: Template, form: Form, parts: Parts) -> str | None:
    if template.layout is None:
        return None
    layout = parts.layouts.get(template.layout)
    if layout is None:
        raise BrokenTemplateError(
            f'there is no layout "{template.layout}" ({nearest(template.layout, parts.layouts)})'
        )
    around: str | None = getattr(layout, form)
    if around is None and form != "text":
        raise BrokenTemplateError(f"the layout {layout.name} has no {form}")
    return around


def _filled(text: str, form: Form, parts: Parts, depth: int) -> str:
    if len(text) > LONGEST:
        raise BrokenTemplateError(f"with its snippets it has over {LONGEST} characters")
    return CALL.sub(lambda call: _called(call, form, parts, depth), text)


def _called(call: re.Match[str], form: Form, parts: Parts, depth: int) -> str:
    name = call["one"] or call["two"]
    snippet = parts.snippets.get(name)
    if snippet is None:
        raise BrokenTemplateError(f'there is no snippet "{name}" ({nearest(name, parts.snippets)})')
    written: str | None = getattr(snippet, form)
    if written is None:
        raise BrokenTemplateError(f"the snippet {name} has no {form}")
    if depth >= DEEPEST:
        raise BrokenTemplateError(f"snippets within snippets, over {DEEPEST} deep, at {name}")
    given = "".join(
        f"{{% assign {key} = {value.strip()} %}}" for key, value in _VALUE.findall(call["values"])
    )
    if given and form == "mjml":
        given = f"<mj-raw>{given}</mj-raw>"
    return given + _filled(written, form, parts, depth + 1)
