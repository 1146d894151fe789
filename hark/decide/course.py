"""One version of one campaign, compiled for walking: matches with their tests, thresholds of the draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from hark.definitions.types import Campaign, EventMatch, Send, Step, Variant, Wait
from hark.model import DAY, Event, Instant
from hark.understand import operators

Test: TypeAlias = Callable[[bytes], bool]

GRACE_US = DAY
"""How late a goal may arrive, after its window, and still be counted by the run (semantics: 24 h)."""


class Match:
    """An EventMatch, compiled: the names it takes, and the test of the raw properties (None: all pass)."""

    __slots__ = ("names", "test")

    def __init__(self, match: EventMatch) -> None:
        self.names = frozenset(match.names)
        self.test: Test | None = operators.compile(match.where) if match.where else None

    def takes(self, event: Event) -> bool:
        """Whether the event is one of those."""
        return event.name in self.names and (self.test is None or self.test(event.properties))


class Course:
    """One version of one campaign, ready to be walked."""

    __slots__ = (
        "campaign", "checks", "first_channels", "goal", "goal_us", "key", "name", "shares", "starts_when",
        "steps", "untils", "version",
    )  # fmt: skip

    def __init__(self, campaign: Campaign, version: int) -> None:
        self.campaign = campaign
        self.name = campaign.name
        self.version = version
        self.key = (campaign.name, version)
        self.starts_when = Match(campaign.trigger.event) if campaign.trigger.event else None
        self.goal = Match(campaign.goal.event) if campaign.goal else None
        self.goal_us = campaign.goal.within_us if campaign.goal else 0
        self.shares = thresholds(campaign.variants)
        self.steps: dict[str, tuple[Step, ...]] = {
            variant.name: variant.steps for variant in campaign.variants
        }
        self.untils = {(name, index): Match(until) for name, index, until in _untils(campaign.variants)}
        self.first_channels = _first_channels(campaign.variants)
        self.checks: tuple[Any, ...] = ()
        """The rules of eligibility that this campaign can fail (`rules`); compiled at the first entry."""

    def until(self, variant: str, index: int) -> Match | None:
        """The event which ends the wait that stands at this place, if one does."""
        return self.untils.get((variant, index))

    def goal_until(self, entered_at: Instant) -> Instant:
        """The last instant at which the goal of an entry at `entered_at` counts."""
        return entered_at + self.goal_us


def thresholds(variants: Sequence[Variant]) -> tuple[tuple[float, str, float], ...]:
    """(upper end of its part of [0, 1), variant, its share), in the order of the document."""
    total = sum(variant.weight for variant in variants)
    ends = accumulate(variant.weight for variant in variants)
    return tuple(
        (end / total, variant.name, variant.weight / total)
        for end, variant in zip(ends, variants, strict=True)
    )


def _untils(variants: Sequence[Variant]) -> Iterator[tuple[str, int, EventMatch]]:
    for variant in variants:
        for index, step in enumerate(variant.steps):
            if isinstance(step, Wait) and step.until:
                yield variant.name, index, step.until


def _first_channels(variants: Sequence[Variant]) -> frozenset[str]:
    """The channels of the variants' first sends: who can be reached by one of them is reachable."""
    firsts = (next((step for step in variant.steps if isinstance(step, Send)), None) for variant in variants)
    return frozenset(first.channel for first in firsts if first)
