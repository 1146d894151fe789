"""What the models say of each customer, and of whom that has changed enough to be told again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from hark.definitions.learned import Prospect
from hark.learn.worth import bgnbd
from hark.learn.worth.answer import money
from hark.learn.worth.check import FEWEST
from hark.learn.worth.fit import Floats
from hark.learn.worth.purchases import Days, Integers, customers

LEAST = {"alive": 0.02, "purchases": 0.05, "value": 0.05, "stays": 0.02, "periods": 0.05}
"""Nearer to what was told last than this, nothing is told; of all but probabilities also within 5 % of it."""
SHARE = 0.05
Models: TypeAlias = dict[tuple[str, ...], tuple[float, ...]]
"""By the names of purchases, the parameters of how often they are made."""


def estimates(
    days: Days, end: int, asked: Prospect, models: Models | None = None
) -> tuple[Integers, Floats] | None:
    """(subject, estimate) of everybody who bought before the day `end`; None: under 100 bought again, or the
    values fit no model. From the parameters in `models`, those of the last time, it climbs on."""
    known = customers(days, end)
    if int((known.purchases.repeats > 0).sum()) < FEWEST:
        return None
    models = {} if models is None else models
    model, found = bgnbd.fit(known.purchases, models.get(asked.names, bgnbd.START))
    models[asked.names] = found.parameters
    if asked.what == "alive":
        return known.subject, np.round(model.alive(known.purchases), 3)
    ahead = model.expected(known.purchases, asked.weeks)
    if asked.what == "value":
        _, mean = money(known)
        return None if mean is None else (known.subject, np.round(ahead * mean, 2))
    return known.subject, np.round(ahead, 2)


def changed(
    subject: Integers, value: Floats, told: Mapping[int, float], what: str
) -> list[tuple[int, float]]:
    """Those who were told nothing yet, or something that is too far off by now."""
    before = np.array([told.get(one, np.nan) for one in subject.tolist()], np.float64)
    far = np.maximum(LEAST[what], 0.0 if what in ("alive", "stays") else SHARE * np.abs(before))
    new = np.isnan(before) | (np.abs(value - before) > far)
    return list(zip(subject[new].tolist(), value[new].tolist(), strict=True))
