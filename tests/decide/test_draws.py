"""A hundred campaigns draw the same customers: each splits as it should, and none knows of another's arms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chi2_contingency, chisquare

from hark.decide.assignment import draw
from hark.decide.course import Course
from hark.decide.holdouts import Holdouts
from hark.decide.record import fresh
from tests.decide.story import SEND, campaign, plan_of

SHARES = {"control": 0.2, "a": 0.4, "b": 0.4}
ARMS = list(SHARES)
P = 0.001


def arms(course: Course, customers: int) -> npt.NDArray[np.int8]:
    """The number of each customer's arm."""
    record, found = fresh(1, "", 0), np.empty(customers, np.int8)
    for number in range(customers):
        record.key = f"u:{number}"
        found[number] = ARMS.index(draw(record, course, Holdouts()).arm)
    return found


def drawn(campaigns: int, customers: int) -> list[npt.NDArray[np.int8]]:
    text = campaign(control="20%", variants=f"{{a: {SEND}, b: {SEND}}}")
    plan = plan_of("---\n".join(text.replace("hello", f"c{number}", 1) for number in range(campaigns)))
    return [arms(plan.current[f"c{number}"], customers) for number in range(campaigns)]


def split(found: npt.NDArray[np.int8]) -> float:
    """p of the sample-ratio check."""
    counts = np.bincount(found, minlength=len(ARMS))
    return float(chisquare(counts, [share * len(found) for share in SHARES.values()]).pvalue)


def together(one: npt.NDArray[np.int8], other: npt.NDArray[np.int8]) -> float:
    """p of the arms of two campaigns being independent."""
    table = np.bincount(one * len(ARMS) + other, minlength=len(ARMS) ** 2).reshape(len(ARMS), -1)
    return float(chi2_contingency(table).pvalue)


@pytest.mark.parametrize(
    "campaigns, customers", [(8, 2_000), pytest.param(100, 100_000, marks=pytest.mark.torture)]
)
def test_campaigns_split_as_they_should_and_independently(campaigns: int, customers: int) -> None:
    """p > 0.001 in 99 of 100 campaigns; of the pairs no more fall below it than chance explains (Poisson's
    mean and four deviations)."""
    found = drawn(campaigns, customers)
    assert sum(split(one) > P for one in found) >= 0.99 * campaigns
    pairs = [together(*two) for two in combinations(found, 2)]
    expected = P * len(pairs)
    assert sum(p < P for p in pairs) <= expected + 4 * max(1.0, expected) ** 0.5
