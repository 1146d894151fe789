"""Fields in rows: properties compared, traits set, numbers compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hark.console.forms.pointers import Body, found, put, take, under
from hark.console.forms.widgets import Options, Piece, Texts, Widget, listed, parted, read, said
from hark.model import JSON

COMPARING: Options = (
    ("eq", "is"),
    ("ne", "is another than"),
    ("in", "is one of"),
    ("not_in", "is none of"),
    ("gt", "is more than"),
    ("gte", "is at least"),
    ("lt", "is less than"),
    ("lte", "is at most"),
    ("between", "is between"),
    ("exists", "is there (true or false)"),
    ("contains", "contains"),
    ("starts_with", "starts with"),
    ("ends_with", "ends with"),
    ("matches", "matches (RE2)"),
)
OF_TIME: Options = (
    ("in_next", "is in the next"),
    ("older_than", "is longer ago than"),
    ("newer_than", "is within the last"),
    ("anniversary", "has its anniversary"),
)
NUMBERS: Options = (
    ("eq", "exactly"),
    ("gte", "at least"),
    ("gt", "more than"),
    ("lte", "at most"),
    ("lt", "less than"),
    ("ne", "any number but"),
    ("between", "between"),
    ("in", "one of"),
    ("not_in", "none of"),
)
LISTS = ("in", "not_in", "between")
SPARE = "+"
"""The number of the row that is not there yet."""


class Row(NamedTuple):
    """One comparison of one property; `op` "" where what stands there is no comparison that a row shows."""

    path: str
    op: str
    value: JSON


class Where(Piece):
    """A predicate: properties with what they are compared with, a row each."""

    def __init__(self, key: str, label: str, *, timed: bool = False, help: str = "") -> None:
        self.keys, self.label, self.help = (key,), label, help
        self.options = COMPARING + OF_TIME if timed else COMPARING

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, *self.keys)
        known = rows_of(found(body, name), dict(self.options))
        if known is None:
            return (Widget(name, self.label, said(found(body, name)), "code", help="as YAML"),)
        rows = [*enumerate(known), (SPARE, Row("", "eq", None))]
        shown = tuple(self._row(f"{name}#{number}", one) for number, one in rows)
        return (Widget(name, self.label, sort="rows", rows=shown, help=self.help),)

    def _row(self, name: str, row: Row) -> tuple[Widget, ...]:
        return (
            Widget(f"{name}.path", "Property", row.path, placeholder="property"),
            Widget(f"{name}.op", "Compared", row.op, "choice", self.options),
            Widget(f"{name}.value", "Value", typed(row.op, row.value), placeholder="value"),
        )

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, *self.keys)
        if name in texts:
            put(body, name, read(texts[name])) if texts[name] else take(body, name)
            return
        made: Body = {}
        for path, op, value in _posted(name, texts):
            one = {op: value_of(op, value)}
            before = made.get(path)
            made[path] = one["eq"] if op == "eq" and path not in made else {**_operators(before), **one}
        put(body, name, made) if made else take(body, name)


def _operators(value: JSON) -> Body:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"eq": value}


def _posted(name: str, texts: Texts) -> Iterable[tuple[str, str, str]]:
    """(property, operator, value as typed) of each row that names a property."""
    numbers = [one.removeprefix(f"{name}#").removesuffix(".path") for one in texts if one.endswith(".path")]
    for number in numbers:
        path, op, value = (texts.get(f"{name}#{number}.{part}", "") for part in ("path", "op", "value"))
        if path:
            yield path, op or "eq", value


def rows_of(value: JSON, operators: dict[str, str]) -> list[Row] | None:
    """The rows of a predicate; None where rows cannot show it."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return None
    rows: list[Row] = []
    for path, compared in value.items():
        if not isinstance(compared, dict) or compared.keys() == {"ref"}:
            rows.append(Row(path, "eq", compared))
        elif not compared or not compared.keys() <= operators.keys():
            return None
        else:
            rows += [Row(path, op, one) for op, one in compared.items()]
    return rows


def typed(op: str, value: JSON) -> str:
    """What is typed for a value: texts as they are, unless YAML would take them for something else."""
    if value is None:
        return ""
    if op in LISTS and isinstance(value, list):
        found = (
            listed(value) if all(isinstance(one, str) for one in value) else ", ".join(map(typed_one, value))
        )
        return found if value_of(op, found) == value else said(value)
    return typed_one(value)


def typed_one(value: JSON) -> str:
    plain = said(value)
    return plain if same_as(read(plain), value) else f"'{plain}'" if isinstance(value, str) else plain


def same_as(one: JSON, other: JSON) -> bool:
    return type(one) is type(other) and one == other


def value_of(op: str, text: str) -> JSON:
    """The value that was typed."""
    whole = read(text) if text else ""
    if op in LISTS and not isinstance(whole, list):
        return [read(str(one)) for one in parted(text)]
    return whole


class Traits(Piece):
    """A mapping of traits, a row each with the value: a value, `now`, or `{ref: event.basket_id}`."""

    def __init__(self, key: str, label: str, help: str = "") -> None:
        self.keys, self.label, self.help = (key,), label, help

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, *self.keys)
        value = found(body, name)
        if value is not None and not isinstance(value, dict):
            return (Widget(name, self.label, said(value), "code", help="as YAML"),)
        rows = [*enumerate((value or {}).items()), (SPARE, ("", None))]
        shown = tuple(
            (
                Widget(f"{name}#{number}.path", "Trait", trait, placeholder="trait"),
                Widget(f"{name}#{number}.value", "Value", typed("", one), placeholder="now"),
            )
            for number, (trait, one) in rows
        )
        return (Widget(name, self.label, sort="rows", rows=shown, help=self.help),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, *self.keys)
        if name in texts:
            put(body, name, read(texts[name]))
        else:
            put(body, name, {path: value_of("", value) for path, _, value in _posted(name, texts)})


class Compare(Piece):
    """Operators on a number or a length of time: how, and with what."""

    def __init__(self, key: str, label: str, placeholder: str = "", options: Options = NUMBERS) -> None:
        self.keys = (key,) if key else tuple(op for op, _ in options)
        self.key, self.label, self.placeholder, self.options = key, label, placeholder, options

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, self.key) if self.key else at
        op, value = self._one(found(body, name))
        if op is None:
            return (Widget(f"{name}#all", self.label, said(value), "code", help="as YAML", covers=(name,)),)
        return (
            Widget(f"{name}#op", self.label, op, "choice", self.options),
            Widget(
                f"{name}#value",
                "Of" if not self.label else "Number",
                typed(op, value),
                placeholder=self.placeholder,
                covers=(name, *(under(name, one) for one, _ in self.options)),
            ),
        )

    def _one(self, value: JSON) -> tuple[str | None, JSON]:
        if not isinstance(value, dict):
            return ("gte" if value is None else "eq"), value
        here = value if self.key else {key: one for key, one in value.items() if key in self.keys}
        if len(here) > 1 or not here.keys() <= dict(self.options).keys():
            return None, here
        return next(iter(here.items()), ("gte", None))

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, self.key) if self.key else at
        if f"{name}#all" in texts:
            said = read(texts[f"{name}#all"])
        else:
            op = texts[f"{name}#op"]
            said = {op: value_of(op, texts[f"{name}#value"])}
        if self.key:
            put(body, name, said)
        elif isinstance(here := found(body, at), dict) and isinstance(said, dict):
            put(body, at, {key: one for key, one in here.items() if key not in self.keys} | said)
