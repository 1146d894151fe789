"""A whole form: its sections, and what is wrong by its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from hark.console.forms.blocks import Also, Making, Part
from hark.console.forms.pointers import Body, pointer
from hark.console.forms.widgets import Options, Widget
from hark.definitions import yaml
from hark.definitions.problems import Problem, Problems
from hark.definitions.yaml import Node


class Section(Struct, frozen=True):
    """A card of the form."""

    title: str
    widgets: tuple[Widget, ...] = ()
    more: tuple[Widget, ...] = ()
    """Fields that are seldom needed."""
    parts: tuple[Part, ...] = ()
    slot: str = ""
    wrong: tuple[str, ...] = ()
    """What is wrong with what it is about, and belongs to no field."""
    also: tuple[Also, ...] = ()
    adds: Options = ()

    @property
    def opened(self) -> bool:
        """Whether one of the seldom needed fields says something, or is wrong."""
        return any(one.wrong or one.value for one in self.more)


class Form(Struct, frozen=True):
    """What the page shows of a document."""

    sections: tuple[Section, ...] = ()
    also: tuple[Also, ...] = ()
    """Keys of the document that no field shows."""
    wrong: tuple[str, ...] = ()
    """What is wrong, and belongs to no section."""


Sections: TypeAlias = Callable[[Making, bool], tuple[Section, ...]]
"""The sections of one kind of document, and whether it is new."""


def made(
    sections: Sections, body: Body, new: bool, text: str = "", problems: Sequence[Problem] = ()
) -> tuple[Form, Making]:
    """The form of a document whose text is `text`. `problems` are those of the document written out by
    `yaml.write`, where every value has a line of its own: they are told at the fields."""
    lines = lines_of(text)
    draft = Making(body, lines, {})
    sections(draft, new)
    making = Making(body, lines, _placed(problems, body, draft.places))
    shown = sections(making, new)
    covered = {one.split("/")[1].partition("#")[0] for one in making.places if one}
    also = tuple(
        one for one in making.also("", ()) if pointer([one.key])[1:] not in covered and one.key not in NAMES
    )
    return Form(shown, also, making.at("")), making


NAMES = ("campaign", "segment")
"""Keys by which a document has its name."""


def lines_of(text: str) -> dict[str, int]:
    """The line of every value of the first document of a text, by pointer; none where it cannot be read."""
    nodes = yaml.read(text, Problems(""))
    return {at: line for line, at in _lines(nodes[0], "")} if nodes else {}


def _lines(node: Node, at: str) -> Iterator[tuple[int, str]]:
    yield node.line, at
    items = (
        enumerate(node.value)
        if isinstance(node.value, list)
        else node.value.items()
        if isinstance(node.value, dict)
        else ()
    )
    for key, child in items:
        yield from _lines(child, at + pointer([key]))


def _placed(problems: Sequence[Problem], body: Body, places: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong by the slot nearest to it, upwards; those of no slot under ""."""
    lines = list(_lines(yaml.read(yaml.write([body]), Problems(""))[0], "")) if problems else []
    found: dict[str, list[str]] = {}
    for one in problems:
        at = max((line, order, at) for order, (line, at) in enumerate(lines) if line <= max(one.line, 1))[2]
        while at and at not in places:
            at = at.rpartition("/")[0]
        found.setdefault(places.get(at, ""), []).append(
            f"{one.message} ({one.hint})" if one.hint else one.message
        )
    return found
