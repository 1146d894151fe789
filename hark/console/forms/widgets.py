"""Fields of a form: each shows a part of a document as texts, and writes changed texts into it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from hark.console.forms.pointers import Body, found, path_of, put, renamed, take, under
from hark.definitions import yaml
from hark.definitions.lines import flow
from hark.definitions.problems import Problems
from hark.model import JSON

Texts: TypeAlias = Mapping[str, str]
"""By the field's name."""
Options: TypeAlias = tuple[tuple[str, str], ...]
"""(value, what it is called) of each that may be chosen."""
UNSHOWN = "yaml"
"""What a choice says where only the YAML can."""


class Widget(Struct, frozen=True):
    """One control: what it is called, what it says, and how it looks."""

    name: str
    """The pointer of what it shows, or one with `#` and a part of it."""
    label: str
    value: str = ""
    sort: str = "text"
    """text, area, code or choice; rows: of `rows`, side by side."""
    options: Options = ()
    list: str = ""
    """The list of suggestions."""
    placeholder: str = ""
    help: str = ""
    covers: tuple[str, ...] = ()
    """Pointers of which it shows what is wrong, beside its own name."""
    rows: tuple[tuple[Widget, ...], ...] = ()
    wrong: tuple[str, ...] = ()


class Piece(ABC):
    """A part of a mapping at a pointer; the mapping may be missing."""

    keys: tuple[str, ...] = ()
    """Keys of the mapping that it shows."""
    late = False
    """Whether it puts something else in the place of what others show, or gives it another name, and so
    comes after them."""

    @abstractmethod
    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        """The controls that show it; none where only the YAML can."""

    @abstractmethod
    def put(self, body: Body, at: str, texts: Texts) -> None:
        """Write what its widgets say, of which at least one was changed."""


def said(value: JSON) -> str:
    """A value as a field shows it."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else flow(value)


def read(text: str) -> JSON:
    """YAML; what cannot be read stays a text, which the parser refuses at its place."""
    problems = Problems("")
    nodes = yaml.read(text, problems)
    return text if problems.found or len(nodes) != 1 else yaml.plain(nodes[0])


class Entry(Piece):
    """One key's value: a text as it stands, or (`reads`) YAML. Nothing takes the key away, but what is
    `needed` stays, empty, so that the problem is found at it."""

    def __init__(
        self, key: str, label: str, *, reads: bool = False, needed: bool = False, **looks: Any
    ) -> None:
        self.keys, self.label, self.reads, self.needed, self.looks = (key,), label, reads, needed, looks

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, *self.keys)
        return (Widget(name, self.label, said(found(body, name)), **self.looks),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, *self.keys)
        text = texts[name]
        if text or self.needed:
            put(body, name, read(text) if self.reads and text else text)
        else:
            take(body, name)


class Choose(Piece):
    """One key's value, of a few: what each is called, and what stands for it; None takes the key away.
    Where two mean the same, the later is offered only where it stands."""

    def __init__(self, key: str, label: str, options: Mapping[str, tuple[str, JSON]], help: str = "") -> None:
        self.keys, self.label, self.options, self.help = (key,), label, options, help

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, *self.keys)
        value = found(body, name)
        known = next((word for word, (_, one) in self.options.items() if same(one, value)), "")
        shown: dict[str, str] = {}
        for word, (label, _) in self.options.items():
            if label not in shown.values() or word == known:
                shown[word] = label
        if not known and value is not None:
            known, shown[UNSHOWN] = UNSHOWN, said(value)
        return (Widget(name, self.label, known, "choice", tuple(shown.items()), help=self.help),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, *self.keys)
        if texts[name] == UNSHOWN or texts[name] not in self.options:
            return
        value = self.options[texts[name]][1]
        if value is None:
            take(body, name)
        else:
            put(body, name, value)


def same(one: JSON, other: JSON) -> bool:
    """Equal, and yes is true."""
    words = {"yes": True, "no": False}
    one, other = (words.get(each, each) if isinstance(each, str) else each for each in (one, other))
    return type(one) is type(other) and one == other


def words(key: str, label: str, default: str, *more: str, help: str = "") -> Choose:
    """One of a few words, the first of which is the default and need not stand there."""
    options: dict[str, tuple[str, JSON]] = {one: (one, one) for one in (default, *more)}
    return Choose(key, label, {"": (default, None), **options}, help)


def yes(key: str, label: str, no: str = "no", yes: str = "yes", help: str = "") -> Choose:
    """Yes, or nothing there."""
    return Choose(key, label, {"": (no, None), "no": (no, "no"), "yes": (yes, "yes")}, help)


class Names(Piece):
    """A list of names, with commas between them."""

    def __init__(self, key: str, label: str, **looks: Any) -> None:
        self.keys, self.label, self.looks = (key,), label, looks

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, *self.keys)
        return (Widget(name, self.label, listed(found(body, name)), **self.looks),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, *self.keys)
        items = parted(texts[name])
        put(body, name, items) if items else take(body, name)


def listed(value: JSON) -> str:
    """A list of plain texts with commas between them; anything else as YAML."""
    if isinstance(value, list) and all(isinstance(one, str) and "," not in one for one in value):
        return ", ".join(value)
    return said(value)


def parted(text: str) -> list[JSON]:
    return [one.strip() for one in text.split(",") if one.strip()]


class Named(Piece):
    """The key under which the mapping itself stands."""

    late = True

    def __init__(self, label: str) -> None:
        self.label = label

    def widgets(self, _body: Body, at: str) -> Sequence[Widget]:
        return (Widget(f"{at}#name", self.label, path_of(at)[-1]),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = texts[f"{at}#name"]
        if not name:
            return
        renamed(body, at, name)
        inside, _, last = at.rpartition("/")
        if inside == "/variants":
            renamed(body, f"/allocation/weights/{last}", name)


class Event(Piece):
    """The event of a mapping, or several with | between them: `event` or `any_of`. Where a name alone stands
    in place of the mapping, it stays one."""

    keys = ("event", "any_of")

    def __init__(self, label: str = "Event", help: str = "", needed: bool = True) -> None:
        self.label, self.help, self.needed = label, help, needed

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        value = found(body, at)
        if isinstance(value, dict):
            value = (
                " | ".join(map(said, value["any_of"]))
                if isinstance(value.get("any_of"), list)
                else value.get("event")
            )
        name = under(at, "event")
        covers = (under(at, "any_of"), at) if isinstance(found(body, at), str) else (under(at, "any_of"),)
        return (Widget(name, self.label, said(value), list="names", help=self.help, covers=covers),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        names: list[JSON] = [one.strip() for one in texts[under(at, "event")].split("|") if one.strip()]
        value = found(body, at)
        key, said = ("any_of", names) if len(names) > 1 else ("event", names[0] if names else "")
        if isinstance(value, str):
            put(body, at, said if key == "event" else {key: said})
        elif not isinstance(value, dict):
            put(body, under(at, key), said)
        elif said or self.needed:
            put(body, at, _with(value, self.keys, key, said))


def _with(value: Body, old: Sequence[str], key: str, one: JSON) -> Body:
    """The mapping with this in place of the first of the old keys."""
    items: list[tuple[str, JSON]] = []
    for known, inner in value.items():
        if known not in old:
            items.append((known, inner))
        elif key not in dict(items):
            items.append((key, one))
    return dict(items) if key in dict(items) else {key: one, **dict(items)}
