"""A campaign's document as the sections of a form."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hark.console.forms.blocks import Block, Making, Part, Whole
from hark.console.forms.conditions import condition
from hark.console.forms.pointers import Body, found, put, take, under
from hark.console.forms.rows import Where
from hark.console.forms.running import Allocation, Exits, Reenter
from hark.console.forms.sections import Section
from hark.console.forms.steps import ADDS, step, steps
from hark.console.forms.triggers import begins
from hark.console.forms.widgets import (
    Choose,
    Entry,
    Event,
    Named,
    Names,
    Piece,
    Texts,
    Widget,
    said,
    words,
    yes,
)

EVENT = (Event(), Where("where", "Where", help="a value may be {ref: event.basket_id}"))


class GoalKind(Piece):
    """Whether a goal is an event or a condition that is judged at the window's end."""

    late = True

    def widgets(self, body: Body, at: str) -> Sequence[Widget]:
        here = found(body, at)
        kind = "when" if isinstance(here, dict) and "when" in here else "event"
        options = (("event", "that something happens"), ("when", "that a condition holds at the end"))
        return (Widget(f"{at}#kind", "Goal", kind, "choice", options),)

    def put(self, body: Body, at: str, texts: Texts) -> None:
        here = found(body, at) or {}
        within = here.get("within", "14d")
        if texts[f"{at}#kind"] == "when":
            event = {key: here[key] for key in ("event", "any_of") if key in here} or {
                "event": "Order Completed"
            }
            put(body, at, {"when": {"did": {**event, "since": "entry"}}, "within": within})
        else:
            put(body, at, {"event": "Order Completed", "within": within})


WITHIN = Entry("within", "Within", needed=True, placeholder="14d")
VALUE = Entry("value", "Worth", placeholder="revenue", help="the property that says how much")
RESPONSE = yes("response", "Only the message makes it possible", help="an answer, a code: reported as a rate")


def goal(making: Making, at: str, title: str = "", also: bool = False) -> Block:
    value = found(making.body, at)
    if value is not None and not isinstance(value, dict):
        return Block(at, title, making.widgets([Whole()], at), wrong=making.at(at), line=making.line(at))
    judged = isinstance(value, dict) and "when" in value
    pieces: list[Piece] = [GoalKind(), *(() if judged else EVENT), WITHIN, *(() if judged else (VALUE,))]
    if also or (isinstance(value, dict) and "response" in value):
        pieces.append(RESPONSE)
    parts = (Part(under(at, "when"), "", (condition(making, under(at, "when")),)),) if judged else ()
    shown = [key for piece in pieces for key in piece.keys] + ["when"]
    widgets = making.widgets(pieces, at)
    return Block(
        at,
        title,
        widgets,
        parts=parts,
        also=making.also(at, shown),
        wrong=making.at(at),
        line=making.line(at),
    )


PAUSED = Choose(
    "paused",
    "State",
    {
        "": ("as the dates say", None),
        "no": ("running", "no"),
        "yes": ("paused: waits go on", "yes"),
        "pass": ("paused: waits pass", {"timers": "pass"}),
        "keep": ("paused: waits stand still", {"timers": "keep"}),
    },
)
WHAT = (
    Choose(
        "intent",
        "Intent",
        {"": ("tell", None), "tell": ("tell", "tell"), "help": ("help", "help"), "ask": ("ask", "ask")},
        "asks cost more attention",
    ),
    Entry("hypothesis", "Hypothesis", sort="area", help="why it should help, to be held against what it did"),
    Entry("expects", "Expects", reads=True, placeholder="4%", help="how much more of them reach the goal"),
    Entry("topic", "Topic", list="topics", help="what they can leave"),
)


class OfGroups(Piece):
    """Whether it is of customers or of groups of a type."""

    keys = ("subject",)

    def widgets(self, body: Body, _at: str) -> Sequence[Widget]:
        value = body.get("subject")
        group = value["group"] if isinstance(value, dict) and value.keys() == {"group"} else None
        text = said(value if group is None or not isinstance(group, str) else group)
        one = Widget("/subject", "Of whom", text, placeholder="customer", covers=("/subject/group",))
        return (replace(one, help="customer, or a type of group such as account"),)

    def put(self, body: Body, _at: str, texts: Texts) -> None:
        text = texts["/subject"]
        if text:
            put(body, "/subject", text if text == "customer" else {"group": text})
        else:
            take(body, "/subject")


WHAT_MORE = (
    OfGroups(),
    yes(
        "transactional",
        "Transactional",
        help="only what their own action calls for: no control, caps or topic",
    ),
    Names("situations", "Situations", list="segments", help="segments in which the effect is told, too"),
)
BEGINS_MORE = (
    Reenter(),
    words("on_retrigger", "A trigger while it runs", "ignore", "restart", "gather"),
    Entry("fresh", "Not later than", placeholder="1d", help="an older event starts nothing"),
    Entry("starts", "Starts", placeholder="2026-03-01"),
    Entry("ends", "Ends", placeholder="2026-06-01"),
)
KEY = Entry(
    "key",
    "One run for each",
    placeholder="event.basket_id",
    help="if a customer can be in it more than once at a time",
)
JUDGED = (
    Entry("control", "Left alone (control)", reads=True, placeholder="auto", help="auto, a share, or none"),
    Entry("why", "Why nobody", help="where the control is none"),
)
JUDGED_MORE = (
    Names("guardrails", "Must not become more", placeholder="Unsubscribed, Message Complained", list="names"),
    Entry(
        "decide_by",
        "Decide by",
        reads=True,
        placeholder="2026-06-01",
        help="a date, or a number of people; without it look every day",
    ),
    Entry(
        "worth",
        "Worth of a goal",
        reads=True,
        placeholder="1",
        help="where several campaigns want the same customer",
    ),
    Entry("programme", "Programme", list="programmes"),
    Entry("exclusive", "Exclusive group", help="of all in it one is a customer's"),
    words("arm", "Arm", "sticky", "per_entry"),
    Entry(
        "assign_by",
        "Drawn by",
        placeholder="account",
        help="a type of group, so that all of one have one arm",
    ),
)
RUNS = (Exits(),)
RUNS_MORE = (
    PAUSED,
    yes("rehearsal", "Rehearsal", help="live in everything but the hand-off"),
    Entry("ramp", "Ramp", reads=True, placeholder="5%", help="the share of people with whom it begins"),
)


def sections(making: Making, new: bool) -> tuple[Section, ...]:
    """All of a campaign."""
    name = (Entry("campaign", "Name", needed=True),) if new else ()
    return (
        Section(
            "What, and why",
            making.widgets((*name, *WHAT), ""),
            making.widgets(WHAT_MORE, ""),
            slot="/campaign",
            wrong=making.at("/campaign"),
        ),
        begins(making, BEGINS_MORE),
        Section(
            "For whom",
            parts=(
                Part(
                    "/audience",
                    "",
                    (condition(making, "/audience", "Audience", "everybody with whom it begins"),),
                ),
            ),
        ),
        Section("What it is for", parts=(Part("/goal", "", (goal(making, "/goal"),)), _also(making))),
        Section("How it is judged", making.widgets(JUDGED, ""), making.widgets(JUDGED_MORE, "")),
        _journey(making),
        Section("How it runs", making.widgets(RUNS, ""), making.widgets(RUNS_MORE, "")),
    )


def _also(making: Making) -> Part:
    return making.listed(
        "/also",
        "Reported beside it, never decides",
        lambda one, at: goal(one, at, "Goal", True),
        (("also", "Another goal"),),
    )


def _journey(making: Making) -> Section:
    if "variants" not in making.body:
        return Section(
            "Steps", parts=(steps(making, "/steps", ""),), adds=(("variants", "Test variants of them"),)
        )
    part = making.listed("/variants", "", _variant, (("variant", "Another variant"),))
    return Section("Variants", making.widgets([Allocation()], ""), parts=(part,))


def _variant(making: Making, at: str) -> Block:
    value = found(making.body, at)
    name = making.widgets([Named("Name")], at)
    if isinstance(value, dict) and "steps" not in value and any(kind in value for kind, _ in ADDS):
        one = step(making, at)
        return Block(at, "Variant", name, parts=(Part(at, "", (one,)),), line=making.line(at), wrong=())
    also = making.also(at, ("steps",))
    parts = (steps(making, under(at, "steps"), ""),)
    return Block(at, "Variant", name, parts=parts, also=also, wrong=making.at(at), line=making.line(at))
