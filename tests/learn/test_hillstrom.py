"""A real hold-out test with published results: 64,000 customers in three arms (Hillstrom 2008)."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from hark.definitions.types import EventMatch, Goal
from hark.learn.aggregates import Sums
from hark.learn.columns import COLUMNS, Outcomes
from hark.learn.compare import Interval, wald, welch
from hark.learn.facts import Facts
from hark.learn.report import Report, report
from hark.model import DAY, JSON, Event
from tests.data import shared
from tests.learn.histories import T0, Told, campaign, entry, event

pytestmark = pytest.mark.xdist_group("hillstrom")

ARMS = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "control"}
VARIANTS: JSON = {name: {"send": {"channel": "email", "template": name}} for name in ("mens", "womens")}
OVER = T0 + 16 * DAY
N = {"mens": 21_307, "womens": 21_387, "control": 21_306}
VISITS = {"mens": 3_894, "womens": 3_238, "control": 2_262}
BUYERS = {"mens": 267, "womens": 189, "control": 122}


@pytest.fixture(scope="module")
def history() -> Told:
    """Each customer's row as an entry, a visit and a purchase with its spend."""
    raw = gzip.decompress((shared("hillstrom") / "hillstrom_email_2008.csv.gz").read_bytes())
    events: list[Event] = []
    for number, row in enumerate(csv.DictReader(io.StringIO(raw.decode()))):
        events.append(entry(number, T0, 3 * number, ARMS[row["segment"]]))
        if row["visit"] == "1":
            events.append(event(number, T0 + DAY, 3 * number + 1, "Visited"))
        if row["conversion"] == "1":
            spend = {"revenue": float(row["spend"])}
            events.append(event(number, T0 + 2 * DAY, 3 * number + 2, "Bought", spend))
    return Told(events)


def reported(history: Told, name: str, value: str | None = None) -> Report:
    goal: JSON = {"event": name, "within": "14d"} | ({"value": value} if value else {})
    return report(history, [campaign(goal=goal, control="33.3333%", variants=VARIANTS)], OVER)


@pytest.mark.parametrize(("name", "goals"), [("Visited", VISITS), ("Bought", BUYERS)])
def test_rates_have_newcombes_interval(history: Told, name: str, goals: dict[str, int]) -> None:
    """Arms are those published, and each variant's lift is what statsmodels computes from the counts."""
    found = reported(history, name)
    assert {one.arm: (one.complete, one.goals) for one in found.arms} == {a: (N[a], goals[a]) for a in N}
    assert found.sample_ratio.p == pytest.approx(0.904, abs=5e-4)
    for one in found.arms[1:]:
        low, high = confint_proportions_2indep(
            goals[one.arm], N[one.arm], goals["control"], N["control"], method="newcomb", compare="diff"
        )
        assert one.lift is not None
        assert (one.lift.low, one.lift.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(
    ("goals", "arm", "published"),
    [
        (VISITS, "mens", (7.659, 6.995, 8.323)),
        (VISITS, "womens", (4.523, 3.889, 5.157)),
        (BUYERS, "mens", (0.681, 0.500, 0.861)),
        (BUYERS, "womens", (0.311, 0.150, 0.472)),
    ],
)
def test_the_published_intervals_of_rates(
    goals: dict[str, int], arm: str, published: tuple[float, ...]
) -> None:
    """The textbook interval gives the published lifts in points."""
    found = wald(Sums(N[arm], goals[arm]), Sums(N["control"], goals["control"]))
    assert found is not None
    assert np.array([found.estimate, found.low, found.high]) * 100 == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize(
    ("arm", "published"), [("mens", (0.7698, 0.4851, 1.0545)), ("womens", (0.4244, 0.1690, 0.6799))]
)
def test_spend_has_welchs_interval(history: Told, arm: str, published: tuple[float, ...]) -> None:
    """Spend per customer against the control is the published lift with its interval."""
    goal = Goal(EventMatch(("Bought",)), 14 * DAY, "revenue")
    sums = Outcomes(Facts(history).entries("c")[1], history.table(["Bought"], COLUMNS), goal).sums(OVER)
    found = welch(sums[arm], sums["control"])
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx(published, abs=6e-5)


def test_treated_together_spend_more(history: Told) -> None:
    """Both mailed arms together, from the report alone: the weighted mean of the two published lifts."""
    found = reported(history, "Bought", "revenue").value
    mens, womens = 0.7698 * N["mens"], 0.4244 * N["womens"]
    assert isinstance(found, Interval)
    assert found.estimate == pytest.approx((mens + womens) / (N["mens"] + N["womens"]), abs=1e-4)
