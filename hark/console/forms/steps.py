"""Steps of a campaign as fields: what leaves, the four waits, ways within, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hark.console.forms.blocks import Block, Making, Part, Shape, Whole
from hark.console.forms.conditions import condition
from hark.console.forms.pointers import Body, found, put, under
from hark.console.forms.rows import Traits, Where
from hark.console.forms.widgets import (
    UNSHOWN,
    Entry,
    Event,
    Named,
    Names,
    Options,
    Piece,
    Texts,
    Widget,
    listed,
    parted,
    said,
    words,
)
from hark.definitions.sending import CUSTOMERS
from hark.definitions.steps import DAYS
from hark.model import JSON

SEVERAL = "several"


class Ways(Piece):
    """By which channel a message goes, with its template: one, or several in an order with a template each
    (or one for all)."""

    keys = ("channel", "channels", "template")

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        here, by = found(body, at), under(at, "channel")
        many = "channels" in here
        channel = SEVERAL if many else said(here.get("channel"))
        known = ((one, one) for one in dict.fromkeys([channel, *CUSTOMERS]) if one != SEVERAL)
        shown = [
            Widget(by, "By", channel, "choice", (*known, (SEVERAL, "the first by which they can be reached")))
        ]
        template = here.get("template")
        if many:
            shown.append(
                Widget(
                    under(at, "channels"),
                    "Channels, in order",
                    listed(here["channels"]),
                    placeholder="push, email",
                )
            )
        if isinstance(template, dict):
            return [
                *shown,
                *(
                    Widget(under(at, "template", one), f"Template for {one}", said(name), list="templates")
                    for one, name in template.items()
                ),
            ]
        return [*shown, Widget(under(at, "template"), "Template", said(template), list="templates")]

    def put(self, body: Body, at: str, texts: Texts) -> None:
        here = found(body, at)
        many, wanted = "channels" in here, texts[under(at, "channel")]
        channels = parted(texts.get(under(at, "channels"), "")) if many else [here.get("channel", "email")]
        template = here.get("template")
        if isinstance(template, dict):
            given = {one: texts.get(under(at, "template", one), said(name)) for one, name in template.items()}
            template = {one: given.get(str(one), "") for one in channels}
        else:
            template = texts[under(at, "template")]
        if many != (wanted == SEVERAL):
            template = dict.fromkeys(channels, template) if not many else _first(template)
        by: Body = {"channels": channels} if wanted == SEVERAL else {"channel": wanted}
        rest = {key: one for key, one in here.items() if key not in self.keys}
        put(body, at, {**by, "template": template, **rest})


def _first(template: JSON) -> JSON:
    return next(iter(template.values()), "") if isinstance(template, dict) else template


class Waiting(Piece):
    """Which of the four waits it is."""

    late = True

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        kind = wait_of(found(body, under(at, "wait")))
        options = tuple((name, shape.title) for name, shape in WAITS.items())
        options = (*options, (UNSHOWN, "as the YAML says")) if kind == UNSHOWN else options
        return (Widget(f"{at}#wait", "Wait", kind, "choice", options),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        if texts[f"{at}#wait"] in WAITS:
            put(body, under(at, "wait"), WAITS[texts[f"{at}#wait"]].start)


def wait_of(value: JSON) -> str:
    if not isinstance(value, dict):
        return UNSHOWN
    return next((kind for kind in ("until", "at", "to", "for") if kind in value), UNSHOWN)


ZONE = Entry(
    "zone", "In the time of", placeholder="customer", help="customer, or a zone such as Europe/London"
)
WAITS: Mapping[str, Shape] = {
    "for": Shape("for a time", (Entry("for", "For", needed=True, placeholder="3d"),), {"for": "1d"}),
    "until": Shape("until something happens", (), {"until": {"event": "Order Completed"}, "for": "3d"}),
    "at": Shape(
        "until a time of day",
        (
            Entry("at", "At", needed=True, placeholder="09:00"),
            Names("days", "On", placeholder="every day", help=", ".join(DAYS)),
            ZONE,
        ),
        {"at": "09:00"},
    ),
    "to": Shape(
        "until a moment that is known",
        (
            Entry(
                "to",
                "Moment",
                needed=True,
                placeholder="event.starts_at",
                help="of what began it, or of the customer",
            ),
            Entry("offset", "Before or after it", placeholder="-24h"),
            words(
                "if_past",
                "If that is past",
                "skip",
                "continue",
                "exit",
                help="skip: leave out the steps up to the next wait",
            ),
        ),
        {"to": "event.starts_at", "offset": "-24h"},
    ),
}
ID = Entry("id", "Name of the step", placeholder="reminder", help="keeps it the same across versions")
STEPS: Mapping[str, Shape] = {
    "send": Shape(
        "Send",
        (Ways(),),
        {"channel": "email", "template": ""},
        more=(
            Entry("with", "With", reads=True, sort="code", help="what its template sees as data"),
            Entry("expires", "Expires", placeholder="2d", help="not sent later than so long after"),
            Entry("sender", "Sender", list="senders", help="that one alone"),
            Entry(
                "content",
                "Content",
                reads=True,
                sort="code",
                placeholder="by_stage",
                help="from the catalogue",
            ),
        ),
    ),
    "wait": Shape("Wait", (), {"for": "1d"}),
    "branch": Shape("Branch", (), [{"when": {"trait": {"plan": "pro"}}, "steps": []}]),
    "split": Shape("Split", (), {"a": {"steps": []}, "b": {"steps": []}}),
    "update": Shape(
        "Update traits",
        (Traits("traits", "Set", help="a value, now, or {ref: event.basket_id}"),),
        {"traits": {}},
    ),
    "webhook": Shape(
        "Call another system",
        (
            Entry("sender", "Sender", needed=True, list="senders"),
            Entry(
                "body",
                "Body",
                reads=True,
                sort="code",
                help="as YAML; without it the customer and what began it",
            ),
        ),
        {"sender": ""},
    ),
    "task": Shape(
        "Ask the team",
        (
            Entry("for", "Team", needed=True, placeholder="support"),
            Entry("says", "What to do", needed=True, sort="area"),
            Entry("assignee", "Assignee", placeholder="customer.owner", help="or an account's e-mail"),
            Entry("due", "Due within", placeholder="2d"),
        ),
        {"for": "", "says": ""},
    ),
    "exit": Shape(
        "End", (Entry("exit", "For the reason", needed=True, placeholder="nothing to say"),), "", within=False
    ),
}
ADDS: Options = tuple((kind, shape.title) for kind, shape in STEPS.items())
LISTS = ("branch",)


def step(making: Making, at: str) -> Block:
    """A step with its fields, and the steps within it."""
    value = found(making.body, at)
    kind = kind_of(value)
    if kind == UNSHOWN:
        return Block(
            at, "In the YAML only", making.widgets([Whole()], at), wrong=making.at(at), line=making.line(at)
        )
    made = making.block(at, kind, _shape(kind, value), [Waiting()] if kind == "wait" else (), ("id",))
    return _with_id(making, made, at)


def _with_id(making: Making, made: Block, at: str) -> Block:
    from msgspec.structs import replace

    return replace(made, more=made.more + making.widgets([ID], at))


def kind_of(value: JSON) -> str:
    """The kind whose fields show it."""
    kinds = [kind for kind in STEPS if kind in value] if isinstance(value, dict) else []
    if len(kinds) != 1:
        return UNSHOWN
    inner = value[kinds[0]]
    right = {"branch": list, "exit": str}.get(kinds[0], dict)
    return kinds[0] if isinstance(inner, right) else UNSHOWN


def _shape(kind: str, value: JSON) -> Shape:
    """The kind's, with what it has to show of this step."""
    shape = STEPS[kind]
    if kind == "wait" and (wait := wait_of(value["wait"])) in WAITS:
        parts = _until if wait == "until" else shape.parts
        return shape._replace(pieces=WAITS[wait].pieces, parts=parts)
    return (
        shape._replace(parts=_ways if kind == "branch" else _split) if kind in ("branch", "split") else shape
    )


def _until(making: Making, at: str) -> tuple[Part, ...]:
    inner = under(at, "until")
    pieces: list[Piece] = [Event("Event", "what ends the wait")]
    if isinstance(found(making.body, inner), dict):
        pieces.append(Where("where", "Where", help="a value may be {ref: event.basket_id}"))
    widgets = making.widgets(pieces, inner) + making.widgets(
        [Entry("for", "At most", needed=True, placeholder="3d")], at
    )
    return (
        Part(
            inner,
            "",
            (
                Block(
                    inner,
                    "",
                    widgets,
                    also=making.also(inner, ("event", "any_of", "where")),
                    wrong=making.at(inner),
                ),
            ),
        ),
    )


def _ways(making: Making, at: str) -> tuple[Part, ...]:
    ways = found(making.body, at)
    adds: Options = (("way", "Another way"),)
    if not any(isinstance(way, dict) and "otherwise" in way for way in ways):
        adds += (("otherwise", "Otherwise"),)
    return (making.listed(at, "The first that fits", _way, adds),)


def _way(making: Making, at: str) -> Block:
    value = found(making.body, at)
    if not isinstance(value, dict):
        return Block(at, "Way", making.widgets([Whole()], at), wrong=making.at(at), line=making.line(at))
    wrong, line = making.at(at), making.line(at)
    if "otherwise" in value:
        parts: tuple[Part, ...] = (steps(making, under(at, "otherwise"), ""),)
        return Block(
            at, "Otherwise", parts=parts, also=making.also(at, ("otherwise",)), wrong=wrong, line=line
        )
    when = Part(under(at, "when"), "", (condition(making, under(at, "when"), "Whoever"),))
    parts = (when, steps(making, under(at, "steps"), "Then"))
    return Block(at, "If", parts=parts, also=making.also(at, ("when", "steps")), wrong=wrong, line=line)


def _split(making: Making, at: str) -> tuple[Part, ...]:
    return (making.listed(at, "Drawn by weight", _drawn, (("drawn", "Another way"),)),)


def _drawn(making: Making, at: str) -> Block:
    pieces = [Named("Name"), Entry("weight", "Weight", reads=True, placeholder="1")]
    also = making.also(at, ("weight", "steps"))
    parts = (steps(making, under(at, "steps"), ""),)
    return Block(
        at,
        "Way",
        making.widgets(pieces, at),
        parts=parts,
        also=also,
        wrong=making.at(at),
        line=making.line(at),
    )


def steps(making: Making, at: str, label: str = "Steps") -> Part:
    """A list of steps."""
    return making.listed(at, label, step, ADDS)


def new_step(kind: str) -> JSON:
    return {kind: STEPS[kind].start}
