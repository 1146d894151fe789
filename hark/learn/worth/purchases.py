"""Purchases out of histories: per customer how often, how lately, for how long, and of what value.

Purchases of one local day are one (as in the papers), and times count in weeks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hark.learn.worth.bgnbd import Purchases
from hark.learn.worth.fit import Floats
from hark.learn.worth.gamma_gamma import Spend

Integers = npt.NDArray[np.int64]
DAYS = 7.0


class Days(Struct, frozen=True):
    """Days with a purchase, one row each, sorted by (subject, day)."""

    subject: Integers
    day: Integers
    """Local days since 1970-01-01."""
    value: Floats

    def only(self, kept: npt.NDArray[np.bool_]) -> Days:
        """Those marked."""
        return Days(self.subject[kept], self.day[kept], self.value[kept])


def merged(subject: Integers, day: Integers, value: Floats) -> Days:
    """Purchases of one subject and day together, their values added."""
    order = np.lexsort((day, subject))
    subject, day, value = subject[order], day[order], value[order]
    starts = np.flatnonzero(_changes(subject) | _changes(day))
    return Days(subject[starts], day[starts], np.add.reduceat(value, starts) if len(starts) else value)


def joined(parts: Sequence[Days]) -> Days:
    """One after the other."""
    none = Days(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    columns = zip(*((one.subject, one.day, one.value) for one in (none, *parts)), strict=True)
    return Days(*map(np.concatenate, columns))


def _changes(column: Integers) -> npt.NDArray[np.bool_]:
    return np.concatenate([np.ones(min(len(column), 1), np.bool_), column[1:] != column[:-1]])


class Customers(Struct, frozen=True):
    """One row a customer with a purchase, ascending by subject."""

    subject: Integers
    purchases: Purchases
    first: Integers
    """The day of the first purchase."""
    mean: Floats
    """Value of a repeat purchase on average; 0 without repeats."""

    def spend(self) -> tuple[Spend, npt.NDArray[np.bool_]]:
        """Those with a repeat purchase of positive value, and who they are."""
        some = (self.purchases.repeats > 0) & (self.mean > 0)
        return Spend(self.purchases.repeats[some], self.mean[some]), some


def customers(days: Days, end: int) -> Customers:
    """What the models see of each customer at the beginning of the day `end`."""
    seen = days.only(days.day < end)
    starts = np.flatnonzero(_changes(seen.subject))
    if not len(starts):
        none = np.zeros(0)
        return Customers(seen.subject, Purchases(none, none, none), seen.day, none)
    stops = np.append(starts[1:], len(seen.subject))
    first, last, repeats = seen.day[starts], seen.day[stops - 1], stops - starts - 1
    repeat_value = np.add.reduceat(seen.value, starts) - seen.value[starts]
    mean = np.divide(repeat_value, repeats, out=np.zeros(len(starts)), where=repeats > 0)
    of = Purchases(repeats.astype(float), (last - first) / DAYS, (end - 1 - first) / DAYS)
    return Customers(seen.subject[starts], of, first, mean)


def repeats_by(days: Days, ends: Sequence[int]) -> list[int]:
    """How many repeat purchase days lie before each of the days `ends`."""
    first = _changes(days.subject)
    again = np.sort(days.day[~first])
    return [int(found) for found in np.searchsorted(again, ends)]
