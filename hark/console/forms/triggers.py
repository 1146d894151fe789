"""What starts a campaign, as fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hark.console.forms.blocks import Making, Shape, Whole
from hark.console.forms.pointers import Body, found, put, under
from hark.console.forms.rows import Where
from hark.console.forms.sections import Section
from hark.console.forms.steps import ZONE
from hark.console.forms.widgets import (
    UNSHOWN,
    Choose,
    Entry,
    Event,
    Piece,
    Texts,
    Widget,
    said,
    yes,
)

REACHES = ("reaches", "falls_below")


class Reaching(Piece):
    """Coming up to a level, or losing it."""

    keys = REACHES

    def __init__(self, label: str, list: str) -> None:
        self.label, self.list = label, list

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        here = found(body, at)
        key = next((one for one in self.keys if one in here), "reaches")
        options = (("reaches", "comes up to"), ("falls_below", "falls below"))
        covers = tuple(under(at, one) for one in (*self.keys,))
        return (
            Widget(f"{at}#reaching", "Who", key, "choice", options),
            Widget(f"{at}#level", self.label, said(here.get(key)), list=self.list, covers=covers),
        )

    def put(self, body: Body, at: str, texts: Texts) -> None:
        rest = {key: one for key, one in found(body, at).items() if key not in self.keys}
        put(body, at, {**rest, texts[f"{at}#reaching"]: texts[f"{at}#level"]})


TRIGGERS: Mapping[str, Shape] = {
    "event": Shape("An event", (Event(), Where("where", "Where")), {"event": ""}, within=False),
    "enters": Shape(
        "Entering a segment",
        (
            Entry("enters", "Segment", needed=True, list="segments"),
            yes("existing", "Those already in it", "stay out", "enter at the start"),
        ),
        {"enters": ""},
        within=False,
    ),
    "engagement": Shape(
        "A level of engagement",
        (Entry("definition", "Definition", needed=True, list="engagements"), Reaching("Level", "levels")),
        {"definition": "", "reaches": ""},
    ),
    "stage": Shape("A stage of the decision", (Reaching("Stage", "stages"),), {"reaches": "evaluating"}),
    "date": Shape(
        "A date of the customer",
        (
            Entry("trait", "Trait with the date", needed=True, placeholder="trial_ends_at"),
            Entry("offset", "Before or after it", placeholder="-3d"),
            Entry("at", "At", placeholder="09:00"),
            ZONE,
            yes("yearly", "Every year", "no", "yes, as birthdays"),
        ),
        {"trait": ""},
    ),
    "schedule": Shape(
        "A schedule",
        (
            Entry(
                "cron",
                "Schedule",
                needed=True,
                placeholder="0 9 * * MON",
                help="as cron has it; 0 9 * * MON is Mondays at nine",
            ),
            ZONE,
        ),
        {"cron": "0 9 * * MON"},
    ),
    "broadcast": Shape(
        "Once, to everybody in the audience",
        (
            Entry("at", "At", needed=True, placeholder="2026-03-01T09:00"),
            ZONE,
            Choose(
                "late",
                "Who comes up late",
                {
                    "": ("is left out", None),
                    "skip": ("is left out", "skip"),
                    "send": ("up to a day late still gets it", "send"),
                },
            ),
            Entry("spread", "Spread over", placeholder="6h"),
        ),
        {"at": ""},
    ),
    "api": Shape("A call of the API", (), True, within=False),
}


class TriggerKind(Piece):
    """What starts it."""

    late = True

    def widgets(self, body: Body, _at: str) -> Sequence[Widget]:
        kind = trigger_of(body)
        options = tuple((name, shape.title) for name, shape in TRIGGERS.items())
        options = (*options, (UNSHOWN, "as the YAML says")) if kind == UNSHOWN else options
        return (Widget("/trigger#kind", "Begins with", kind, "choice", options),)

    def put(self, body: Body, _at: str, texts: Texts) -> None:
        kind = texts["/trigger#kind"]
        if kind in TRIGGERS:
            start = TRIGGERS[kind].start
            put(body, "/trigger", start if not TRIGGERS[kind].within and kind != "api" else {kind: start})


def trigger_of(body: Body) -> str:
    """The kind of trigger that the form shows: event where there is none yet."""
    trigger = body.get("trigger") or {"event": ""}
    if not isinstance(trigger, dict):
        return UNSHOWN
    kind = next((kind for kind in TRIGGERS if kind in trigger), "event" if "any_of" in trigger else UNSHOWN)
    inner = trigger.get(kind)
    return kind if kind not in TRIGGERS or not TRIGGERS[kind].within or isinstance(inner, dict) else UNSHOWN


def begins(making: Making, more: tuple[Piece, ...]) -> Section:
    kind = trigger_of(making.body)
    first = making.widgets([TriggerKind()], "/trigger")
    if kind == UNSHOWN:
        first += making.widgets([Whole()], "/trigger")
    else:
        shape = TRIGGERS[kind]
        inner = under("/trigger", kind) if shape.within else "/trigger"
        first += making.widgets(shape.pieces, inner)
        shown = [key for piece in shape.pieces for key in piece.keys]
        also = making.also(inner, [*shown, "api"]) + (
            making.also("/trigger", (kind,)) if shape.within else ()
        )
    wrong = making.at("/trigger")
    if kind in ("event", "api") or "key" in making.body:
        first += making.widgets([KEY], "")
    return Section(
        "When it begins",
        first,
        making.widgets(more, ""),
        slot="/trigger",
        wrong=wrong,
        also=() if kind == UNSHOWN else also,
    )


KEY = Entry(
    "key",
    "One run for each",
    placeholder="event.basket_id",
    help="if a customer can be in it more than once at a time",
)
