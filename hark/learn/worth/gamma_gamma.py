"""What a purchase of a customer is worth on average: the Gamma-Gamma model.

Fader and Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025 at brucehardie.com. Values of a
customer's purchases vary around a mean of their own (gamma: p), and the means vary over customers (q, v).
The value of a purchase is taken as independent of how often somebody buys.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from hark.learn.worth.fit import Fit, Floats, maximise

START = (1.0, 2.0, 10.0)


class Spend(Struct, frozen=True):
    """One row a customer with a repeat purchase of positive value."""

    repeats: Floats
    mean: Floats
    """Value of a repeat purchase, on average; above 0."""


class GammaGamma(Struct, frozen=True):
    """A fitted model."""

    p: float
    q: float
    v: float

    def expected(self, of: Spend) -> Floats:
        """The mean value of purchases to come (equation 5): between what was seen and what is usual."""
        x = of.repeats
        return self.p * (self.v + x * of.mean) / (self.p * x + self.q - 1)

    @property
    def usual(self) -> float:
        """The mean over customers; of who has not bought twice nothing else is known. Infinite for q <= 1."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else float("inf")


def fit(of: Spend) -> tuple[GammaGamma, Fit]:
    """The model under which these values are most likely. ValueError: nobody, or a value of 0 or less."""
    if not len(of.mean) or of.mean.min() <= 0:
        raise ValueError("needs repeat purchases of positive value")
    found = maximise(
        lambda at: _likelihood(of, *at), (START[0], START[1], START[2] * float(of.mean.mean()) / 10)
    )
    return GammaGamma(*found.parameters), found


def _likelihood(of: Spend, p: float, q: float, v: float) -> tuple[float, Floats]:
    """(log-likelihood, gradient) by equation 1a."""
    from scipy.special import gammaln, psi

    x, z = of.repeats, of.mean
    shape, total = p * x, v + x * z
    logs = (
        gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
        + (shape - 1) * np.log(z) + shape * np.log(x) - (shape + q) * np.log(total)
    )  # fmt: skip
    by_p = x * (psi(shape + q) - psi(shape) + np.log(z) + np.log(x) - np.log(total))
    by_q = psi(shape + q) - psi(q) + np.log(v) - np.log(total)
    by_v = q / v - (shape + q) / total
    return float(logs.sum()), np.array([by_p.sum(), by_q.sum(), by_v.sum()])
