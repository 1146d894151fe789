"""Maximum likelihood of positive parameters, with their standard errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Floats: TypeAlias = npt.NDArray[np.float64]
Likelihood: TypeAlias = Callable[[Floats], tuple[float, Floats]]
"""(log-likelihood, its gradient) at the parameters."""

STEP = 1e-4
"""Of a logarithm, for the second derivative."""


class Fit(Struct, frozen=True):
    """The parameters under which what was seen is most likely."""

    parameters: tuple[float, ...]
    errors: tuple[float, ...]
    """Standard errors; infinite where the likelihood is flat."""
    log_likelihood: float
    converged: bool


def maximise(likelihood: Likelihood, start: Sequence[float]) -> Fit:
    """Climbs in the logarithms of the parameters (so that they stay positive) by L-BFGS-B.

    Standard errors come from the curvature at the top (observed information) by the delta method.
    """
    from scipy.optimize import minimize

    def down(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = likelihood(parameters)
        return -value, -gradient * parameters

    found = minimize(
        down, np.log(np.array(start)), jac=True, method="L-BFGS-B", bounds=[(-12, 12)] * len(start)
    )
    parameters = np.exp(found.x)
    errors = parameters * np.sqrt(_variances(down, found.x))
    return Fit(
        tuple(map(float, parameters)), tuple(map(float, errors)), -float(found.fun), bool(found.success)
    )


def _variances(down: Likelihood, top: Floats) -> Floats:
    """The diagonal of the inverse of the second derivative, taken as differences of gradients."""
    rows = [(down(top + step)[1] - down(top - step)[1]) / (2 * STEP) for step in STEP * np.eye(len(top))]
    information = (np.array(rows) + np.array(rows).T) / 2
    try:
        variances = np.diag(np.linalg.inv(information)).copy()
    except np.linalg.LinAlgError:
        return np.full(len(top), np.inf)
    return np.where(variances > 0, variances, np.inf)
