"""How often learn's 95 % intervals contain the truth: `python -m bench.coverage [SIMULATIONS]`, limit 94 %.

Rates from 0.1 to 60 %, 50 to a million people, arms of equal and of unequal size (Newcombe); values that most
people don't have and that are heavy-tailed where they have them, and goals of people who enter again and
again (Welch); value per goal, where both vary (the delta method). Beside it how often a difference of the
size that a plan is made for is found, which should be in 80 % of cases. Fixed seed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import exp

import numpy as np
from msgspec import Struct, to_builtins

from hark.learn.adjust import CrossSums
from hark.learn.aggregates import Sums
from hark.learn.compare import newcombe, welch
from hark.learn.power import POWER, people_needed
from hark.learn.ratios import difference

SIMULATIONS = 10_000
LIMIT = 0.94
NEAR = 0.05
"""So far the share of differences found may be from what was planned."""
SEED = 20260301


class Rates(Struct, frozen=True):
    """True goal rates, and subjects in each arm."""

    treated: float
    control: float
    n_treated: int
    n_control: int


class Values(Struct, frozen=True):
    """Shares of people with any value, which is lognormal with `sigma`; subjects in each arm."""

    treated: float
    control: float
    sigma: float
    n_treated: int
    n_control: int

    @property
    def lift(self) -> float:
        """The true difference of the means: (p1 - p2) e^(sigma^2 / 2), the lognormal's mean with mu = 0."""
        return (self.treated - self.control) * exp(self.sigma**2 / 2)


class Ratios(Struct, frozen=True):
    """Mean worth of a goal in each arm; goals a person are gamma-Poisson with mean 3, worths lognormal."""

    treated: float
    control: float
    sigma: float
    n: int


class Repeats(Struct, frozen=True):
    """Mean goals a person in each arm, gamma-Poisson, of people who may enter again."""

    treated: float
    control: float
    n_treated: int
    n_control: int


class Planned(Struct, frozen=True):
    """A rise of a rate, with the control's share, for which the number of people was planned."""

    base: float
    lift: float
    control: float


RATES = (
    Rates(0.001, 0.001, 20_000, 20_000),
    Rates(0.0012, 0.001, 500_000, 500_000),
    Rates(0.30, 0.20, 25, 25),
    Rates(0.60, 0.60, 500_000, 500_000),
    Rates(0.005, 0.005, 4_000, 4_000),
    Rates(0.008, 0.005, 9_000, 1_000),
    Rates(0.03, 0.02, 1_000, 1_000),
    Rates(0.15, 0.10, 1_500, 1_500),
    Rates(0.15, 0.10, 800, 200),
    Rates(0.30, 0.30, 100, 100),
    Rates(0.60, 0.50, 50, 50),
    Rates(0.60, 0.55, 2_000, 300),
)
VALUES = (
    Values(0.15, 0.10, 0.6, 1_500, 1_500),
    Values(0.15, 0.10, 1.0, 1_500, 1_500),
    Values(0.05, 0.05, 1.0, 5_000, 5_000),
    Values(0.30, 0.25, 1.5, 10_000, 10_000),
    Values(0.30, 0.30, 1.0, 3_000, 1_000),
)


RATIOS = (Ratios(1.1, 1.0, 0.8, 500), Ratios(1.0, 1.0, 1.2, 5_000))
REPEATS = (Repeats(1.2, 1.0, 900, 100), Repeats(0.05, 0.05, 5_000, 5_000))
PLANNED = (
    Planned(0.01, 0.005, 0.5),
    Planned(0.10, 0.03, 0.5),
    Planned(0.10, 0.03, 0.2),
    Planned(0.50, 0.05, 0.1),
)


class Covered(Struct, frozen=True):
    setting: Rates | Values | Ratios | Repeats
    simulations: int
    coverage: float


def of_rates(one: Rates, simulations: int, chance: np.random.Generator) -> Covered:
    """The share of simulations whose Newcombe interval contains the true difference."""
    treated = chance.binomial(one.n_treated, one.treated, simulations).tolist()
    control = chance.binomial(one.n_control, one.control, simulations).tolist()
    found = (
        newcombe(Sums(one.n_treated, ours), Sums(one.n_control, others))
        for ours, others in zip(treated, control, strict=True)
    )
    inside = sum(one.treated - one.control in interval for interval in found if interval)
    return Covered(one, simulations, inside / simulations)


def of_values(one: Values, simulations: int, chance: np.random.Generator) -> Covered:
    """The share of simulations whose Welch interval contains the true difference of means."""
    inside = 0
    for _ in range(simulations):
        interval = welch(
            drawn(one.n_treated, one.treated, one.sigma, chance),
            drawn(one.n_control, one.control, one.sigma, chance),
        )
        inside += interval is not None and one.lift in interval
    return Covered(one, simulations, inside / simulations)


def drawn(subjects: int, share: float, sigma: float, chance: np.random.Generator) -> Sums:
    """The sums of one simulated arm."""
    values = chance.lognormal(0, sigma, int(chance.binomial(subjects, share)))
    squares = float((values * values).sum())
    return Sums(subjects, len(values), float(values.sum()), squares, float(values.max(initial=0)))


def of_ratios(one: Ratios, simulations: int, chance: np.random.Generator) -> Covered:
    """The share of simulations whose interval of value per goal contains the true difference."""
    inside = 0
    for _ in range(simulations):
        treated, control = (_worth(one.n, mean, one.sigma, chance) for mean in (one.treated, one.control))
        interval = difference(treated, control)
        inside += interval is not None and one.treated - one.control in interval
    return Covered(one, simulations, inside / simulations)


def _worth(people: int, mean: float, sigma: float, chance: np.random.Generator) -> CrossSums:
    """Value beside goals, by person; who has many goals has a worth of their own."""
    goals = chance.poisson(chance.gamma(1.5, 2.0, people)).astype(float)
    each = chance.lognormal(np.log(mean) - sigma**2 / 2, sigma, people)
    value = goals * each
    return CrossSums(people, *(float(s.sum()) for s in (value, value**2, goals, goals**2, value * goals)))


def of_repeats(one: Repeats, simulations: int, chance: np.random.Generator) -> Covered:
    """The share of simulations whose Welch interval contains the true difference of goals a person."""
    inside = 0
    for _ in range(simulations):
        pairs = ((one.n_treated, one.treated), (one.n_control, one.control))
        treated, control = (_goals(people, mean, chance) for people, mean in pairs)
        interval = welch(treated, control)
        inside += interval is not None and one.treated - one.control in interval
    return Covered(one, simulations, inside / simulations)


def _goals(people: int, mean: float, chance: np.random.Generator) -> Sums:
    goals = chance.poisson(chance.gamma(0.8, mean / 0.8, people)).astype(float)
    return Sums(
        people, int((goals > 0).sum()), float(goals.sum()), float((goals**2).sum()), float(goals.max())
    )


class Powered(Struct, frozen=True):
    setting: Planned
    people: int
    found: float
    """The share of simulations whose interval lies above 0; planned are 80 %."""


def powered(one: Planned, simulations: int, chance: np.random.Generator) -> Powered:
    """How often so many people show the difference."""
    people = people_needed(one.base, one.lift, one.control)
    alone = round(people * one.control)
    sizes = (people - alone, alone)
    goals = [
        chance.binomial(n, rate, simulations)
        for n, rate in zip(sizes, (one.base + one.lift, one.base), strict=True)
    ]
    arms = zip(*(one.tolist() for one in goals), strict=True)
    found = (newcombe(Sums(sizes[0], ours), Sums(sizes[1], others)) for ours, others in arms)
    return Powered(one, people, sum(each is not None and each.low > 0 for each in found) / simulations)


def covered(simulations: int) -> Iterator[Covered]:
    chance = np.random.default_rng(SEED)
    yield from (of_rates(one, simulations, chance) for one in RATES)
    yield from (of_values(one, simulations, chance) for one in VALUES)
    yield from (of_ratios(one, simulations, chance) for one in RATIOS)
    yield from (of_repeats(one, simulations, chance) for one in REPEATS)


def main() -> int:
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    found = list(covered(simulations))
    lowest = min(one.coverage for one in found)
    power = [powered(one, simulations, np.random.default_rng(SEED)) for one in PLANNED]
    near = all(abs(one.found - POWER) <= NEAR for one in power)
    told = {"limit": LIMIT, "lowest": lowest, "settings": to_builtins(found), "power": to_builtins(power)}
    print(json.dumps(told, indent=1))
    return 0 if lowest >= LIMIT and near else 1


if __name__ == "__main__":
    sys.exit(main())
