"""What the customers are worth: the models fitted to a history, checked on weeks they did not see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec
import numpy as np
from msgspec import Struct

from hark.history.runs import Flags, Run, named
from hark.history.values import Value, Wanted
from hark.learn.worth import bgnbd, gamma_gamma
from hark.learn.worth.check import FEWEST, Check, Week, held_back
from hark.learn.worth.fit import Fit, Floats
from hark.learn.worth.purchases import Customers, Days, customers, joined, merged
from hark.model import JSON, Instant
from hark.understand.conditions.calendar import day_of, days_of
from hark.understand.partials import over_buckets

TOP = 20


class Runs(Protocol):
    """What is asked of a history: the runs of its buckets, with values of properties."""

    @property
    def buckets(self) -> int: ...

    def runs(
        self, bucket: int, names: Collection[str] | None = ..., properties: bool = ..., values: Wanted = ...
    ) -> list[Run]: ...


class Worth(Struct, frozen=True):
    """What is asked."""

    events: tuple[str, ...]
    """Names of purchases."""
    value: str | None = None
    """Dotted path of a purchase's value; None: only how often."""
    ahead_weeks: int = 13
    held_back_weeks: int = 13
    """At the end of the history, for the check."""
    zone: str = "UTC"


class Parameter(Struct, frozen=True):
    """One parameter with its standard error."""

    name: str
    estimate: float
    error: float


class One(Struct, frozen=True):
    """A customer's prospects."""

    subject: int
    alive: float
    purchases: float
    value: float | None


class WorthAnswer(Struct, frozen=True):
    """The models, how well they foretold, and the customers with the best prospects."""

    customers: int
    repeating: int
    purchases: tuple[Parameter, ...]
    """BG/NBD: r, alpha, a, b; times in weeks."""
    log_likelihood: float
    spend: tuple[Parameter, ...] | None
    """Gamma-Gamma: p, q, v; None without a value."""
    alive: float
    """Customers expected to be customers still."""
    expected_purchases: float
    expected_value: float | None
    checks: tuple[Check, ...]
    weeks: tuple[Week, ...]
    top: tuple[One, ...]

    def to_json(self) -> JSON:
        return msgspec.to_builtins(self)


class TooFewCustomers(ValueError):  # noqa: N818
    """There is too little to fit a model; the message says how much there is."""


def ask_worth(history: Runs, asked: Worth, now: Instant) -> WorthAnswer:
    """How often customers will buy and for how much. Raises TooFewCustomers: under `FEWEST` bought again."""
    days, end = purchase_days(history, asked, now), day_of(now, asked.zone) + 1
    known = customers(days, end)
    repeating = int((known.purchases.repeats > 0).sum())
    if repeating < FEWEST:
        raise TooFewCustomers(f"{repeating} customers bought on two days or more; a model needs {FEWEST}")
    model, fit = bgnbd.fit(known.purchases)
    spend, mean = money(known) if asked.value else (None, None)
    alive, ahead = model.alive(known.purchases), model.expected(known.purchases, asked.ahead_weeks)
    value, found = None if mean is None else ahead * mean, held_back(days, end, asked.held_back_weeks)
    return WorthAnswer(
        customers=len(known.subject),
        repeating=repeating,
        purchases=_parameters(("r", "alpha", "a", "b"), fit),
        log_likelihood=fit.log_likelihood,
        spend=None if spend is None else _parameters(("p", "q", "v"), spend),
        alive=float(alive.sum()),
        expected_purchases=float(ahead.sum()),
        expected_value=None if value is None else float(value.sum()),
        checks=found.classes,
        weeks=found.weeks,
        top=_top(known, alive, ahead, value),
    )


def purchase_days(history: Runs, asked: Worth, now: Instant) -> Days:
    """The days on which somebody bought, up to now.

    Of a file of the history that was read before, the reader has the values still: only new ones are read.
    """
    parts = over_buckets(history, lambda bucket: _bought(history, bucket, asked, now))
    whole = joined(parts)
    order = np.argsort(whole.subject, kind="stable")
    return Days(whole.subject[order], whole.day[order], whole.value[order])


def _bought(history: Runs, bucket: int, asked: Worth, now: Instant) -> Days:
    """Of the customers of one bucket."""
    names = frozenset(asked.events)
    wanted = {asked.value: names} if asked.value else {}
    found = [
        _of_run(run, named(run, names)[run.code], asked, now)
        for run in history.runs(bucket, names, values=wanted)
    ]
    whole = joined(found)
    return merged(whole.subject, whole.day, whole.value)


def _of_run(run: Run, bought: Flags, asked: Worth, now: Instant) -> Days:
    """Each purchase of a run, in the order of the run."""
    stands = np.zeros(len(run), np.bool_)
    for first, last in run.kept.tolist():
        stands[first:last] = True
    rows = np.flatnonzero(bought & stands & (run.at <= now))
    value = np.zeros(len(rows))
    if asked.value:
        values = run.values[asked.value]
        numbers = [_number(one) for one in values.values]
        value = np.array(numbers, np.float64)[values.codes[rows]]
    return Days(run.subject[rows], days_of(run.at[rows], asked.zone), value)


def _number(value: Value) -> float:
    """0 where there is none or it is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def money(known: Customers) -> tuple[Fit | None, Floats | None]:
    """The fit, and each customer's mean value of purchases to come; Nones where values fit no model."""
    spend, some = known.spend()
    if len(spend.mean) < FEWEST:
        return None, None
    model, fit = gamma_gamma.fit(spend)
    mean = np.full(len(known.subject), model.usual if np.isfinite(model.usual) else float(spend.mean.mean()))
    mean[some] = model.expected(spend)
    return fit, mean


def _parameters(names: Sequence[str], fit: Fit) -> tuple[Parameter, ...]:
    return tuple(map(Parameter, names, fit.parameters, fit.errors))


def _top(known: Customers, alive: Floats, ahead: Floats, value: Floats | None) -> tuple[One, ...]:
    best = np.argsort(-(ahead if value is None else value), kind="stable")[:TOP]
    worth = [None] * len(alive) if value is None else value.tolist()
    return tuple(One(int(known.subject[n]), float(alive[n]), float(ahead[n]), worth[n]) for n in best)
