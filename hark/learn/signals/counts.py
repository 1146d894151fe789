"""What a grade may see of an event: counts in strata of equally active customers, which add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hark.learn.signals.beginnings import Beginning, outcome

Counts = npt.NDArray[np.int64]
STRATA = 28
"""Number of active days in the first 28, less one."""
EARLIER, LATER = 0, 1
"""Customers by their start: those a signal is looked for in, and those on whom it is judged."""


@dataclass(frozen=True)
class Counted:
    """Of one event, customers by (earlier or later, stratum), each array of shape (2, 28)."""

    did: Counts
    did_and_stayed: Counts
    others: Counts
    others_stayed: Counts


def counted(found: Sequence[Beginning], name: str, split: int) -> Counted:
    """By definition. `split`: who starts before it is of the earlier ones."""
    made = np.zeros((2, 2, 2, STRATA), np.int64)
    for one in found:
        cell = int(one.start >= split), one.days - 1
        made[(int(name in one.did), int(outcome(one, name)), *cell)] += 1
    return Counted(made[1].sum(axis=0), made[1, 1], made[0].sum(axis=0), made[0, 1])


def split_of(starts: Sequence[int] | Counts) -> int:
    """When those begin on whom a signal is judged: a third of the customers started before it."""
    ordered = np.sort(np.asarray(starts, np.int64))
    return int(ordered[len(ordered) // 3]) if len(ordered) else 0


def all_counted(found: Sequence[Beginning]) -> Mapping[str, Counted]:
    """Every event that somebody did early, by definition."""
    split = split_of([one.start for one in found])
    names = sorted({name for one in found for name in one.did})
    return {name: counted(found, name, split) for name in names}
