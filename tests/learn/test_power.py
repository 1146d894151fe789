"""How many people are needed: against published calculators, and against simulation."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm

from hark.learn.power import best_control, detectable, people_needed

UDACITY = [(0.20625, 0.01, 25_839), (0.1093125, 0.0075, 27_411)]
FOUND = [(0.1, 0.05, 0.5), (0.03, 0.01, 0.2), (0.5, -0.06, 0.35)]


@pytest.mark.parametrize(("base", "lift", "quoted"), UDACITY, ids=["gross", "net"])
def test_the_sample_sizes_of_udacitys_experiment(base: float, lift: float, quoted: int) -> None:
    """Per arm, within 2.5 % of the quoted size.

    The quoted ones take the base's variance under no difference, which is a little too small: the same
    arithmetic with it gives them to 0.1 %.
    """
    assert people_needed(base, lift) / 2 == pytest.approx(quoted, rel=0.025)
    alone, treated = base * (1 - base), (base + lift) * (1 - base - lift)
    theirs = (norm.ppf(0.975) * sqrt(2 * alone) + norm.ppf(0.8) * sqrt(alone + treated)) ** 2 / lift**2
    assert theirs == pytest.approx(quoted, rel=1e-3)


@pytest.mark.parametrize(("base", "lift", "control"), FOUND)
def test_the_test_finds_the_difference_as_often_as_it_says(base: float, lift: float, control: float) -> None:
    """In 4,000 simulations of that size the z test finds it in 80 % of them, to 5 points."""
    people, chance = people_needed(base, lift, control), np.random.default_rng(1)
    alone = round(people * control)
    goals = chance.binomial(alone, base, 4000), chance.binomial(people - alone, base + lift, 4000)
    pooled = (goals[0] + goals[1]) / people
    error = np.sqrt(pooled * (1 - pooled) * (1 / alone + 1 / (people - alone)))
    z = (goals[1] / (people - alone) - goals[0] / alone) / error
    assert np.mean(np.abs(z) > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.05)


def test_what_is_detectable_is_the_inverse_of_what_is_needed() -> None:
    """Who has just as many people as a lift needs can detect that lift, and nothing smaller."""
    people = people_needed(0.1, 0.05, 0.2)
    found = detectable(0.1, people, 0.2)
    assert found == pytest.approx(0.05, rel=1e-3)
    assert detectable(0.1, 5, 0.2) is None


def test_the_best_control_needs_the_fewest_people() -> None:
    """No other share from 10 to 50 % does with fewer; for a small lift it is one half, by symmetry."""
    assert best_control(0.3, 0.001) == pytest.approx(0.5, abs=0.011)
    best = people_needed(0.02, 0.2, best_control(0.02, 0.2))
    assert all(best <= people_needed(0.02, 0.2, share / 20) for share in range(2, 11))


def test_impossible_wishes_are_refused() -> None:
    """A rate over 1, no difference, or nobody left alone are errors."""
    for base, lift, control in [(0.9, 0.2, 0.5), (0.1, 0.0, 0.5), (0.1, 0.1, 0.0)]:
        with pytest.raises(ValueError, match="needs rates between"):
            people_needed(base, lift, control)
