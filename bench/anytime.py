"""How often the always-valid 95 % intervals hold at all of 60 daily looks; limit 95 %.

`python -m bench.anytime [SIMULATIONS]`. Rates from 0.1 to 60 %, arms of equal and unequal size, 2 to 10,000
people a day; values that most people don't have and that are heavy-tailed where they have them. Fixed seed.
"""

from __future__ import annotations

import json
import sys
from math import exp
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct, to_builtins

from hark.learn import anytime
from hark.learn.aggregates import Sums

Floats: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]

LOOKS = 60
SIMULATIONS = 10_000
LIMIT = 0.95
SEED = 20260301


class Daily(Struct, frozen=True):
    """True goal rates and people a day in each arm; `sigma`: the goal's value is lognormal."""

    treated: float
    control: float
    n_treated: int
    n_control: int
    sigma: float | None = None


SETTINGS = (
    Daily(0.001, 0.001, 300, 300),
    Daily(0.001, 0.001, 5_000, 5_000),
    Daily(0.001, 0.002, 9_000, 1_000),
    Daily(0.005, 0.005, 100, 100),
    Daily(0.03, 0.02, 200, 200),
    Daily(0.05, 0.05, 900, 100),
    Daily(0.15, 0.10, 30, 30),
    Daily(0.30, 0.30, 2, 2),
    Daily(0.60, 0.50, 1, 1),
    Daily(0.60, 0.50, 100, 10),
    Daily(0.15, 0.10, 40, 40, 0.6),
    Daily(0.15, 0.10, 40, 40, 1.0),
    Daily(0.05, 0.05, 200, 50, 1.0),
    Daily(0.30, 0.25, 100, 100, 1.5),
)


class Held(Struct, frozen=True):
    """What came of one setting."""

    setting: Daily
    simulations: int
    held: float
    """The share of simulations whose interval contained the truth at every look after the burn-in."""
    half_width: float
    """At the last look, on average."""


def held(one: Daily, simulations: int, chance: np.random.Generator) -> Held:
    """Draws `simulations` campaigns of 60 days and looks at each every day."""
    truth = (one.treated - one.control) * (exp(one.sigma**2 / 2) if one.sigma is not None else 1.0)
    compare = anytime.rate if one.sigma is None else anytime.value
    good, widths = 0, []
    for _ in range(simulations):
        looks = zip(_days(one.treated, one.n_treated, one.sigma, chance),
                    _days(one.control, one.n_control, one.sigma, chance), strict=True)  # fmt: skip
        found = [interval for ours, others in looks if (interval := compare(ours, others))]
        good += all(truth in interval for interval in found)
        widths += [(found[-1].high - found[-1].low) / 2] if found else []
    return Held(one, simulations, good / simulations, float(np.mean(widths)))


def _days(rate: float, count: int, sigma: float | None, chance: np.random.Generator) -> list[Sums]:
    """The sums of one arm at the end of each day."""
    goals = chance.binomial(count, rate, LOOKS)
    value, squared = _values(goals, sigma, chance)
    columns = (goals.cumsum().tolist(), value.cumsum().tolist(), squared.cumsum().tolist())
    return [Sums(count * (day + 1), *sums) for day, sums in enumerate(zip(*columns, strict=True))]


def _values(goals: Counts, sigma: float | None, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """By day, the sum of the values of those with the goal, and of their squares."""
    if sigma is None:
        return np.zeros(LOOKS), np.zeros(LOOKS)
    worth, day = chance.lognormal(0, sigma, int(goals.sum())), np.repeat(np.arange(LOOKS), goals)
    sums = [np.bincount(day, weights, LOOKS).astype(np.float64) for weights in (worth, worth * worth)]
    return sums[0], sums[1]


def main(simulations: int) -> None:
    chance = np.random.default_rng(SEED)
    for setting in SETTINGS:
        print(json.dumps(to_builtins(held(setting, simulations, chance))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS)
