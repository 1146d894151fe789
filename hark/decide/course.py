"""One version of one campaign, compiled for walking: matches with their tests, thresholds of the draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from hark.decide.program import Fork, Instruction, first_sends, program_of
from hark.definitions.learned import Allocation
from hark.definitions.references import references
from hark.definitions.steps import every
from hark.definitions.types import Campaign, EventMatch, Goal, Send, Variant, Wait
from hark.model import CAMPAIGN_TRIGGERED, DAY, JSON, Event, Instant
from hark.understand import operators
from hark.understand.conditions import Condition
from hark.understand.conditions.acquainted import ACQUAINTED
from hark.understand.conditions.group import InGroup

Test: TypeAlias = Callable[[bytes], bool]
Shares: TypeAlias = tuple[tuple[float, str, float], ...]
"""(upper end of its part of [0, 1), variant, its share), in the order of the document."""

GRACE_US = DAY
"""How late a goal may arrive, after its window, and still be counted by the run (semantics: 24 h)."""


class Match:
    """An EventMatch, compiled: the names it takes, and the test of the raw properties (None: all pass)."""

    __slots__ = ("names", "referring", "test")

    def __init__(self, match: EventMatch) -> None:
        self.names = frozenset(match.names)
        known, self.referring = _parted(match.where or {})
        self.test: Test | None = operators.compile(known) if known else None

    def takes(self, event: Event) -> bool:
        """Whether the event is one of those, as far as can be said without a run."""
        return event.name in self.names and (self.test is None or self.test(event.properties))


def _parted(where: Mapping[str, JSON]) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """The parts of a predicate without and with references."""
    referring = {path: operand for path, operand in where.items() if any(references(operand))}
    return {path: operand for path, operand in where.items() if path not in referring}, referring


class Pursued(NamedTuple):
    """One of a campaign's goals."""

    place: int
    """0: the goal; from 1 on those of `also`."""
    goal: Goal
    match: Match


class Course:
    """One version of one campaign, ready to be walked."""

    __slots__ = (
        "batch",
        "campaign",
        "checks",
        "first_channels",
        "goal",
        "goal_us",
        "key",
        "name",
        "pursued",
        "shares",
        "skips",
        "starts_when",
        "steps",
        "unit",
        "untils",
        "version",
    )  # fmt: skip

    def __init__(self, campaign: Campaign, version: int) -> None:
        self.campaign = campaign
        self.name = campaign.name
        self.version = version
        self.key = (campaign.name, version)
        self.starts_when = _starts_when(campaign)
        self.goal = Match(campaign.goal.event) if campaign.goal else None
        self.goal_us = campaign.goal.within_us if campaign.goal else 0
        goals = [(0, campaign.goal), *enumerate(campaign.also, start=1)]
        self.pursued = tuple(Pursued(place, one, Match(one.event)) for place, one in goals if one)
        """Its goal and those of `also`."""
        self.shares = thresholds(campaign.variants)
        self.batch = 0
        """The number of the learning allocation's table that `shares` are of; 0: they are the document's."""
        programs = {variant.name: program_of(variant.steps) for variant in campaign.variants}
        self.steps = {name: program.code for name, program in programs.items()}
        self.skips = {name: program.skips for name, program in programs.items()}
        self.untils = {(name, index): Match(until) for name, index, until in _untils(self.steps)}
        self.first_channels = _first_channels(campaign.variants)
        self.unit = InGroup(campaign.assign_by, {}) if campaign.assign_by else None
        """Knows to which groups of the type by whose key arms are drawn a customer belongs."""
        self.checks: tuple[Any, ...] = ()
        """The rules of eligibility that this campaign can fail (`rules`); compiled at the first entry."""

    def until(self, variant: str, index: int) -> Match | None:
        """The event which ends the wait that stands at this place, if one does."""
        return self.untils.get((variant, index))

    def conditions(self) -> Iterator[Condition]:
        """The conditions that its runs ask on their way, and that by which arms are drawn."""
        for code in self.steps.values():
            for step in code:
                if isinstance(step, Fork):
                    yield from (when for when, _ in step.ways if when is not None)
        yield from (one.goal.when for one in self.pursued if one.goal.when is not None)
        if self.unit is not None:
            yield self.unit
        if sends_content(self.campaign):
            yield ACQUAINTED

    def matches(self) -> Iterator[Match]:
        """All that an event may be for: its goals, its trigger, the end of a wait."""
        yield from (one.match for one in self.pursued)
        yield from self.untils.values()
        if self.starts_when is not None:
            yield self.starts_when

    def goal_until(self, entered_at: Instant) -> Instant:
        """The last instant at which the goal of an entry at `entered_at` counts."""
        return entered_at + self.goal_us


def sends_content(campaign: Campaign) -> bool:
    """Whether one of its steps sends an item of the catalogue."""
    steps = (step for variant in campaign.variants for step in every(variant.steps))
    return any(isinstance(step, Send) and step.content is not None for step in steps)


def _starts_when(campaign: Campaign) -> Match | None:
    """The event that starts it: its own, or a call which names it."""
    if campaign.trigger.api:
        return Match(EventMatch((CAMPAIGN_TRIGGERED,), {"campaign": campaign.name}))
    return Match(campaign.trigger.event) if campaign.trigger.event else None


def learned(course: Course, allocation: Allocation, batch: int) -> None:
    """Draws by what was learned of this very version from now on; a table of another one is of no use."""
    fits = course.campaign.learns and allocation.campaign_version == course.version
    if fits and set(allocation.shares) == set(course.steps):
        weighed = (replace(one, weight=allocation.shares[one.name]) for one in course.campaign.variants)
        course.shares, course.batch = thresholds(tuple(weighed)), batch


def thresholds(variants: Sequence[Variant]) -> Shares:
    """The variants' parts of [0, 1) by their weights."""
    total = sum(variant.weight for variant in variants)
    ends = accumulate(variant.weight for variant in variants)
    return tuple(
        (end / total, variant.name, variant.weight / total)
        for end, variant in zip(ends, variants, strict=True)
    )


def _untils(programs: Mapping[str, Sequence[Instruction]]) -> Iterator[tuple[str, int, EventMatch]]:
    for name, code in programs.items():
        for index, step in enumerate(code):
            if isinstance(step, Wait) and step.until:
                yield name, index, step.until


def _first_channels(variants: Sequence[Variant]) -> frozenset[str]:
    """The channels of the variants' first sends: who can be reached by one of them is reachable."""
    return frozenset().union(*(first_sends(variant.steps)[0] for variant in variants))
