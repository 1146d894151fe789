"""`consent`: what a customer has said about being written to (`answers`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from msgspec import Struct

from hark.model import JSON, Consent, Event, Instant
from hark.understand.conditions import answers
from hark.understand.conditions.base import Columns, Flags, Leaf, View


class Rule(Struct, frozen=True):
    """What of a topic decides about answers to it."""

    default: str = "out"
    opt_in: str = "double"


class HasConsent(Leaf, frozen=True, tag="consent"):
    """The customer's answer about a topic by a channel, else the topic's default, is this one."""

    keeps_summary: ClassVar[bool] = False

    topic: str
    channel: str
    state: Literal["in", "out", "pending"]
    rule: Rule | None = None
    """The topic's, once it has been looked up (`definitions.resolve`)."""

    def sentence(self) -> str:
        words = {"in": "agreed to", "out": "not agreed to", "pending": "been asked to confirm"}
        return f"have {words[self.state]} {self.topic} by {self.channel}"

    def _fits(self, given: Mapping[str, Consent]) -> bool:
        return answers.state(given, self.rule, self.topic, self.channel) == self.state

    @property
    def _terms(self) -> Mapping[str, Rule]:
        """Answers about other topics change nothing here."""
        return {self.topic: self.rule} if self.rule else {}

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self._fits(answers.told([one for one in events if one.at <= now], (), self._terms))

    def met(self, view: View, _now: Instant) -> bool:
        return self._fits(view.consents)

    def next_change(self, _view: View, _now: Instant) -> Instant | None:
        return None

    def watches(self) -> frozenset[str]:
        return answers.NAMES

    def fold(self, summary: JSON, _event: Event) -> JSON:
        return summary

    def merge(self, _one: JSON, _other: JSON) -> JSON:
        return None

    def columnar(self, columns: Columns) -> Flags:
        flags = np.full(len(columns.subjects), self._fits({}))
        for place, events, joinings in columns.consents():
            known = [one for one in events if one.at <= columns.at]
            flags[place] = self._fits(answers.told(known, joinings, self._terms))
        return flags

    def summarised(self, _columns: Columns) -> Iterator[tuple[int, JSON]]:
        return iter(())

    def leaves(self) -> Iterator[Leaf]:
        yield self
