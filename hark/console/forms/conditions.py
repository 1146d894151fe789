"""A condition as fields: its kind, what that kind asks, and the conditions within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hark.console.forms.blocks import Block, Making, Part, Shape, Whole
from hark.console.forms.counts import Measure, Window
from hark.console.forms.pointers import Body, found, put, take, under
from hark.console.forms.rows import Compare, Where
from hark.console.forms.widgets import (
    UNSHOWN,
    Choose,
    Entry,
    Event,
    Named,
    Options,
    Piece,
    Texts,
    Widget,
    said,
    words,
)
from hark.definitions.sending import CUSTOMERS
from hark.model import JSON

SPAN: Options = (("gte", "at least"), ("gt", "more than"), ("lte", "at most"), ("lt", "less than"))
STEP: Options = (("", "exactly"), ("at_least", "at least"), ("at_most", "at most"))


class Standing(Piece):
    """A level or stage: alone for exactly it, or `at_least` or `at_most`."""

    def __init__(self, key: str, label: str, list: str) -> None:
        self.keys, self.key, self.label, self.list = (key,), key, label, list

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        name = under(at, self.key)
        value = found(body, name)
        if isinstance(value, dict) and len(value) != 1:
            return (Widget(f"{name}#all", self.label, said(value), "code", help="as YAML", covers=(name,)),)
        op, level = next(iter(value.items())) if isinstance(value, dict) else ("", value)
        covers = (name, under(name, "at_least"), under(name, "at_most"))
        return (
            Widget(f"{name}#op", self.label, op, "choice", STEP),
            Widget(f"{name}#value", "Name", said(level), list=self.list, covers=covers),
        )

    def put(self, body: Body, at: str, texts: Texts) -> None:
        name = under(at, self.key)
        if f"{name}#all" in texts:
            Whole().put(body, name, {name: texts[f"{name}#all"]})
            return
        op, level = texts[f"{name}#op"], texts[f"{name}#value"]
        put(body, name, {op: level} if op else level)


class Kind(Piece):
    """What sort of condition stands there; another one keeps what it can. `nothing` is what it is called to
    have none, where that may be."""

    late = True

    def __init__(self, label: str = "Who", nothing: str = "") -> None:
        self.label, self.nothing = label, nothing

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        kind = kind_of(found(body, at))
        options = tuple((name, shape.title) for name, shape in KINDS.items())
        if self.nothing or not kind:
            options = (("", self.nothing or "choose"), *options)
        if kind == UNSHOWN:
            options = (*options, (UNSHOWN, "as the YAML says"))
        return (Widget(f"{at}#kind", self.label, kind, "choice", options),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        kind = texts[f"{at}#kind"]
        if kind in KINDS:
            put(body, at, {kind: begun(kind, found(body, at))})
        elif not kind:
            take(body, at)


def kind_of(value: JSON) -> str:
    """The kind whose fields show it; "" for nothing, UNSHOWN where none does."""
    if value is None or value == {}:
        return ""
    if not isinstance(value, dict) or len(value) != 1:
        return UNSHOWN
    ((kind, inner),) = value.items()
    if kind not in KINDS:
        return UNSHOWN
    return kind if fits(kind, inner) else UNSHOWN


def fits(kind: str, inner: JSON) -> bool:
    """Whether what stands there is of the form that the kind's fields show."""
    if kind in SEVERAL:
        return isinstance(inner, list)
    if kind in ("did", "did_not", "since_last", "change"):
        return isinstance(inner, dict) or (isinstance(inner, str) and kind.startswith("did"))
    if kind in ("in_segment", "reachable"):
        return not isinstance(inner, dict | list)
    if kind == "sequence":
        return isinstance(inner, dict) and isinstance(inner.get("steps", []), list)
    return kind in ("not", "trait", "stage") or isinstance(inner, dict)


SEVERAL = ("all", "any")
CARRIED = ("event", "any_of", "where", "within", "between", "today", "since")


def begun(kind: str, old: JSON) -> JSON:
    """What a condition of this kind begins with: groups hold what stood there, and kinds about one event
    keep it."""
    if kind in SEVERAL:
        return _members(old) or [{"did": KINDS["did"].start}]
    if kind == "not":
        return next(iter(_members(old)), {"did": KINDS["did"].start})
    start = KINDS[kind].start
    inner = next(iter(old.values()), None) if isinstance(old, dict) else None
    if kind in ("did", "did_not"):
        if isinstance(inner, str) and kind_of(old) in ("did", "did_not"):
            return inner
        kept = {key: one for key, one in inner.items() if key in CARRIED} if isinstance(inner, dict) else {}
        return kept if "event" in kept or "any_of" in kept else start
    return start


def _members(old: JSON) -> list[JSON]:
    if not isinstance(old, dict) or not old:
        return []
    kind, inner = next(iter(old.items()))
    if kind in SEVERAL and isinstance(inner, list):
        return inner
    return [inner] if kind == "not" and isinstance(inner, dict) else [old]


def condition(making: Making, at: str, label: str = "Who", nothing: str = "") -> Block:
    """A condition with its fields."""
    kind = kind_of(found(making.body, at))
    first = [Kind(label, nothing)]
    if kind in KINDS:
        return making.block(at, kind, KINDS[kind]._replace(title=""), first)
    pieces = [*first, Whole()] if kind else first
    return Block(at, "", making.widgets(pieces, at), wrong=making.at(at), line=making.line(at))


MORE: Options = (("condition", "Another condition"),)


def _several(making: Making, at: str) -> tuple[Part, ...]:
    return (making.listed(at, "", condition, MORE),)


def _inner(making: Making, at: str) -> tuple[Part, ...]:
    return (Part(at, "", (condition(making, at),)),)


def _of_group(making: Making, at: str) -> tuple[Part, ...]:
    """`group` has one type of group, and a predicate under it."""
    value = found(making.body, at)
    types = list(value) if isinstance(value, dict) else []
    blocks = tuple(
        Block(
            under(at, one),
            "",
            making.widgets([Named("Type of group")], under(at, one))
            + making.widgets([Where(one, "Traits", timed=True)], at),
            wrong=making.at(under(at, one)),
        )
        for one in types
    )
    return (Part(at, "", blocks),)


def _sequence(making: Making, at: str) -> tuple[Part, ...]:
    adds = (("then", "Then an event"), ("never", "But not an event"))
    return (making.listed(under(at, "steps"), "In this order", _sequence_step, adds),)


def _sequence_step(making: Making, at: str) -> Block:
    value = found(making.body, at)
    never = isinstance(value, dict) and "not" in value
    inner = under(at, "not") if never else at
    shown = ("event", "any_of", "where", "within")
    also = (
        making.also(at, ("not", "within")) + making.also(inner, ("event", "any_of", "where"))
        if never
        else making.also(at, shown)
    )
    within = Entry("within", "Within", placeholder="3d", help="of the step before")
    widgets = making.widgets([Event()], inner)
    if isinstance(found(making.body, inner), dict):
        widgets += making.widgets([Where("where", "Where")], inner)
    if isinstance(value, dict):
        widgets += making.widgets([within], at)
    return Block(
        at, "But not" if never else "Then", widgets, also=also, wrong=making.at(at), line=making.line(at)
    )


CHANNELS: Mapping[str, tuple[str, JSON]] = {one: (one, one) for one in CUSTOMERS}
KINDS: dict[str, Shape] = {
    "did": Shape(
        "did something", (Event(), Where("where", "Where"), Measure(), Window()), {"event": "Order Completed"}
    ),
    "did_not": Shape(
        "did not do something",
        (Event(), Where("where", "Where"), Window()),
        {"event": "Order Completed", "within": "30d"},
    ),
    "trait": Shape("has traits", (Where("trait", "Traits", timed=True),), {"country": "GB"}, within=False),
    "in_segment": Shape(
        "is in a segment", (Entry("in_segment", "Segment", needed=True, list="segments"),), "", within=False
    ),
    "all": Shape("fits all of these", (), [], parts=_several),
    "any": Shape("fits at least one of these", (), [], parts=_several),
    "not": Shape("does not fit this", (), {}, parts=_inner),
    "sequence": Shape(
        "did things in an order",
        (Entry("within", "Begun in the last", placeholder="30d"),),
        {"steps": ["Signed Up", "Order Completed"]},
        parts=_sequence,
    ),
    "since_last": Shape(
        "did it last so long ago",
        (Event(), Where("where", "Where"), Compare("", "Ago", "14d", SPAN)),
        {"event": "Order Completed", "gte": "14d"},
    ),
    "change": Shape(
        "does more or less than before",
        (
            Event(),
            Where("where", "Where"),
            words("measure", "Counting", "times", "days"),
            Entry("window", "In the last", needed=True, placeholder="14d"),
            Compare("ratio", "Of what it was before", "0.5"),
        ),
        {"event": "Order Completed", "measure": "days", "window": "14d", "ratio": {"lte": 0.5}},
    ),
    "returned": Shape(
        "came back after a gap",
        (
            Entry("after_gap", "After", needed=True, placeholder="30d"),
            Entry("within", "In the last", needed=True, placeholder="7d"),
        ),
        {"after_gap": "30d", "within": "7d"},
    ),
    "pace": Shape(
        "is slower than most",
        (
            Entry("from", "From", needed=True, list="names"),
            Entry("to", "To", needed=True, list="names"),
            Entry(
                "slower_than",
                "Slower than",
                reads=True,
                needed=True,
                placeholder="0.9",
                help="as a share of those who go on",
            ),
            Choose(
                "stayed",
                "Compared with",
                {
                    "": ("those who stayed", None),
                    "yes": ("those who stayed", "yes"),
                    "no": ("everybody", "no"),
                },
            ),
        ),
        {"from": "Signed Up", "to": "Order Completed", "slower_than": 0.9},
    ),
    "engagement": Shape(
        "is at a level of engagement",
        (
            Entry("definition", "Definition", needed=True, list="engagements"),
            Standing("level", "Level", "levels"),
        ),
        {"definition": "", "level": {"at_least": ""}},
    ),
    "stage": Shape(
        "is at a stage of the decision",
        (Standing("stage", "Stage", "stages"),),
        {"at_least": "evaluating"},
        within=False,
    ),
    "consent": Shape(
        "has said yes or no",
        (
            Entry("topic", "Topic", needed=True, list="topics"),
            Choose("channel", "By", {"": ("email", None), **CHANNELS}),
            Choose("state", "Says", {one: (one, one) for one in ("in", "out", "pending")}),
        ),
        {"topic": "", "state": "in"},
    ),
    "reachable": Shape("can be reached", (Choose("reachable", "By", CHANNELS),), "email", within=False),
    "group": Shape("belongs to a group", (), {"account": {"plan": "pro"}}, parts=_of_group),
}
"""In the order in which they are offered."""
