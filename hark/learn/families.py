"""Several comparisons at once: how sure one may be of each when many are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from math import erf, sqrt

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval, newcombe


def against_control(
    arms: Mapping[str, Sums], control: Sums, level: float = LEVEL
) -> dict[str, Interval | None]:
    """Each variant against the same control, so that all intervals hold together with `level`.

    Sidak (1967), JASA 62, 626-633: each at level^(1/m). Conservative, since the arms share a control.
    """
    each = level ** (1 / max(len(arms), 1))
    return {name: newcombe(sums, control, each) for name, sums in arms.items()}


def p_value(treated: Sums, control: Sums) -> float | None:
    """Two-sided, of no difference between two rates (pooled z test); None where nothing can be said."""
    people = treated.subjects + control.subjects
    pooled = (treated.goals + control.goals) / people if people else 0.0
    if not (treated.subjects and control.subjects and 0 < pooled < 1):
        return None
    error = sqrt(pooled * (1 - pooled) * (1 / treated.subjects + 1 / control.subjects))
    z = abs(treated.goals / treated.subjects - control.goals / control.subjects) / error
    return 1 - erf(z / sqrt(2))


def discovered(p_values: Mapping[str, float], rate: float = 0.05) -> set[str]:
    """The comparisons to believe if at most `rate` of them may be false (Benjamini and Hochberg 1995)."""
    ordered = sorted(p_values.items(), key=lambda one: one[1])
    last = max((n for n, (_, p) in enumerate(ordered, start=1) if p <= rate * n / len(ordered)), default=0)
    return {name for name, _ in ordered[:last]}
