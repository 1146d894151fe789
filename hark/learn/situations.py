"""The same lift by situation: in which segment people were just before they entered.

One situation among many looks large by chance. Each lift is therefore drawn towards the whole's as far as the
situations differ by chance alone (`pooling`); where segments share people their differences look smaller than
they are, and the lifts are drawn a little too far. What was not named in the campaign before it began is
exploratory: a guess to be tested by the next campaign.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import erfc, sqrt
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.learn.aggregates import Sums
from hark.learn.anytime import FEWEST_GOALS, too_early
from hark.learn.columns import Flags, Outcomes, Snapshot
from hark.learn.compare import LEVEL, Interval, newcombe
from hark.learn.families import discovered
from hark.learn.interactions import difference
from hark.learn.looks import treated
from hark.learn.pooling import shrunk, tau_squared
from hark.learn.power import quantile
from hark.model import Instant
from hark.understand.before import held_before
from hark.understand.conditions import Condition


class Asked(Struct, frozen=True):
    """A segment that the effect is asked for."""

    name: str
    where: Condition
    since: Instant
    """When it became what it is now."""


class Part(NamedTuple):
    """Some of those who entered, by what they were just before it."""

    name: str
    says: str
    inside: Flags
    planned: bool


class Situation(Struct, frozen=True):
    """Those who were in a segment just before their first entry; for one look."""

    segment: str
    says: str
    planned: bool
    """Named in the campaign, and not changed since, before anybody entered; else exploratory."""
    treated: Sums
    control: Sums
    lift: Interval | None
    """Of these people alone (Newcombe, 95 %); None while an arm is empty."""
    shrunk: Interval | None
    """Drawn towards the lift of all; None where too few reached the goal, or did not, to say anything."""
    differs: Interval | None
    """The lift inside minus the lift outside (95 %); None where too few are on one side."""
    found: bool = False
    """That difference is one of those of which at most 5 % are false, among the planned or the others."""

    @property
    def people(self) -> int:
        """In both arms, those whose windows are over."""
        return self.treated.subjects + self.control.subjects


class Situations(Struct, frozen=True):
    """The effect by situation; the whole's lift first in the sentences."""

    spread: float
    """The standard deviation between the situations' true lifts (tau); 0: no more than chance."""
    situations: tuple[Situation, ...]
    """Planned ones first, then by the drawn lift, the largest first."""
    sentences: tuple[str, ...]


def situations(
    outcomes: Outcomes, history: Snapshot, segments: Sequence[Asked], named: Sequence[str], now: Instant
) -> Situations:
    """The lift of each segment's people. `named` are those of the campaign; segments may overlap."""
    entries = outcomes.entries
    marks = list(zip(entries.at.tolist(), entries.seq.tolist(), strict=True))
    inside = held_before(history, {one.name: one.where for one in segments}, entries.subject, marks)
    first = int(entries.at.min())
    parts = [
        Part(one.name, one.where.sentence(), inside[one.name], one.name in named and one.since <= first)
        for one in segments
    ]
    between, found = effects_among(outcomes, parts, now)
    ordered = sorted(found, key=_order)
    return Situations(sqrt(between), tuple(ordered), tuple(sentences(ordered)))


def effects_among(outcomes: Outcomes, parts: Sequence[Part], now: Instant) -> tuple[float, list[Situation]]:
    """(the variance between their true lifts, each with its lift drawn towards that of all)."""
    whole = _pair(outcomes, np.ones(len(outcomes.entries), np.bool_), now)
    between, drawn = _drawn([_situation(outcomes, one, now) for one in parts], whole)
    believed = {one.segment: one for one in _believed(drawn)}
    return between, [believed[one.name] for one in parts]


def _situation(outcomes: Outcomes, one: Part, now: Instant) -> Situation:
    mine, theirs = _pair(outcomes, one.inside, now), _pair(outcomes, ~one.inside, now)
    differs = difference((mine, theirs))
    return Situation(one.name, one.says, one.planned, *mine, newcombe(*mine), None, differs)


def _pair(outcomes: Outcomes, who: Flags, now: Instant) -> tuple[Sums, Sums]:
    sums = outcomes.sums(now, only=who)
    return treated(sums), sums.get(CONTROL, Sums())


def _drawn(made: Sequence[Situation], whole: tuple[Sums, Sums]) -> tuple[float, list[Situation]]:
    """(tau squared, each with its lift drawn towards the whole's)."""
    enough = [one for one in made if not too_early(one.treated, one.control, FEWEST_GOALS)]
    lifts = {one.segment: _lift(one.treated, one.control) for one in enough}
    between = tau_squared([lift for lift, _ in lifts.values()], [variance for _, variance in lifts.values()])
    if not lifts:
        return 0.0, list(made)
    centre = _lift(*whole)
    return between, [
        msgspec.structs.replace(one, shrunk=shrunk(*lifts[one.segment], *centre, between))
        if one.segment in lifts
        else one
        for one in made
    ]


def _lift(ours: Sums, others: Sums) -> tuple[float, float]:
    """(difference of the rates, its binomial variance); of arms that both have goals and others."""
    rates = [arm.goals / arm.subjects for arm in (ours, others)]
    variance = sum(rate * (1 - rate) / arm.subjects for rate, arm in zip(rates, (ours, others), strict=True))
    return rates[0] - rates[1], variance


def _believed(made: Sequence[Situation]) -> Iterator[Situation]:
    """With which differences to believe: those planned are one family, those looked for another."""
    for planned in (True, False):
        mine = [one for one in made if one.planned is planned]
        found = discovered({one.segment: _p(one.differs) for one in mine if one.differs})
        yield from (msgspec.structs.replace(one, found=one.segment in found) for one in mine)


def _p(differs: Interval) -> float:
    """Two-sided, of a normal estimate with this interval."""
    error = (differs.high - differs.low) / (2 * quantile(0.5 + LEVEL / 2))
    return erfc(abs(differs.estimate) / error / sqrt(2)) if error else 1.0


def _order(one: Situation) -> tuple[bool, float, str]:
    return not one.planned, -(one.shrunk.estimate if one.shrunk else -2.0), one.segment


def sentences(made: Sequence[Situation]) -> Iterator[str]:
    """What may be said, and what may not."""
    known = [one for one in made if one.shrunk]
    if not known:
        yield "In no situation have enough people reached the goal to say anything of it alone."
        return
    found = [one for one in known if one.found and one.differs]
    for one in found:
        yield difference_says(one, "in")
    if not found:
        yield "In no situation does it do more or less than elsewhere by more than chance."
    exploratory = sum(not one.planned for one in made)
    if exploratory:
        yield (
            f"Exploratory: {exploratory} of {len(made)} were not named under situations: before the start."
            " What stands out among them is a guess for the next campaign to test, not a finding."
        )
    yield "Each lift is drawn towards that of all, the more the fewer people it rests on."


def difference_says(one: Situation, where: str) -> str:
    """How much more or less it does for those in a segment, or at a level."""
    assert one.differs
    more = "more" if one.differs.estimate > 0 else "less"
    low, high = (f"{100 * bound:+.1f}" for bound in (one.differs.low, one.differs.high))
    tail = "" if one.planned else ", as far as an exploratory look can tell"
    beside = f"{100 * one.differs.estimate:+.1f} percentage points beside those outside ({low} to {high})"
    return f"It does {more} for those {where} {one.segment}: {beside}{tail}."
