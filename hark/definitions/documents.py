"""How each kind of document is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hark.definitions.attention import ATTENTION
from hark.definitions.beliefs import HYPOTHESIS
from hark.definitions.blocks import BRAND
from hark.definitions.campaigns import CAMPAIGN, Weights
from hark.definitions.computed import COMPUTED
from hark.definitions.conditions import ANYWHERE
from hark.definitions.contents import CONTENT
from hark.definitions.engagement import ENGAGEMENT
from hark.definitions.goals import PROGRAMME_GOAL
from hark.definitions.graded import SIGNALS
from hark.definitions.languages import IN_LANGUAGES
from hark.definitions.learned import Allocation, Effect
from hark.definitions.pace import PACED
from hark.definitions.questions import QUESTION
from hark.definitions.senders import SENDER
from hark.definitions.shapes import (
    NAME,
    Choice,
    Invalid,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Share,
    Truth,
    Values,
)
from hark.definitions.sources import SOURCE
from hark.definitions.stages import STAGE
from hark.definitions.subjects import SUBJECT
from hark.definitions.surveys import SURVEY
from hark.definitions.templates import LAYOUT, SNIPPET, TEMPLATE
from hark.definitions.tracking import EVENT
from hark.definitions.types import (
    Definition,
    Policy,
    Programme,
    Segment,
    Topic,
)
from hark.definitions.yaml import Node


def _segment(values: Values, _node: Node, _reading: Reading) -> Segment:
    return Segment(values["segment"], values["where"], group=values.get("subject", ""))


SEGMENT = Record(
    "segment",
    {"segment": NAME, "subject": SUBJECT, "where": ANYWHERE},
    _segment,
    required=("segment", "where"),
)


def _topic(values: Values, _node: Node, _reading: Reading) -> Topic:
    return Topic(
        name=values["topic"],
        says=next(iter(values.get("says", {}).values()), ""),
        says_in=values.get("says", {}) if "" not in values.get("says", {}) else {},
        default=values.get("default", "out"),
        opt_in=values.get("opt_in", "double"),
    )


TOPIC = Record(
    "topic",
    {
        "topic": NAME,
        "says": IN_LANGUAGES,
        "default": Choice(("out", "in")),
        "opt_in": Choice(("single", "double")),
    },
    _topic,
    required=("topic",),
)


def _internal(values: Values, _node: Node, _reading: Reading) -> Policy:
    return Policy(name=values["policy"], where=values["where"])


INTERNAL = Record(
    "policy internal",
    {"policy": Choice(("internal",)), "where": ANYWHERE},
    _internal,
    required=("policy", "where"),
)


def _tracking(values: Values, _node: Node, _reading: Reading) -> Policy:
    return Policy(values["policy"], opens=values.get("opens", False), clicks=values.get("clicks", False))


TRACKING = Record(
    "policy tracking",
    {"policy": Choice(("tracking",)), "opens": Truth(), "clicks": Truth()},
    _tracking,
    required=("policy",),
)
POLICIES: Mapping[str, Record[Policy]] = {"attention": ATTENTION, "internal": INTERNAL, "tracking": TRACKING}


class PolicyShape(Shape[Policy]):
    """There are three policies, each with keys of its own; its name says which."""

    def read(self, node: Node, reading: Reading) -> Policy | Invalid:
        assert isinstance(node.value, dict)
        name = node.value["policy"]
        if isinstance(read := Choice(tuple(POLICIES)).read(name, reading), Invalid):
            return read
        return POLICIES[read].read(node, reading)

    def schema(self) -> Any:
        return {"anyOf": [one.schema() for one in POLICIES.values()]}


PROGRAMME = Record(
    "programme",
    {"programme": NAME, "says": Prose(), "control": Share(0.01, 0.5), "goal": PROGRAMME_GOAL},
    lambda values, _n, _r: Programme(
        values["programme"], values["control"], values["goal"], values.get("says", "")
    ),
    required=("programme", "control", "goal"),
)


def _allocation(values: Values, node: Node, reading: Reading) -> Allocation | Invalid:
    if abs(sum(values["shares"].values()) - 1) > SHARES_SUM:
        return reading.refuse(node, "the shares of an allocation add up to 1")
    return Allocation(values["allocation"], int(values["of"]), values["shares"])


SHARES_SUM = 1e-3
ALLOCATED = Record(
    "allocation",
    {"allocation": NAME, "of": Number(1, 1_000_000, whole=True), "shares": Weights()},
    _allocation,
    required=("allocation", "of", "shares"),
)

EFFECT = Record(
    "effect",
    {
        "effect": NAME,
        "of": Number(1, 1_000_000, whole=True),
        "mean": Number(-1, 1),
        "spread": Number(0.00001, 1),
    },
    lambda values, _n, _r: Effect(values["effect"], int(values["of"]), values["mean"], values["spread"]),
    required=("effect", "of", "mean", "spread"),
)

KINDS: Mapping[str, Shape[Definition]] = {
    "segment": SEGMENT,
    "computed": COMPUTED,
    "campaign": CAMPAIGN,
    "programme": PROGRAMME,
    "allocation": ALLOCATED,
    "effect": EFFECT,
    "pace": PACED,
    "signals": SIGNALS,
    "template": TEMPLATE,
    "layout": LAYOUT,
    "snippet": SNIPPET,
    "brand": BRAND,
    "topic": TOPIC,
    "policy": PolicyShape(),
    "sender": SENDER,
    "source": SOURCE,
    "event": EVENT,
    "question": QUESTION,
    "engagement": ENGAGEMENT,
    "survey": SURVEY,
    "stage": STAGE,
    "hypothesis": HYPOTHESIS,
    "content": CONTENT,
}
