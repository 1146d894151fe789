"""How long subscriptions last: the shifted-beta-geometric model.

Fader and Hardie (2007), "How to Project Customer Retention", Journal of Interactive Marketing 21(1), 76-90.
At each renewal a subscriber leaves with a probability of their own, which varies as a beta (alpha, beta).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from hark.learn.worth.fit import Fit, Floats, maximise

START = (1.0, 1.0)


class ShiftedBetaGeometric(Struct, frozen=True):
    """A fitted model."""

    alpha: float
    beta: float

    def retention(self, period: Floats) -> Floats:
        """The share of those there at the start of the t-th period who renew, t from 1 (equation 8)."""
        return (self.beta + period - 1) / (self.alpha + self.beta + period - 1)

    def survival(self, period: Floats) -> Floats:
        """The share of a cohort still there after t periods (equation 6)."""
        from scipy.special import betaln

        there: Floats = np.exp(betaln(self.alpha, self.beta + period) - betaln(self.alpha, self.beta))
        return there


def fit(there: Sequence[int]) -> tuple[ShiftedBetaGeometric, Fit]:
    """The model of one cohort: `there[t]` subscribers after t periods, `there[0]` at the start.

    ValueError: fewer than two periods, or nobody left.
    """
    counts = np.array(there, np.float64)
    left = counts[:-1] - counts[1:]
    if len(counts) < 3 or not left.any() or (left < 0).any():
        raise ValueError("needs two periods or more, in which somebody left and nobody came")
    still = np.zeros(len(counts))
    still[-1] = counts[-1]
    return fit_all(left, still)


def fit_all(left: Floats, still: Floats) -> tuple[ShiftedBetaGeometric, Fit]:
    """The model of subscribers who began at different times: `left[t - 1]` left in their t-th period,
    `still[t]` are there and have completed t periods (equation 5, and of who is still there equation 6).

    ValueError: nobody left, or nobody is there to leave.
    """
    if not (left.any() and still[1:].any()):
        raise ValueError("needs subscribers who left, and some who stayed for a period")
    found = maximise(lambda at: _likelihood(left, still, *at), START)
    return ShiftedBetaGeometric(*found.parameters), found


def _likelihood(left: Floats, still: Floats, alpha: float, beta: float) -> tuple[float, Floats]:
    """(log-likelihood, gradient): P(T = t) = B(alpha + 1, beta + t - 1) / B(alpha, beta) (equation 5)."""
    from scipy.special import betaln, psi

    period, ends = np.arange(1, len(left) + 1), np.arange(len(still))
    whole = betaln(alpha, beta)
    value = np.dot(left, betaln(alpha + 1, beta + period - 1) - whole)
    value += np.dot(still, betaln(alpha, beta + ends) - whole)
    both, end = psi(alpha + beta + period), psi(alpha + beta + ends)
    start_a, start_b = psi(alpha) - psi(alpha + beta), psi(beta) - psi(alpha + beta)
    by_alpha = np.dot(left, psi(alpha + 1) - both - start_a) + np.dot(still, psi(alpha) - end - start_a)
    by_beta = np.dot(left, psi(beta + period - 1) - both - start_b)
    by_beta += np.dot(still, psi(beta + ends) - end - start_b)
    return float(value), np.array([by_alpha, by_beta])
