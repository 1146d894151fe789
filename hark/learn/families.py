"""Several comparisons at once: how sure one may be of each when many are looked at."""

from __future__ import annotations

from collections.abc import Mapping

from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval


def against_control(
    arms: Mapping[str, Sums], control: Sums, level: float = LEVEL
) -> dict[str, Interval | None]:
    """Each variant against the same control, so that all intervals hold together, at every look.

    Sidak (1967), JASA 62, 626-633: each at level^(1/m). Conservative, since the arms share a control.
    None during an arm's burn-in.
    """
    each = level ** (1 / max(len(arms), 1))
    return {name: anytime.rate(sums, control, each) for name, sums in arms.items()}


def discovered(p_values: Mapping[str, float], rate: float = 0.05) -> set[str]:
    """The comparisons to believe if at most `rate` of them may be false (Benjamini and Hochberg 1995)."""
    ordered = sorted(p_values.items(), key=lambda one: one[1])
    last = max((n for n, (_, p) in enumerate(ordered, start=1) if p <= rate * n / len(ordered)), default=0)
    return {name for name, _ in ordered[:last]}
