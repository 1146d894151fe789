"""What a customer has agreed to, topic by topic (`understand.conditions.answers`)."""

from __future__ import annotations

from collections.abc import Mapping

from hark.decide.plan import Plan
from hark.definitions.types import Topic
from hark.model import Record
from hark.understand.conditions import answers


def state(record: Record, plan: Plan, topic: str, channel: str) -> str:
    """in, out or pending: the customer's answer, else the topic's default (out for an unknown topic)."""
    return held(record, plan.topics, topic, channel)


def held(record: Record, topics: Mapping[str, Topic], topic: str, channel: str) -> str:
    """The same, where there is no plan but only the topics."""
    return answers.state(record.consents, topics.get(topic), topic, channel)
