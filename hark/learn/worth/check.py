"""A model of all but the last weeks, held beside those weeks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from hark.learn.worth import bgnbd
from hark.learn.worth.bgnbd import BGNBD
from hark.learn.worth.fit import Floats
from hark.learn.worth.purchases import Customers, Days, Integers, customers, repeats_by

FEWEST = 100
"""Customers with a repeat purchase: below it no model is fitted."""
CLASSES = 7
"""Of customers by repeat purchases: 0, 1, ... and the last for all with more."""


class Check(Struct, frozen=True):
    """Repeat purchases in the held-back weeks of customers known before, by how many they had made."""

    repeats: str
    customers: int
    expected: float
    """Per customer, by the model that had not seen those weeks."""
    actual: float


class Week(Struct, frozen=True):
    """Repeat purchases of everybody up to the end of a week, cumulated."""

    week: int
    expected: float
    actual: int
    held_back: bool


class HeldBack(Struct, frozen=True):
    """How well the model foretold; empty where there is too little for a model without those weeks."""

    classes: tuple[Check, ...] = ()
    weeks: tuple[Week, ...] = ()


def held_back(days: Days, end: int, weeks: int) -> HeldBack:
    """Fits all days before the last `weeks` before `end`, and foretells those."""
    cut = end - 7 * weeks
    known = customers(days, cut)
    if int((known.purchases.repeats > 0).sum()) < FEWEST:
        return HeldBack()
    model, _ = bgnbd.fit(known.purchases)
    cohort = days.only(np.isin(days.subject, known.subject))
    return HeldBack(
        tuple(_classes(known, model.expected(known.purchases, weeks), _later(known, cohort, cut))),
        tuple(_weeks(known, model, cohort, cut, end)),
    )


def _later(known: Customers, cohort: Days, cut: int) -> Integers:
    """Purchase days of each customer from the day `cut` on."""
    later = cohort.subject[cohort.day >= cut]
    return np.bincount(np.searchsorted(known.subject, later), minlength=len(known.subject))


def _classes(known: Customers, expected: Floats, actual: Integers) -> Iterator[Check]:
    of = np.minimum(known.purchases.repeats, CLASSES).astype(np.int64)
    names = [*map(str, range(CLASSES)), f"{CLASSES}+"]
    counts, sums, seen = (np.bincount(of, weights, CLASSES + 1) for weights in (None, expected, actual))
    for name, count, total, had in zip(names, counts, sums, seen, strict=True):
        if count:
            yield Check(name, int(count), float(total / count), float(had / count))


def _weeks(known: Customers, model: BGNBD, cohort: Days, cut: int, end: int) -> Iterator[Week]:
    ends = list(range(int(known.first.min()) + 7, end + 1, 7))
    firsts, counts = np.unique(known.first, return_counts=True)
    for number, (stop, had) in enumerate(zip(ends, repeats_by(cohort, ends), strict=True)):
        after = np.maximum(stop - 1 - firsts, 0) / 7.0
        yield Week(number + 1, float(np.dot(counts, model.expected_of_new(after))), had, stop > cut)
