"""How often customers buy and whether they still do: the BG/NBD model.

Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284.
While alive a customer buys at random with a rate of their own (gamma: r, alpha) and leaves after a purchase
with a probability of their own (beta: a, b). All times are in one unit, here weeks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hark.learn.worth.fit import Fit, Floats, maximise

START = (1.0, 4.0, 1.0, 2.0)


class Purchases(Struct, frozen=True):
    """One row a customer, as the model sees them."""

    repeats: Floats
    """Days with a purchase after the first."""
    last: Floats
    """From the first to the last purchase; 0 without repeats."""
    seen: Floats
    """From the first purchase to the end of observation."""


class BGNBD(Struct, frozen=True):
    """A fitted model."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, of: Purchases) -> Floats:
        """The probability of being still a customer (1 without repeats: nobody leaves before a purchase)."""
        return 1 / (1 + self._gone(of))

    def expected(self, of: Purchases, ahead: float) -> Floats:
        """Purchases expected in the next `ahead` units of time (equation 10)."""
        from scipy.special import hyp2f1

        x, rest = of.repeats, self.alpha + of.seen
        whole = rest + ahead
        missed = (rest / whole) ** (self.r + x) * hyp2f1(
            self.r + x, self.b + x, self.a + self.b + x - 1, ahead / whole
        )
        to_come: Floats = (self.a + self.b + x - 1) / (self.a - 1) * (1 - missed) * self.alive(of)
        return to_come

    def expected_of_new(self, after: Floats) -> Floats:
        """Repeat purchases of a new customer up to `after` units from the first (equation 9)."""
        from scipy.special import hyp2f1

        whole = self.alpha + after
        missed = (self.alpha / whole) ** self.r * hyp2f1(self.r, self.b, self.a + self.b - 1, after / whole)
        return (self.a + self.b - 1) / (self.a - 1) * (1 - missed)

    def _gone(self, of: Purchases) -> Floats:
        """The odds of having left."""
        x = of.repeats
        ratio = (self.alpha + of.seen) / (self.alpha + of.last)
        odds = self.a / np.maximum(self.b + x - 1, 1e-9) * ratio ** (self.r + x)
        return np.where(x > 0, odds, 0.0)


def fit(of: Purchases, start: Sequence[float] = START) -> tuple[BGNBD, Fit]:
    """The model under which these purchases are most likely. ValueError: nobody bought twice.

    `start`: parameters to climb from, for instance those of the day before; if the climb fails from there, it
    begins where it always does.
    """
    if not of.repeats.any():
        raise ValueError("nobody bought twice")
    rows = _Rows(of)
    found = maximise(lambda at: rows.likelihood(*at), start)
    if not found.converged and tuple(start) != START:
        found = maximise(lambda at: rows.likelihood(*at), START)
    return BGNBD(*found.parameters), found


class _Rows:
    """The likelihood over customers. Those who are alike in all that the model sees are one row with a
    weight, and functions of the count alone are taken once for each count."""

    def __init__(self, of: Purchases) -> None:
        first, self.weight = _alike(of)
        self.x, self.last, self.seen = of.repeats[first], of.last[first], of.seen[first]
        self.counts, place = np.unique(self.x, return_inverse=True)
        self.place, self.repeated = place.reshape(-1), self.x > 0
        self.weights = np.bincount(self.place, self.weight, len(self.counts))

    def likelihood(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats]:
        """(log-likelihood, gradient) by equation 6, its last term as a sum of two exponentials."""
        from scipy.special import gammaln, psi

        x, n = self.counts, self.weights
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        common += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        log_seen, log_last = np.log(alpha + self.seen), np.log(alpha + self.last)
        rate = r + self.x
        alive = -rate * log_seen
        odds = np.log(a) - np.log(np.maximum(b + x - 1, 1e-300))
        gone = np.where(self.repeated, odds[self.place] - rate * log_last, -np.inf)
        both = np.logaddexp(alive, gone)
        stay, left = self.weight * np.exp(alive - both), self.weight * np.exp(gone - both)
        lefts = np.bincount(self.place, left, len(x))
        gradient = np.array([
            np.dot(n, psi(r + x) - psi(r) + np.log(alpha)) - np.dot(stay, log_seen) - np.dot(left, log_last),
            n.sum() * r / alpha - np.dot(rate, stay / (alpha + self.seen) + left / (alpha + self.last)),
            np.dot(n, psi(a + b) - psi(a + b + x)) + left.sum() / a,
            np.dot(n, psi(a + b) + psi(b + x) - psi(b) - psi(a + b + x))
            - np.dot(lefts[x > 0], 1 / np.maximum(b + x[x > 0] - 1, 1e-300)),
        ])  # fmt: skip
        return float(np.dot(n, common) + np.dot(self.weight, both)), gradient


def _alike(of: Purchases) -> tuple[npt.NDArray[np.int64], Floats]:
    """The first of the customers who are alike, and how many of each there are; where times are not whole
    days (of weeks), hardly any are, and each stands alone."""
    days = [np.rint(column * WEEK) for column in (of.last, of.seen)]
    whole = all(
        np.array_equal(day / WEEK, column) for day, column in zip(days, (of.last, of.seen), strict=True)
    )
    columns = [of.repeats, *days]
    if not whole or max(float(column.max()) for column in columns) >= 1 << BITS:
        return np.arange(len(of.repeats)), np.ones(len(of.repeats))
    code = np.zeros(len(of.repeats), np.int64)
    for column in columns:
        code = (code << BITS) | column.astype(np.int64)
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    return first, count.astype(np.float64)


WEEK = 7.0
BITS = 20
"""Of each column in one number: up to 2,872 years of days."""
