"""What a form is made of: blocks of fields, and lists of blocks within them, as the page draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from hark.console.forms.pointers import Body, found, put, take, under
from hark.console.forms.widgets import Options, Piece, Texts, Widget, read, said
from hark.model import JSON


class Part(Struct, frozen=True):
    """Blocks one after the other, with what may be added."""

    at: str
    label: str
    blocks: tuple[Block, ...] = ()
    adds: Options = ()
    help: str = ""
    wrong: tuple[str, ...] = ()


class Also(Struct, frozen=True):
    """What only the YAML shows, and its line there."""

    key: str
    line: int


class Block(Struct, frozen=True):
    """A step, a condition, a goal: its fields and what is within it."""

    at: str
    title: str
    widgets: tuple[Widget, ...] = ()
    more: tuple[Widget, ...] = ()
    """Fields that are seldom needed."""
    parts: tuple[Part, ...] = ()
    also: tuple[Also, ...] = ()
    wrong: tuple[str, ...] = ()
    line: int = 0
    removable: bool = False
    up: bool = False
    down: bool = False

    @property
    def opened(self) -> bool:
        """Whether one of the seldom needed fields says something, or is wrong."""
        return any(one.wrong or (one.value and one.sort != "rows") or len(one.rows) > 1 for one in self.more)


class Shape(NamedTuple):
    """How one kind of block is shown."""

    title: str
    pieces: tuple[Piece, ...]
    start: JSON
    """What stands for a new one."""
    more: tuple[Piece, ...] = ()
    parts: Callable[[Making, str], tuple[Part, ...]] = lambda _making, _at: ()
    within: bool = True
    """Whether its fields are of what stands under the kind's name; else that is one value."""


class Bound(NamedTuple):
    """A piece at its place, and its fields."""

    piece: Piece
    at: str
    widgets: tuple[Widget, ...]

    @property
    def names(self) -> list[str]:
        return [one.name for one in flat(self.widgets)]


class Making:
    """A form in the making: of which document, where its values stand in the YAML, and what is wrong by
    pointer. Afterwards `bound` has all pieces that were shown, and `places` where something wrong is told."""

    def __init__(self, body: Body, lines: Mapping[str, int], wrong: Mapping[str, Sequence[str]]) -> None:
        self.body, self.lines, self.wrong = body, lines, wrong
        self.bound: list[Bound] = []
        self.places: dict[str, str] = {}
        """By pointer, the name of the slot in which it is told what is wrong there."""

    def widgets(self, pieces: Sequence[Piece], at: str) -> tuple[Widget, ...]:
        return tuple(widget for piece in pieces for widget in self._bound(piece, at))

    def _bound(self, piece: Piece, at: str) -> Iterator[Widget]:
        widgets = tuple(piece.widgets(self.body, at))
        self.bound.append(Bound(piece, at, widgets))
        for one in widgets:
            for covered in (one.name, *one.covers):
                self.places.setdefault(covered, one.name)
            yield replace(one, wrong=self.at(one.name))

    def at(self, slot: str) -> tuple[str, ...]:
        """What is wrong there; the slot is known from then on."""
        self.places.setdefault(slot, slot)
        return tuple(self.wrong.get(slot, ()))

    def line(self, at: str) -> int:
        return self.lines.get(at, 0)

    def also(self, at: str, shown: Sequence[str]) -> tuple[Also, ...]:
        """The keys of a mapping that no field shows."""
        value = found(self.body, at)
        keys = [key for key in value if key not in shown] if isinstance(value, dict) else []
        return tuple(Also(key, self.line(under(at, key))) for key in keys)

    def listed(self, at: str, label: str, each: Callable[[Making, str], Block], adds: Options = ()) -> Part:
        """A list, or a mapping by name, of blocks that can be moved and removed."""
        value = found(self.body, at)
        keys = (
            list(range(len(value)))
            if isinstance(value, list)
            else list(value)
            if isinstance(value, dict)
            else []
        )
        blocks = [
            replace(each(self, under(at, key)), removable=True, up=place > 0, down=place < len(keys) - 1)
            for place, key in enumerate(keys)
        ]
        return Part(at, label, tuple(blocks), adds, wrong=self.at(at))

    def block(
        self, at: str, kind: str, shape: Shape, first: Sequence[Piece] = (), beside: Sequence[str] = ()
    ) -> Block:
        """One block, whose kind is the key under which its value stands; `first`: fields before its own,
        `beside`: further keys that are shown."""
        inner = under(at, kind) if shape.within else at
        leading = self.widgets(first, at)
        pieces = (*shape.pieces, *shape.more)
        shown = tuple(key for piece in pieces for key in piece.keys)
        parts = shape.parts(self, under(at, kind))
        also = self.also(at, (kind, *beside))
        if shape.within and pieces:
            also += self.also(inner, (*shown, *(part.at.rpartition("/")[2] for part in parts)))
        return Block(
            at,
            shape.title,
            leading + self.widgets(shape.pieces, inner),
            self.widgets(shape.more, inner),
            parts,
            also,
            self.at(at),
            self.line(at),
        )


def flat(widgets: Sequence[Widget]) -> Iterator[Widget]:
    """Every control, those in rows too."""
    for one in widgets:
        if one.rows:
            yield from (cell for row in one.rows for cell in row)
        else:
            yield one


class Whole(Piece):
    """A value of a form that no fields show, as YAML."""

    def __init__(self, label: str = "Written in YAML") -> None:
        self.label = label

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        return (Widget(at, self.label, said(found(body, at)), "code"),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        put(body, at, read(texts[at])) if texts[at] else take(body, at)
