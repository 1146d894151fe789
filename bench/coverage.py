"""How often learn's 95 % intervals contain the truth: `python -m bench.coverage [SIMULATIONS]`, limit 94 %.

Rates from 0.5 to 60 %, arms of equal and of unequal size (Newcombe); values that most people don't have and
that are heavy-tailed where they have them (Welch). Fixed seed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import exp

import numpy as np
from msgspec import Struct, to_builtins

from hark.learn.aggregates import Sums
from hark.learn.compare import newcombe, welch

SIMULATIONS = 10_000
LIMIT = 0.94
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


RATES = (
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


class Covered(Struct, frozen=True):
    setting: Rates | Values
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


def covered(simulations: int) -> Iterator[Covered]:
    chance = np.random.default_rng(SEED)
    yield from (of_rates(one, simulations, chance) for one in RATES)
    yield from (of_values(one, simulations, chance) for one in VALUES)


def main() -> int:
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    found = list(covered(simulations))
    lowest = min(one.coverage for one in found)
    print(json.dumps({"limit": LIMIT, "lowest": lowest, "settings": to_builtins(found)}, indent=1))
    return 0 if lowest >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
