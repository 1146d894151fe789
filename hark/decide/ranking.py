"""Whose message goes first: worth times estimated effect, and now and then by a draw, so that it is learned.

With probability 10 % a customer's campaigns are ranked on a day by what is drawn from the posteriors of their
effects (Thompson 1933, Biometrika 25, 285-294), else by the posteriors' means. Both follow from hashes of
salts `arbitration/DAY` and `arbitration/DAY/CAMPAIGN`, DAY the days since 1970 in UTC: so all of a day's
decisions about one customer agree, and anybody can recompute them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from statistics import NormalDist, fmean

from hark.clock import unit_hash
from hark.decide.weights import Prospect
from hark.decide.work import Work
from hark.model import DAY, JSON, Sent

EXPLORES = 0.1
"""How often a draw decides."""
_UNKNOWN = Prospect(0.0, 0.0, 0.0)
_POINTS = [(point + 0.5) / 200 for point in range(200)]
_LEAST_U = 1e-12


def explores(work: Work) -> bool:
    """Whether this customer's campaigns are ranked by a draw today."""
    return unit_hash(f"arbitration/{work.now // DAY}", work.record.key) < EXPLORES


def rank(work: Work, campaign: str) -> float:
    """The higher goes first."""
    prospect = _of(work, campaign)
    if not prospect.spread or not explores(work):
        return prospect.worth * prospect.mean
    u = max(_LEAST_U, unit_hash(f"arbitration/{work.now // DAY}/{campaign}", work.record.key))
    return prospect.worth * NormalDist(prospect.mean, prospect.spread).inv_cdf(u)


def weighed(work: Work, campaign: str, others: Iterable[Sent]) -> dict[str, JSON]:
    """What is recorded of a message that goes while `others` want the same customer: over which campaigns, by
    a draw or not, and how probable it was; nothing where there is no other campaign."""
    names = list(dict.fromkeys(one.campaign for one in others if one.campaign != campaign))
    if not names:
        return {}
    chance = propensity(_of(work, campaign), [_of(work, name) for name in names])
    return {"weighed": {"over": names, "drawn": explores(work), "propensity": chance}}


def propensity(mine: Prospect, others: Sequence[Prospect]) -> float:
    """The probability of ranking first: for certain or not by the means, in one case of ten by draws.

    By draws it is the mean, over quantiles of its own posterior, of the chance that all others lie below. Of
    equal means none is first for certain; then each counts as first with the same probability.
    """
    values = [one.worth * one.mean for one in (mine, *others)]
    best = values[0] >= max(values)
    greedy = best / values.count(values[0])
    return (1 - EXPLORES) * greedy + EXPLORES * _by_draw(mine, others)


def _by_draw(mine: Prospect, others: Sequence[Prospect]) -> float:
    own = NormalDist(mine.mean, mine.spread) if mine.spread else None
    points = [own.inv_cdf(u) for u in _POINTS] if own else [mine.mean]
    return fmean(prod(_below(one, mine.worth * point) for one in others) for point in points)


def _below(prospect: Prospect, value: float) -> float:
    """The chance that what is drawn of it lies below the value."""
    if not prospect.spread:
        return float(prospect.worth * prospect.mean < value)
    return NormalDist(prospect.mean, prospect.spread).cdf(value / prospect.worth)


def _of(work: Work, campaign: str) -> Prospect:
    return work.plan.weights.prospects.get(campaign, _UNKNOWN)
