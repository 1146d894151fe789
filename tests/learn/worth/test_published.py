"""The models of worth against the tables of the papers that brought them."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict

import numpy as np
import pytest

from hark.learn.worth import bgnbd, gamma_gamma, sbg
from hark.learn.worth.bgnbd import BGNBD, Purchases
from hark.learn.worth.gamma_gamma import Spend
from tests.data import shared

CALIBRATION_END = "1997-09-30"


def cdnow() -> Purchases:
    with gzip.open(shared("cdnow/cdnow_sample_calibration_summary.csv.gz"), "rt") as lines:
        rows = [
            (float(one["frequency"]), float(one["recency"]), float(one["T"])) for one in csv.DictReader(lines)
        ]
    return Purchases(*np.array(rows).T)


def spend() -> Spend:
    """Repeat purchases up to the end of calibration, those of one day together."""
    days: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(shared("cdnow/cdnow_sample_transactions.csv.gz"), "rt") as lines:
        for one in csv.DictReader(lines):
            if one["date"] <= CALIBRATION_END:
                days[one["sample_customer_id"]][one["date"]] += float(one["dollar_value"])
    repeats = [[value for _, value in sorted(one.items())][1:] for one in days.values()]
    rows = [(len(one), sum(one) / len(one)) for one in repeats if sum(one) > 0]
    return Spend(*np.array(rows, np.float64).T)


def test_bgnbd_of_cdnow() -> None:
    """r = .243, alpha = 4.414, a = .793, b = 2.426, LL = -9582.4 (Fader, Hardie and Lee 2005, table 2)."""
    model, fit = bgnbd.fit(cdnow())
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert fit.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert fit.converged


def test_expected_purchases_of_the_papers_example() -> None:
    """x = 2, t_x = 30.43, T = 38.86: 1.226 purchases in the next 39 weeks (the authors' note for Excel)."""
    one = Purchases(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert BGNBD(0.243, 4.414, 0.793, 2.426).expected(one, 39)[0] == pytest.approx(1.226, abs=1e-3)


def test_gamma_gamma_of_cdnow() -> None:
    """p = 6.25, q = 3.74, v = 15.44, LL = -4055.92 on 946 customers (Fader and Hardie 2013)."""
    seen = spend()
    assert len(seen.mean) == 946
    model, fit = gamma_gamma.fit(seen)
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=6e-3)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=5e-3)


@pytest.mark.parametrize(
    ("there", "alpha", "beta"),
    [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182),
    ],
    ids=["high end", "regular"],
)
def test_shifted_beta_geometric_of_two_cohorts(there: list[int], alpha: float, beta: float) -> None:
    """High end: alpha = .668, beta = 3.806; regular: .704, 1.182 (Fader and Hardie 2007, seven years)."""
    model, _ = sbg.fit(there)
    assert (model.alpha, model.beta) == pytest.approx((alpha, beta), abs=6e-4)
