"""What customers say about being written to, and what holds where they have said nothing.

Answers are kept under "topic/channel"; "*" stands for all of them. The latest answer by (at, seq) among
those that apply to a topic and channel holds; without any, the topic's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hark.decide.plan import Plan
from hark.definitions.types import Topic
from hark.model import Consent, Record

ALL = "*"


class State(StrEnum):
    IN = "in"
    OUT = "out"
    PENDING = "pending"


def answer(record: Record, topic: str, channel: str) -> Consent | None:
    """The customer's own latest answer that applies to this topic and channel."""
    given = record.consents
    if not given:
        return None
    keys = (f"{topic}/{channel}", f"{topic}/{ALL}", f"{ALL}/{channel}", f"{ALL}/{ALL}")
    found = [given[key] for key in keys if key in given]
    return max(found, key=lambda one: (one.at, one.seq), default=None)


def state(record: Record, plan: Plan, topic: str, channel: str) -> str:
    """in, out or pending: the customer's answer, else the topic's default (out for an unknown topic)."""
    return held(record, plan.topics, topic, channel)


def held(record: Record, topics: Mapping[str, Topic], topic: str, channel: str) -> str:
    """The same, where there is no plan but only the topics."""
    given = answer(record, topic, channel)
    if given:
        return given.state
    known = topics.get(topic)
    return known.default if known else State.OUT.value
