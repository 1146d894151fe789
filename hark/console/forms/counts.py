"""How often, how much and in which window somebody did something, as fields."""

from __future__ import annotations

from collections.abc import Sequence

from hark.console.forms.pointers import Body, found, put, under
from hark.console.forms.rows import NUMBERS, typed, value_of
from hark.console.forms.widgets import Options, Piece, Texts, Widget, read, said
from hark.definitions.measures import COUNTED, QUANTITIES, WINDOWS
from hark.model import JSON

MEASURES: Options = (
    ("", "at least once"),
    ("times", "so many times"),
    ("days", "on so many days"),
    ("weeks", "in so many weeks"),
    ("months", "in so many months"),
    ("distinct", "different values of"),
    ("sum", "the sum of"),
    ("avg", "the mean of"),
    ("max", "the greatest of"),
    ("min", "the least of"),
)
OF = ("distinct", *QUANTITIES)
"""Measures of a property."""
SPANS: Options = (
    ("", "ever"),
    ("within", "in the last"),
    ("between", "between two dates"),
    ("today", "today"),
    ("since", "since the last"),
)
STARTS: dict[str, JSON] = {
    "within": "30d",
    "between": ["2026-01-01", "2026-02-01"],
    "today": "yes",
    "since": "Signed Up",
}


def mapping(body: Body, at: str) -> Body:
    """What stands there as a mapping: a name alone is an event."""
    value = found(body, at)
    if isinstance(value, dict):
        return value
    return {"event": value} if value else {}


class Measure(Piece):
    """`times` to `min` of `did`: what is counted, of which property, and with what it is compared."""

    keys = (*COUNTED, *QUANTITIES)

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        here = mapping(body, at)
        given = [key for key in here if key in self.keys]
        if len(given) > 1:
            return ()
        kind = given[0] if given else ""
        shown = [Widget(f"{at}#measure", "How often", kind, "choice", MEASURES)]
        if not kind:
            return shown
        value, name = here[kind], under(at, kind)
        if kind in OF:
            of = said(value.get("of")) if isinstance(value, dict) else said(value)
            shown.append(Widget(f"{name}/of", "Property", of, placeholder="revenue"))
        operators = (
            {key: one for key, one in value.items() if key != "of"}
            if isinstance(value, dict)
            else {"eq": value}
        )
        covers = (name, *(under(name, op) for op, _ in NUMBERS))
        if len(operators) > 1:
            return [*shown, Widget(f"{name}#all", "Compared", said(operators), help="as YAML", covers=covers)]
        op, number = next(iter(operators.items()), ("gte", None))
        return [
            *shown,
            Widget(f"{name}#op", "Compared", op, "choice", NUMBERS),
            Widget(f"{name}#value", "Number", typed(op, number), placeholder="2", covers=covers),
        ]

    def put(self, body: Body, at: str, texts: Texts) -> None:
        here = mapping(body, at)
        before = next((key for key in here if key in self.keys), "")
        kind, name = texts[f"{at}#measure"], under(at, before)
        value = here.get(before)
        if before:
            if f"{name}#all" in texts:
                value = read(texts[f"{name}#all"])
            else:
                op = texts[f"{name}#op"]
                value = {op: value_of(op, texts[f"{name}#value"])}
            of = texts.get(f"{name}/of", "")
        else:
            value, of = {"gte": 2}, ""
        value = value if isinstance(value, dict) else {}
        new = {kind: {"of": of or "revenue", **value} if kind in OF else value} if kind else {}
        put(body, at, replaced(here, self.keys, new))


def replaced(here: Body, keys: Sequence[str], new: Body) -> Body:
    """The mapping with these in place of the first of the keys, or at its end."""
    items: list[tuple[str, JSON]] = []
    for key, value in here.items():
        items += [(key, value)] if key not in keys else list(new.items())
    return dict(items) | {key: one for key, one in new.items() if key not in dict(items)}


class Window(Piece):
    """`within`, `between`, `today` or `since`."""

    keys = WINDOWS

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        here = mapping(body, at)
        given = [key for key in here if key in self.keys]
        if len(given) > 1:
            return ()
        kind = given[0] if given else ""
        shown = [Widget(f"{at}#window", "When", kind, "choice", SPANS)]
        if kind in ("", "today"):
            return shown
        name = under(at, kind)
        if kind == "within":
            return [*shown, Widget(name, "Length", said(here[kind]), placeholder="30d")]
        if kind == "between":
            return [
                *shown,
                Widget(name, "From, to", typed("between", here[kind]), placeholder="2026-01-01, 2026-02-01"),
            ]
        return [
            *shown,
            Widget(
                name,
                "Event",
                said(here[kind]),
                list="names",
                help="or entry: since the entry into the campaign",
            ),
        ]

    def put(self, body: Body, at: str, texts: Texts) -> None:
        here = mapping(body, at)
        before = next((key for key in here if key in self.keys), "")
        kind = texts[f"{at}#window"]
        if kind == before and kind in ("within", "since", "between"):
            text = texts[under(at, kind)]
            value = (
                value_of("between", text) if kind == "between" else read(text) if text[:1] == "{" else text
            )
        else:
            value = STARTS.get(kind)
        put(body, at, replaced(here, self.keys, {kind: value} if kind else {}))
