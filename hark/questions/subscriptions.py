"""How long subscriptions last, as a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.learn.columns import Integers, integers
from hark.learn.worth import sbg
from hark.learn.worth.subscriptions import FEWEST, enough, held_back, renewals, subscribers
from hark.model import DAY, JSON, Instant
from hark.questions.behaviour import whom
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.questions.desk import Desk

MOST_AHEAD = 120


class SubscriptionsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`start` and `end`: events, "A|B" for any of several; `period_days` between renewals."""

    start: str
    end: str
    period_days: int = 30
    ahead: int = 12
    """Periods to look ahead."""
    held_back: int = 3
    """Periods at the end, for the check."""
    at: Instant | None = None


def subscriptions(desk: Desk, asked: SubscriptionsQuestion, snapshot: Snapshot) -> JSON:
    """{"subscribers", "there", "alpha", "beta", "errors", "periods": [`Renewal`], "expected": periods that
    a new subscriber stays of the next `ahead`, "check": `Held` or null}.

    Raises HarkError `worth.few`: under 20 left, or stayed for a period; `question.wrong`.
    """
    if not (1 <= asked.period_days <= 366 and 1 <= asked.ahead <= MOST_AHEAD and asked.held_back >= 1):
        hint = f"a period of 1 to 366 days, up to {MOST_AHEAD} of them ahead, 1 or more held back"
        raise HarkError("such periods cannot be asked", hint, "question.wrong")
    now = desk.clock.now() if asked.at is None else asked.at
    everybody, period_us = whom(desk, snapshot), asked.period_days * DAY
    of = subscribers(*(happened(everybody, names.split("|"), now) for names in (asked.start, asked.end)))
    left, still = of.counts(now, period_us)
    if not enough(left, still):
        told = f"{int(left.sum())} left, and {int(still[1:].sum())} are there for a period or longer"
        raise HarkError(f"{told}; a model needs {FEWEST} of each", "wait, or import the past", "worth.few")
    model, found = sbg.fit_all(left, still)
    check = held_back(of, now, period_us, asked.held_back)
    return {
        "subscribers": len(of.start),
        "there": int(still.sum()),
        "alpha": model.alpha,
        "beta": model.beta,
        "errors": list(found.errors),
        "periods": msgspec.to_builtins(renewals(left, still, model, asked.ahead)),
        "expected": float(model.survival(np.arange(asked.ahead, dtype=np.float64)).sum()),
        "check": msgspec.to_builtins(check),
    }


def happened(everybody: People, names: Sequence[str], now: Instant) -> tuple[Integers, Integers]:
    """(subject, at) of every such event up to now."""
    rows = everybody.table(tuple(names), ("subject", "at"))
    subject, at = integers(rows, "subject"), integers(rows, "at")
    return subject[at <= now], at[at <= now]
