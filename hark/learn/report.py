"""Did a campaign change what people do, and how certain is that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.subjects import group_of
from hark.definitions.types import Campaign
from hark.learn import anytime, checks, compare
from hark.learn.adjust import Adjusted
from hark.learn.aggregates import Sums
from hark.learn.also import AlsoGoal, measured
from hark.learn.batches import Between
from hark.learn.beside import Guardrail, Others
from hark.learn.by_level import ByLevel, Steps, by_level
from hark.learn.columns import Entries, Outcomes, Snapshot
from hark.learn.compare import Interval
from hark.learn.comparison import Comparison, Draw, allocation, comparison
from hark.learn.facts import Facts
from hark.learn.families import discovered
from hark.learn.interactions import Interaction, interactions
from hark.learn.looks import Look, treated
from hark.learn.measures import Measure
from hark.learn.over_time import DayEffect, WeekEffect, by_week, stratified
from hark.learn.scored import Forecast, money
from hark.learn.scored import forecast as scored
from hark.learn.sentences import sentences
from hark.learn.situations import Asked, Situations, situations
from hark.learn.units import by_unit
from hark.learn.verdict import Verdict, verdict
from hark.model import JSON, Instant

NO_GROUPS: Mapping[str, Snapshot] = MappingProxyType({})


class Arm(Struct, frozen=True):
    """One arm of the comparison: "control" or a variant."""

    arm: str
    entered: int
    """Different subjects at their first entry."""
    complete: int
    """Of them, those whose window and grace are over; only they count below."""
    goals: int
    rate: float | None
    value: float | None
    """Value per subject; None where the goal has no value."""
    lift: Interval | None
    """Goal rate minus the control's, each by itself; None for the control and while an arm is empty."""
    always: Interval | None
    """The same so that those of all variants hold together, at every look; None during the burn-in."""
    best: float | None
    """The probability that it is the best of the variants: an aid; None for the control."""


class SampleRatio(Struct, frozen=True):
    """Whether the arms are as large as their shares say."""

    p: float | None
    """Pearson's chi-square over all arms: for one look."""
    draws: tuple[Draw, ...]
    """Each draw with a p-value that may be looked at daily."""
    trusted: bool
    """False where one of these is below 0.001: then the lift must not be believed."""

    @property
    def worst(self) -> float | None:
        """The p of the draw that is least as it should be; None if there is nothing to check."""
        return min((draw.p for draw in self.draws if draw.p is not None), default=None)


class Report(Struct, frozen=True):
    """What is known of one version of a campaign, and what is not."""

    campaign: str
    version: int
    verdict: Verdict
    arms: tuple[Arm, ...]
    """The control first."""
    lift: Interval | None
    """Goal rate of all treated together minus the control's, for one look; None while an arm is empty.

    Newcombe's interval (95 %). The verdict does not rest on it but on `always`, or on `looks`.
    """
    always: Interval | None
    """The same, but right at every look (`anytime`); None during its burn-in."""
    p: float | None
    """Of no difference, right at every look; None during the burn-in."""
    looks: tuple[Look, ...]
    """The planned weekly looks so far; empty without `decide_by`."""
    relative: float | None
    """The lift as a share of the control's rate."""
    reached: Interval | None
    """The lift among those alone whose run came to its first send; None while an arm of them is empty."""
    value: Interval | None
    """Value per subject of the treated minus the control's (Welch, 95 %); None without values."""
    adjusted: Adjusted | None
    """The lift of the value, else of the rate, adjusted by as long a time before the entry (CUPED)."""
    sample_ratio: SampleRatio
    money: Interval | None
    """Value per person, as certain as the verdict; None without values."""
    weeks: tuple[WeekEffect, ...]
    """By week of entry."""
    days: tuple[DayEffect, ...]
    """By days since the entry."""
    measures: tuple[Measure, ...]
    """Goals per person, days to the goal, value per goal: for one look, and deciding nothing."""
    guardrails: tuple[Guardrail, ...]
    """What must not become worse within the goal's window, by arm; deciding nothing."""
    also: tuple[AlsoGoal, ...]
    """The goals of `also`, each over those whose window of it is over; deciding nothing."""
    between: tuple[Between, ...]
    """Of a campaign that learns, its variants compared within batches; deciding nothing."""
    others: tuple[Others, ...]
    """Other campaigns' messages in the goal's window, a person, by arm."""
    versions: Interval | None
    """Over all versions, compared within each version and week (Mantel-Haenszel); None of one alone.

    Whoever entered several counts in the first. By this version's goal.
    """
    forecast: Forecast | None
    """The author's forecast, scored; None before a verdict or without one."""
    sentences: tuple[str, ...]
    believed: bool | None = None
    """Beside all other campaigns: whether it is one of those of which at most 5 % are false findings.

    None where it was not asked about together with them, or has no p-value yet.
    """
    interactions: tuple[Interaction, ...] = ()
    """With each other campaign that shares over a fifth of its people; () where it was asked about alone."""
    situations: Situations | None = None
    """The lift by segment; None where it was not asked for, or nobody entered."""
    levels: ByLevel | None = None
    """The lift by level of engagement on entering, and who rose or fell; None as above."""

    def to_json(self) -> JSON:
        """As plain data, in the order of the fields."""
        return msgspec.to_builtins(self)


def report(
    snapshot: Snapshot,
    versions: Sequence[Document],
    now: Instant,
    version: int | None = None,
    zone: str = "UTC",
    segments: Sequence[Asked] = (),
    levels: Steps | None = None,
) -> Report:
    """What a campaign changed, from the history alone.

    `versions` are the campaign's documents (at least one). The report is on `version`, or on the newest
    that somebody entered, or on the newest of all; `zone` is the workspace's. With `segments` it tells the
    effect in each, with `levels` at each of them. ValueError: `version` is not among them.
    """
    facts = Facts(snapshot)
    found = _of(facts, versions, now, version, zone)
    if not (segments or levels):
        return found
    outcomes = _outcomes(facts, {found.campaign: versions}, {found.campaign: found}, zone)
    campaign = _typed(next(one for one in versions if one.version == found.version), zone)
    for one in outcomes.values():
        by = situations(one, snapshot, segments, campaign.situations, now) if segments else None
        at = by_level(one, snapshot, levels, now) if levels else None
        found = msgspec.structs.replace(found, situations=by, levels=at)
    return found


def reports(
    snapshot: Snapshot,
    campaigns: Mapping[str, Sequence[Document]],
    now: Instant,
    zone: str = "UTC",
    groups: Mapping[str, Snapshot] = NO_GROUPS,
) -> dict[str, Report]:
    """The report of each of several campaigns; each history is read once for all of them. `groups`: by type,
    the histories of the groups that some of them are about."""
    by_kind: dict[str, dict[str, Sequence[Document]]] = {}
    for name, versions in campaigns.items():
        by_kind.setdefault(group_of(versions[-1]), {})[name] = versions
    found: dict[str, Report] = {}
    between: dict[str, tuple[Interaction, ...]] = {}
    for kind, some in by_kind.items():
        facts = Facts(groups[kind] if kind else snapshot)
        mine = {name: _of(facts, versions, now, None, zone) for name, versions in some.items()}
        between |= interactions(_outcomes(facts, some, mine, zone), now)
        found |= mine
    known = {name: one.p for name, one in found.items() if one.p is not None and one.sample_ratio.trusted}
    believed = discovered(known)
    return {
        name: msgspec.structs.replace(
            one, believed=name in believed if name in known else None, interactions=between.get(name, ())
        )
        for name, one in found.items()
    }


def _outcomes(
    facts: Facts, campaigns: Mapping[str, Sequence[Document]], found: Mapping[str, Report], zone: str
) -> dict[str, Outcomes]:
    """By campaign, the outcomes of the version that its report is about; campaigns that draw by groups have
    other units, and are left out."""
    outcomes = {}
    for name, versions in campaigns.items():
        entries = facts.entries(name).get(found[name].version)
        document = next(one for one in versions if one.version == found[name].version)
        campaign = _typed(document, zone)
        if entries is not None and campaign.goal is not None and campaign.assign_by is None:
            goal = measured(campaign, campaign.goal)
            outcomes[name] = Outcomes(entries, facts.events(goal.event.names), goal)
    return outcomes


def _of(facts: Facts, versions: Sequence[Document], now: Instant, version: int | None, zone: str) -> Report:
    documents = {document.version: document for document in versions}
    entries = facts.entries(versions[0].name)
    chosen = version or max(entries.keys() & documents.keys(), default=max(documents))
    if chosen not in documents:
        raise ValueError(f"{versions[0].name} has no version {chosen}")
    typed = _typed(documents[chosen], zone)
    units = by_unit(facts, typed.name, chosen)
    found = comparison(units, typed, units.entries(typed.name).get(chosen), now, zone)
    alike = {one: some for one, some in entries.items() if by_unit(facts, typed.name, one) is facts}
    return written(chosen, found, _of_all_versions(facts, typed, alike, now, zone))


def _of_all_versions(
    facts: Facts, campaign: Campaign, entries: Mapping[int, Entries], now: Instant, zone: str
) -> Interval | None:
    """The lift over several versions, within each version and week, by this version's goal; none of several
    units."""
    if campaign.goal is None or campaign.assign_by is not None or len(entries) < 2:
        return None
    goal = measured(campaign, campaign.goal)
    events, seen, weeks = facts.events(goal.event.names), np.zeros(0, np.int64), []
    for _, one in sorted(entries.items()):
        outcomes = Outcomes(one, events, goal)
        weeks += by_week(outcomes, now, zone, without=seen)
        seen = np.union1d(seen, one.subject)
    return stratified(weeks)


def _typed(document: Document, zone: str) -> Campaign:
    found = definition(document, zone)
    if not isinstance(found, Campaign):
        raise TypeError(f"{document.kind} {document.name} is no campaign")
    return found


def written(version: int, found: Comparison, versions: Interval | None = None) -> Report:
    """The report of a comparison; `versions`: the lift over all versions."""
    judged, has_value = verdict(found), found.campaign.goal is not None and found.campaign.goal.value
    trusted = all(draw.p is None or draw.p >= checks.SAMPLE_RATIO_P for draw in found.draws)
    chances, variants = found.best, found.variants
    return Report(
        campaign=found.campaign.name,
        version=version,
        verdict=judged,
        arms=tuple(
            _arm(found, name, variants.get(name), chances.get(name)) for name in allocation(found.campaign)
        ),
        lift=compare.newcombe(found.treated, found.control),
        always=anytime.rate(found.treated, found.control),
        p=anytime.p_value(found.treated, found.control),
        looks=found.plan.looks if found.plan else (),
        relative=compare.relative(found.treated, found.control),
        reached=compare.newcombe(treated(found.reached), found.reached.get(CONTROL, Sums())),
        value=compare.welch(found.treated, found.control) if has_value else None,
        adjusted=found.adjusted,
        sample_ratio=SampleRatio(found.sample_ratio, found.draws, trusted),
        money=money(found),
        weeks=found.weeks,
        days=found.days,
        measures=found.measures,
        guardrails=found.guardrails,
        also=found.also,
        between=found.between,
        others=found.others,
        versions=versions,
        forecast=scored(found, judged),
        sentences=tuple(sentences(found, judged)),
    )


def _arm(found: Comparison, name: str, always: Interval | None, chance: float | None) -> Arm:
    sums = found.sums.get(name, Sums())
    has_value = found.campaign.goal is not None and found.campaign.goal.value is not None
    return Arm(
        arm=name,
        entered=found.entered.get(name, 0),
        complete=sums.subjects,
        goals=sums.goals,
        rate=sums.rate,
        value=sums.mean if has_value else None,
        lift=None if name == CONTROL else compare.newcombe(sums, found.control),
        always=always,
        best=chance,
    )
