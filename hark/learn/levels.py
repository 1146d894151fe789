"""How well levels of engagement tell who comes back, and whether one definition tells it better than another.

All from one table of counts: (level by the one, level by the other, came back). The area under the curve is
the probability that somebody who came back stands higher than somebody who did not, ties counting half; the
variances and the covariance are those of DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988), 837-845.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Table = NDArray[np.int64]
Floats = NDArray[np.float64]
FEWEST = 20
"""Of those who came back, and of those who did not: with fewer nothing is said."""


class Area(Struct, frozen=True):
    """An area under the curve, or a difference of two, with its 95 % interval."""

    estimate: float
    low: float
    high: float


class Compared(Struct, frozen=True):
    """Two definitions on the same customers."""

    customers: int
    came_back: int
    one: Area
    other: Area
    difference: Area
    """The one's less the other's."""
    moved: int
    """Who stands at another place."""


def compared(table: Table) -> Compared | None:
    """What the counts say (shape: levels of the one, of the other, 2); None where too few did, or did not,
    come back."""
    lost, came = int(table[:, :, 0].sum()), int(table[:, :, 1].sum())
    if min(lost, came) < FEWEST:
        return None
    mine, theirs = _placements(table.sum(axis=1)), _placements(table.sum(axis=0))
    first, second = _estimate(table.sum(axis=1)), _estimate(table.sum(axis=0))
    cover = _covariance(table, mine, theirs)
    spread = sqrt(max(0.0, cover[0, 0] + cover[1, 1] - 2 * cover[0, 1]))
    return Compared(
        lost + came,
        came,
        _area(first, sqrt(cover[0, 0])),
        _area(second, sqrt(cover[1, 1])),
        _area(first - second, spread),
        _moved(table),
    )


def _placements(counts: Table) -> tuple[Floats, Floats]:
    """By level: the share of those who came back that stands above (for somebody who did not), and the share
    of those who did not that stands below (for somebody who did); ties half."""
    lost, came = counts[:, 0].astype(np.float64), counts[:, 1].astype(np.float64)
    below = np.cumsum(lost) - lost + lost / 2
    above = came.sum() - np.cumsum(came) + came / 2
    return above / came.sum(), below / lost.sum()


def _estimate(counts: Table) -> float:
    _, below = _placements(counts)
    return float(below @ counts[:, 1] / counts[:, 1].sum())


def _covariance(table: Table, mine: tuple[Floats, Floats], theirs: tuple[Floats, Floats]) -> Floats:
    """Of the two areas: that of the placements of those who came back, and of those who did not."""
    found = np.zeros((2, 2))
    for outcome, which in ((1, 1), (0, 0)):
        counts = table[:, :, outcome].astype(np.float64)
        size = counts.sum()
        values = np.stack(np.broadcast_arrays(mine[which][:, None], theirs[which][None, :]))
        means = (values * counts).sum(axis=(1, 2)) / size
        away = values - means[:, None, None]
        found += np.einsum("aij,bij,ij->ab", away, away, counts) / (size - 1) / size
    return found


def _area(estimate: float, deviation: float) -> Area:
    from scipy.special import ndtri

    half = float(ndtri(0.975)) * deviation
    return Area(estimate, estimate - half, estimate + half)


def _moved(table: Table) -> int:
    """Who is counted from below all levels at another place: by rank, since names may differ."""
    both = table.sum(axis=2)
    same = sum(int(both[place, place]) for place in range(min(both.shape)))
    return int(both.sum()) - same
