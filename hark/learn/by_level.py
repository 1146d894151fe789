"""Levels of engagement in a campaign's report: at which level people entered, what the campaign does at each,
and whether it moves people up or down.

The lift at a level is drawn towards that of all as it is by situation (`situations`); people have one level
at a time, so none is counted twice. A level is taken just before the first entry, and again when the goal's
window is over, by the events up to then. All of it is exploratory and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.facts import FactName, ResponseName
from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.columns import Flags, Integers, Outcomes, Snapshot
from hark.learn.compare import Interval
from hark.learn.situations import Part, Situation, difference_says, effects_among
from hark.model import Instant
from hark.understand.before import Mark, held_before
from hark.understand.conditions import Condition

LAST = np.iinfo(np.int64).max
"""The seq after all: what happened at the very end of a window is in it."""
OURS = frozenset((*FactName, *ResponseName))


class Step(NamedTuple):
    """One level: who has reached it or a stronger one, and in words who has reached it itself."""

    name: str
    at_least: Condition
    says: str


class Steps(NamedTuple):
    """The levels of a definition, the weakest first."""

    definition: str
    floor: str
    """What being below all is called."""
    steps: tuple[Step, ...]

    @property
    def rests_on_messages(self) -> bool:
        """Whether a level looks at what became of messages, which those left alone do not get."""
        leaves = (leaf for step in self.steps for leaf in step.at_least.leaves())
        return any(leaf.watches() & OURS for leaf in leaves)


class Moved(Struct, frozen=True):
    """Who stood higher, or lower, at the end of the goal's window than on entering."""

    says: str
    treated: Sums
    """Its `goals` are those who moved so."""
    control: Sums
    lift: Interval | None
    """Of the shares, right at every look; None during the burn-in."""


class ByLevel(Struct, frozen=True):
    """The effect by level, of one definition."""

    definition: str
    spread: float
    """The standard deviation between the levels' true lifts; 0: no more than chance."""
    levels: tuple[Situation, ...]
    """From below all to the strongest; with whom was there, as `situations`."""
    moved: tuple[Moved, ...]
    sentences: tuple[str, ...]


def by_level(outcomes: Outcomes, history: Snapshot, of: Steps, now: Instant) -> ByLevel:
    """Of everybody whose window is over, by the level just before the first entry."""
    entries = outcomes.entries
    starts = list(zip(entries.at.tolist(), entries.seq.tolist(), strict=True))
    ends = [(at + outcomes.goal.within_us, int(LAST)) for at in entries.at.tolist()]
    before, after = (_places(history, of, entries.subject, marks) for marks in (starts, ends))
    says = {one.name: one.says for one in of.steps}
    names = (of.floor, *says)
    parts = [Part(name, says.get(name, ""), before == place, False) for place, name in enumerate(names)]
    between, found = effects_among(outcomes, parts, now)
    moved = tuple(
        _moved(outcomes, words, who, now)
        for words, who in (("stand higher", after > before), ("stand lower", after < before))
    )
    return ByLevel(of.definition, sqrt(between), tuple(found), moved, tuple(_sentences(of, found, moved)))


def _places(history: Snapshot, of: Steps, subjects: Integers, marks: Sequence[Mark]) -> Integers:
    """By subject, the place of the level from 1; 0 is below all."""
    held: Mapping[str, Flags] = held_before(
        history, {one.name: one.at_least for one in of.steps}, subjects, marks
    )
    return sum((one.astype(np.int64) for one in held.values()), np.zeros(len(subjects), np.int64))


def _moved(outcomes: Outcomes, says: str, who: Flags, now: Instant) -> Moved:
    over, control = outcomes.over(now), _alone(outcomes)
    treated, alone = (
        Sums(int(arm.sum()), int((arm & who).sum())) for arm in (over & ~control, over & control)
    )
    return Moved(says, treated, alone, anytime.rate(treated, alone))


def _alone(outcomes: Outcomes) -> Flags:
    names = outcomes.entries.names
    alone: Flags = outcomes.entries.arm == (names.index(CONTROL) if CONTROL in names else -1)
    return alone


def _sentences(of: Steps, found: Sequence[Situation], moved: Sequence[Moved]) -> Iterator[str]:
    known = [one for one in found if one.shrunk]
    apart = [one for one in known if one.found and one.differs]
    for one in apart:
        yield difference_says(one, "at")
    if not known:
        yield "At no level have enough people reached the goal to say anything of it alone."
    elif not apart:
        yield "At no level does it do more or less than elsewhere by more than chance."
    yield from (_moves(one) for one in moved if one.lift is not None)
    if of.rests_on_messages:
        yield (
            f"{of.definition} rests on what became of messages, which those left alone do not get:"
            " that the treated rise by it says nothing of the product."
        )
    yield "Exploratory: a guess for the next campaign to test, not a finding. Each lift is drawn towards all."


def _moves(one: Moved) -> str:
    assert one.lift
    ours, others = (f"{arm.rate or 0:.1%}" for arm in (one.treated, one.control))
    low, high = (f"{100 * bound:+.1f}" for bound in (one.lift.low, one.lift.high))
    change = f"{100 * one.lift.estimate:+.1f} percentage points ({low} to {high}, at every look)"
    return (
        f"When the window was over {ours} of the treated {one.says}, {others} of those left alone: {change}."
    )
