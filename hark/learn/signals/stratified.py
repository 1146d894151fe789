"""What an event adds to being active: the difference of two rates within strata, over all of them."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

from hark.learn.compare import LEVEL, Interval

Floats = npt.NDArray[np.float64]


def difference(exposed: Floats, cases: Floats, others: Floats, other_cases: Floats) -> Interval | None:
    """The Mantel-Haenszel difference of risks of the exposed and the others, with a 95 % interval.

    Arrays have one entry a stratum. The variance is Sato's, which holds for few large strata and for many
    sparse ones (Sato 1989, Biometrics 45, 1323-1324). None where no stratum has both.
    """
    from scipy.special import ndtri

    whole = np.maximum(exposed + others, 1)
    weight = float((exposed * others / whole).sum())
    if not weight:
        return None
    estimate = float(((cases * others - other_cases * exposed) / whole).sum()) / weight
    p = exposed**2 * other_cases - others**2 * cases + exposed * others * (others - exposed) / 2
    q = cases * (others - other_cases) + other_cases * (exposed - cases)
    variance = (estimate * float((p / whole**2).sum()) + float((q / (2 * whole)).sum())) / weight**2
    half = float(ndtri(0.5 + LEVEL / 2)) * sqrt(max(variance, 0.0))
    return Interval(estimate, estimate - half, estimate + half)


def p_value(exposed: Floats, cases: Floats, others: Floats, other_cases: Floats) -> float | None:
    """Two-sided, of no difference in any stratum: Cochran, Mantel and Haenszel.

    Mantel and Haenszel (1959), JNCI 22, 719-748, without continuity correction. None: nothing can be said.
    """
    from scipy.special import chdtrc

    whole, all_cases = exposed + others, cases + other_cases
    sparse = np.maximum(whole**2 * (whole - 1), 1)
    excess = float((cases - exposed * all_cases / np.maximum(whole, 1)).sum())
    variance = float((exposed * others * all_cases * (whole - all_cases) / sparse).sum())
    return float(chdtrc(1, excess**2 / variance)) if variance else None
