"""How campaigns are written: trigger, goal, control, variants and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hark.definitions.conditions import ANYWHERE
from hark.definitions.goals import ALSO, GOAL, GUARDRAILS
from hark.definitions.problems import nearest
from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Share,
    Text,
    Truth,
    Values,
)
from hark.definitions.steps import STEPS, Steps, Variants, every, last_send_us
from hark.definitions.subjects import SUBJECT
from hark.definitions.times import Moment
from hark.definitions.triggers import TRIGGER, named
from hark.definitions.types import GUARDRAILS as GUARDED
from hark.definitions.types import Campaign, Goal, Send, Variant
from hark.definitions.yaml import Node
from hark.model import DAY, JSON

DEFAULT_CONTROL = 0.2
"""The share left alone under `control: auto` while there is no history to derive it from."""
ONLY_VARIANT = "treatment"
"""The name of the variant of a campaign that is written with `steps:` alone."""


class Left(NamedTuple):
    """The share left alone, and whether it was left to the back-test."""

    share: float
    auto: bool = False


AUTO = Left(DEFAULT_CONTROL, True)
_WORDS = {"auto": AUTO, "none": Left(0.0)}
PROPOSED = Record(
    "control", {"auto": Share(0.1, 0.5)}, lambda values, _n, _r: Left(values["auto"], True), ("auto",)
)
"""What `auto` came to when the campaign was applied."""


@dataclass(frozen=True)
class Control(Shape[Left]):
    """`auto`, `none`, a share, or what auto came to: `{auto: 31%}`."""

    def read(self, node: Node, reading: Reading) -> Left | Invalid:
        if isinstance(node.value, dict):
            return PROPOSED.read(node, reading)
        if isinstance(node.value, str) and node.value in _WORDS:
            return _WORDS[node.value]
        if not isinstance(node.value, str | int | float) or isinstance(node.value, bool):
            return reading.expected(node, "auto, none or a share", "10% or 0.1")
        if isinstance(node.value, str) and not node.value.endswith("%"):
            return reading.expected(node, "auto, none or a share", nearest(node.value, ("auto", "none")))
        share = Share(0, 0.9).read(node, reading)
        if share == 0:
            return reading.refuse(node, "a control of nothing is written none", "with why:")
        return share if isinstance(share, Invalid) else Left(share)

    def schema(self) -> JSON:
        return {"anyOf": [{"enum": ["auto", "none"]}, Share(0, 0.9).schema(), PROPOSED.schema()]}


@dataclass(frozen=True)
class DecideBy(Shape[Mapping[str, int]]):
    """A date, or a number of people, under the name that the campaign has for it."""

    def read(self, node: Node, reading: Reading) -> Mapping[str, int] | Invalid:
        people = isinstance(node.value, int)
        found = (Number(40, 999_999, whole=True) if people else Moment()).read(node, reading)
        if isinstance(found, Invalid):
            return found
        return {"decide_people" if people else "decide_at": int(found)}

    def schema(self) -> JSON:
        return {"anyOf": [Number(40, 999_999, whole=True).schema(), Moment().schema()]}


PAUSED: Shape[Mapping[str, bool]] = Either(
    Mapped(Truth(), lambda paused, _node, _reading: {"paused": paused}),
    Record(
        "paused",
        {"timers": Choice(("keep", "pass"))},
        lambda values, _n, _r: {"paused": True, "keeps_timers": values["timers"] == "keep"},
        ("timers",),
    ),
)
"""Nobody enters and nothing is sent; waits go on (`yes`, `{timers: pass}`) or stand still (`keep`)."""

REENTER: Shape[int] = Either(
    Mapped(
        Choice(("never", "always"), hint="or {after: 90d}"),
        lambda word, _node, _reading: -1 if word == "never" else 0,
    ),
    Record("reenter", {"after": Duration()}, lambda values, _n, _r: values["after"], required=("after",)),
)
"""Microseconds from the last entry; 0: always, -1: never."""

EXIT = ListOf(
    Either(
        Choice(("goal",), hint="or {leaves: segment}"),
        Record("exit", {"leaves": NAME}, lambda values, _n, _r: ("leaves", values["leaves"]), ("leaves",)),
    ),
    "a list of reasons to leave",
)


SITUATIONS: Shape[tuple[str, ...]] = ListOf(NAME, "a list of segments")
"""In which the effect is asked for, beside the whole."""


@dataclass(frozen=True)
class Weights(Shape[dict[str, float]]):
    """A weight for each variant."""

    def read(self, node: Node, reading: Reading) -> dict[str, float] | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, "a weight for each variant", "for example {a: 2, b: 1}")
        shape = Number(0.001, 1000)
        read = {name: shape.read(child, reading) for name, child in node.value.items()}
        weights = {name: weight for name, weight in read.items() if not isinstance(weight, Invalid)}
        return weights if len(weights) == len(read) else INVALID

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "additionalProperties": Number(0.001, 1000).schema()}


class Shares(NamedTuple):
    """The variants' weights as written ({}: equal), and whether they are learned from there on."""

    weights: dict[str, float]
    learns: bool = False


ALLOCATION: Shape[Shares] = Either(
    Mapped(
        Choice(("equal", "learn"), hint="or {weights: {...}}"),
        lambda word, _node, _reading: Shares({}, word == "learn"),
    ),
    Record(
        "allocation",
        {"weights": Weights()},
        lambda values, _node, _reading: Shares(values["weights"]),
        ("weights",),
    ),
)
EQUAL = Shares({})
KEY: Shape[str] = Mapped(
    Text("a property of the trigger", r"(event|data)\.[^.\s]+(\.[^.\s]+)*", "for example event.basket_id"),
    lambda path, _node, _reading: path.partition(".")[2],
)


def _campaign(values: Values, node: Node, reading: Reading) -> Campaign | Invalid:
    before = len(reading.found)
    assert isinstance(node.value, dict)
    CampaignRules(values, node.value, node.line, reading).check()
    if len(reading.found) > before:
        return INVALID
    control = Left(0.0) if values.get("transactional") else values.get("control", AUTO)
    reenter = values.get("reenter", -1)
    leaves = [reason[1] for reason in values.get("exit", ()) if reason != "goal"]
    return Campaign(
        name=values["campaign"],
        trigger=values["trigger"],
        goal=values.get("goal"),
        variants=_variants(values),
        control=control.share,
        control_auto=control.auto,
        control_why=values.get("why", "") if control == Left(0.0) and not values.get("transactional") else "",
        reenter_us=None if reenter < 0 else reenter,
        exit_on_goal="goal" in values.get("exit", ()),
        exit_leaves=leaves[0] if leaves else None,
        fresh_us=values.get("fresh", DAY),
        per_entry=values.get("arm", False),
        group=values.get("subject", ""),
        guardrails=values.get("guardrails", () if values.get("subject") else GUARDED),
        learns=values.get("allocation", EQUAL).learns,
        **{key: values[key] for key in _AS_THEY_ARE if key in values},
        **values.get("paused", {}),
        **values.get("decide_by", {}),
    )


_AS_THEY_ARE = (
    "hypothesis",
    "intent",
    "on_retrigger",
    "expects",
    "key",
    "audience",
    "also",
    "situations",
    "topic",
    "transactional",
    "why",
    "starts",
    "ends",
    "rehearsal",
    "ramp",
    "programme",
    "exclusive",
    "assign_by",
    "worth",
)


def _variants(values: Values) -> tuple[Variant, ...]:
    steps: Mapping[str, Steps] = values.get("variants") or {ONLY_VARIANT: values["steps"]}
    weights = values.get("allocation", EQUAL).weights
    return tuple(Variant(name, one, weights.get(name, 1.0)) for name, one in steps.items())


class CampaignRules:
    """What must hold between the parts of one campaign."""

    def __init__(self, values: Values, nodes: Mapping[str, Node], line: int, reading: Reading) -> None:
        self.values, self.nodes, self.line, self.reading = values, nodes, line, reading

    def check(self) -> None:
        if self.values.get("transactional"):
            self._transactional()
        else:
            self._measured()
        self._units()
        self._key()
        self._exits()
        self._weights()
        self._dates()
        self._last_send()

    def _refuse(self, key: str, message: str, hint: str = "") -> None:
        line = self.nodes[key].line if key in self.nodes else self.line
        self.reading.add(line, message, hint)

    def _transactional(self) -> None:
        for key in ("control", "topic", "decide_by", "programme", "exclusive", "arm", "assign_by", "ramp"):
            if key in self.values:
                self._refuse(key, f"a transactional campaign has no {key}", "leave it out")
        trigger = self.values["trigger"]
        if (trigger.enters or trigger.timed) and not self.values.get("why"):
            self._refuse("transactional", f"transactional with {named(trigger)} needs a reason", "why: ...")

    def _measured(self) -> None:
        if "goal" not in self.values:
            self._refuse("campaign", "a campaign needs a goal", "goal: {event: Order Completed, within: 14d}")
        if "topic" not in self.values and self._writes():
            hint = "nobody is written to about nothing they could leave"
            self._refuse("campaign", "a campaign needs a topic", hint)
        if "goal" in self.values and self.values["goal"].response:
            message = "a response cannot be the only goal: who is left alone can give none"
            self._refuse("goal", message, "write it under also:")
        if self.values.get("control") == Left(0.0) and not self.values.get("why"):
            self._refuse("control", "control: none needs a reason", "why: ...")

    def _writes(self) -> bool:
        """Whether people are written to: of a campaign about customers that is always what it is for."""
        steps = (step for variant in _variants(self.values) for step in every(variant.steps))
        return not self.values.get("subject") or any(isinstance(step, Send) for step in steps)

    def _units(self) -> None:
        """Whatever else is drawn by the customer would part those of one group."""
        for key in ("programme", "exclusive", "arm") if "assign_by" in self.values else ():
            if key in self.values and self.values[key] is not False:
                self._refuse(key, f"assign_by and {key} don't go together: that is drawn by the customer")

    def _key(self) -> None:
        trigger = self.values["trigger"]
        if "key" in self.values and not (trigger.event or trigger.api):
            self._refuse("key", '"key" belongs to an event trigger or to api')

    def _exits(self) -> None:
        exits = self.values.get("exit", ())
        if "goal" in exits and "goal" not in self.values:
            self._refuse("exit", "there is no goal to exit on")
        if len(exits) != len(set(exits)) or sum(reason != "goal" for reason in exits) > 1:
            self._refuse("exit", "at most one goal and one {leaves: segment}")

    def _weights(self) -> None:
        weights, learns = self.values.get("allocation", EQUAL)
        if learns and len(self.values.get("variants", ())) not in range(2, 11):
            self._refuse("allocation", "there is nothing to learn", "2 to 10 variants")
        if weights and set(weights) != set(self.values.get("variants", ())):
            names = ", ".join(self.values.get("variants", ())) or "there is only one"
            self._refuse("allocation", "weights must name every variant and no other", names)

    def _dates(self) -> None:
        if "starts" in self.values and "ends" in self.values and self.values["ends"] <= self.values["starts"]:
            self._refuse("ends", "it ends before it starts")
        decide_at = self.values.get("decide_by", {}).get("decide_at")
        if decide_at is not None and decide_at <= self.values.get("starts", 0):
            self._refuse("decide_by", "it is decided before it starts")

    def _last_send(self) -> None:
        goal: Goal | None = self.values.get("goal")
        for variant in _variants(self.values):
            latest = last_send_us(variant.steps)
            if goal is not None and latest > goal.within_us:
                message = (
                    f'in "{variant.name}" the last send can fall {_days(latest)} after the entry, '
                    f"past the goal's window of {_days(goal.within_us)}"
                )
                key = "variants" if "variants" in self.nodes else "steps"
                self._refuse(key, message, "wait less, or give the goal a longer window")


def _days(us: int) -> str:
    return f"{us / DAY:.3g} days"


CAMPAIGN: Shape[Campaign] = Record(
    "campaign",
    {
        "campaign": NAME,
        "subject": SUBJECT,
        "intent": Choice(("help", "ask", "tell")),
        "hypothesis": Prose(),
        "expects": Share(-1, 1),
        "trigger": TRIGGER,
        "key": KEY,
        "audience": ANYWHERE,
        "goal": GOAL,
        "also": ALSO,
        "guardrails": GUARDRAILS,
        "situations": SITUATIONS,
        "control": Control(),
        "why": Prose("a reason"),
        "reenter": REENTER,
        "on_retrigger": Choice(("ignore", "restart", "gather")),
        "topic": NAME,
        "transactional": Truth(),
        "starts": Moment(),
        "ends": Moment(),
        "decide_by": DecideBy(),
        "fresh": Duration(),
        "exit": EXIT,
        "variants": Variants(),
        "steps": STEPS,
        "allocation": ALLOCATION,
        "paused": PAUSED,
        "rehearsal": Truth(),
        "ramp": Share(0.001, 1),
        "programme": NAME,
        "exclusive": NAME,
        "worth": Number(0.001, 1_000_000),
        "assign_by": NAME,
        "arm": Mapped(Choice(("sticky", "per_entry")), lambda word, _n, _r: word == "per_entry"),
    },
    _campaign,
    required=("campaign", "trigger"),
    one_of=(("variants", "steps"),),
)
