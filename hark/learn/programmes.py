"""What all messages of a programme, or all messaging together, change: its control against everybody else.

Lifts of campaigns are not to be added up; this is the measure of the sum. Whoever is in such a control gets
none of its campaigns, and everybody counts from the moment of the draw on, written to or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from hark.decide.holdouts import CONTROL
from hark.definitions.types import GUARDRAILS, Goal
from hark.learn import anytime, checks, compare
from hark.learn.activity import active_days
from hark.learn.adjust import Adjusted, CrossSums, adjusted
from hark.learn.aggregates import Sums
from hark.learn.also import did
from hark.learn.beside import Guardrail, guardrails
from hark.learn.by_level import ByLevel, Steps, by_level
from hark.learn.columns import Entries, Outcomes
from hark.learn.compare import Interval
from hark.learn.facts import Facts
from hark.learn.lifetime import Lifetime, lifetime
from hark.learn.looks import treated
from hark.learn.measures import Measure, measures
from hark.learn.over_time import DayEffect, WeekEffect, by_day, by_week, stratified
from hark.learn.sentences import difference
from hark.model import JSON, Instant


class ProgrammeReport(Struct, frozen=True):
    """What is known of a programme, or of everything; arms are everybody drawn whose window is over."""

    of: str
    """The programme's name; "" for all messaging."""
    goal: str
    """What those who reached it did."""
    entered: dict[str, int]
    """By arm, everybody who was drawn."""
    treated: Sums
    control: Sums
    lift: Interval | None
    """Of the goal's rate, within weeks of the draw (Mantel-Haenszel), for one look."""
    always: Interval | None
    """Of the goal's rate, right at every look; None during the burn-in."""
    value: Interval | None
    """Value per person of the treated minus the control's (Welch, 95 %); None without values."""
    adjusted: Adjusted | None
    """The same, adjusted by as long a time before the draw."""
    sample_ratio: float | None
    """P-value of the arms' sizes against the shares of the draw, for one look."""
    measures: tuple[Measure, ...]
    guardrails: tuple[Guardrail, ...]
    """Unsubscribing, complaining, and that people come back."""
    weeks: tuple[WeekEffect, ...]
    """By week of the draw: what it does over time."""
    days: tuple[DayEffect, ...]
    lifetime: Lifetime | None = None
    """How long people stay after the draw; None while too few have gone."""
    levels: ByLevel | None = None
    """The same at each level of engagement on being drawn, where that was asked for."""
    sentences: tuple[str, ...] = ()

    def to_json(self) -> JSON:
        """As plain data, in the order of the fields."""
        return msgspec.to_builtins(self)


def programme_report(
    facts: Facts,
    entries: Entries,
    shares: Sequence[float],
    goal: Goal,
    now: Instant,
    of: str,
    zone: str,
    levels: Steps | None = None,
) -> ProgrammeReport:
    """The report of everybody drawn; `shares` are the control's at each one's draw, beside `entries`. With
    `levels` also at each of them."""
    outcomes = Outcomes(entries, facts.events(goal.event.names), goal)
    sums = outcomes.sums(now)
    ours, alone = treated(sums), sums.get(CONTROL, Sums())
    weeks = tuple(by_week(outcomes, now, zone))
    cross = outcomes.cross_sums(now)
    others = sum((one for arm, one in cross.items() if arm != CONTROL), CrossSums())
    found = ProgrammeReport(
        of=of,
        goal=did(goal),
        entered=entries.entered(),
        treated=ours,
        control=alone,
        lift=stratified(weeks),
        always=anytime.rate(ours, alone),
        value=compare.welch(ours, alone) if goal.value else None,
        adjusted=adjusted(others, cross.get(CONTROL, CrossSums())),
        sample_ratio=_sizes(entries, shares),
        measures=(*measures(outcomes, now), *active_days(facts, outcomes, now, zone)),
        guardrails=guardrails(facts, outcomes, GUARDRAILS, now),
        weeks=weeks,
        days=tuple(by_day(outcomes, now)),
        lifetime=lifetime(facts, outcomes, now),
        levels=by_level(outcomes, facts.history, levels, now) if levels else None,
    )
    return msgspec.structs.replace(found, sentences=tuple(_sentences(found, goal)))


def _sizes(entries: Entries, shares: Sequence[float]) -> float | None:
    """Pearson's chi-square over the periods of the draw, in each of which the share was one."""
    control = entries.names.index(CONTROL) if CONTROL in entries.names else -1
    drawn = np.array(shares)
    periods = []
    for share in np.unique(drawn).tolist():
        arms = entries.arm[drawn == share]
        alone = int((arms == control).sum())
        periods.append([checks.Size(alone, share), checks.Size(len(arms) - alone, 1 - share)])
    return checks.sample_ratio(periods)


def _sentences(found: ProgrammeReport, goal: Goal) -> Iterator[str]:
    what = f"The programme {found.of}" if found.of else "All messaging together"
    if not (found.treated.subjects and found.control.subjects):
        yield f"{what} cannot be judged yet: nobody's window is over in one of the arms."
        return
    if found.sample_ratio is not None and found.sample_ratio < checks.SAMPLE_RATIO_P:
        sizes = f"The arms are not as large as drawn (p = {found.sample_ratio:.2g})"
        yield f"{sizes}: do not believe what follows."
    yield _standing(found, what)
    rates = (
        f"{one.goals:,} of {one.subjects:,} ({one.rate or 0:.1%})" for one in (found.treated, found.control)
    )
    yield "Of those it may write to {}, of its control {} {}.".format(*rates, found.goal)
    if found.value is not None:
        bounds = f"{found.value.low:+.2f} to {found.value.high:+.2f}"
        yield f"{goal.value} per person: {found.value.estimate:+.2f} ({bounds}, for who looks once)."
    if found.lifetime is not None:
        yield _stays(found.lifetime)
    for one in found.guardrails:
        if one.lift is not None and (one.broken or one.wanted):
            tail = ": a guardrail is broken" if one.broken else ""
            yield f"People who {one.event}: {difference(one.lift)}{tail}."
    yield "Lifts of single campaigns are not to be added up; this is what their sum changes."


def _stays(of: Lifetime) -> str:
    change = of.difference
    bounds = f"{change.low:+.1f} to {change.high:+.1f}, for who looks once"
    days = f"{of.treated:.1f}, of its control {of.control:.1f}"
    return (
        f"Days that people stay, of the first {of.horizon_d:.0f}: {days}; {change.estimate:+.1f} ({bounds})."
    )


def _standing(found: ProgrammeReport, what: str) -> str:
    if found.always is None:
        return f"{what}: not known yet, too few people of one arm reached the goal, or did not."
    word = (
        "helps" if found.always.low > 0 else "harms" if found.always.high < 0 else "is not known to help yet"
    )
    return f"{what} {word}: {difference(found.always, '95 % interval at every look ')}."
