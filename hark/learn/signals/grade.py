"""How strong a signal is: its grade, and the figures it rests on."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from msgspec import Struct

from hark.definitions.learned import Grade
from hark.history.reader import Snapshot
from hark.learn.aggregates import Sums
from hark.learn.compare import Interval, newcombe
from hark.learn.families import discovered
from hark.learn.signals.beginnings import EVER, How
from hark.learn.signals.columns import ask_counts
from hark.learn.signals.counts import EARLIER, LATER, Counted
from hark.learn.signals.stratified import Floats, difference, p_value
from hark.model import JSON, Instant
from hark.understand.people import People

STRONG = 0.05
"""Of all customers as active: so many more stayed among those who did it."""
FALSE = 0.05
"""The share of the signals found which may be false."""
FEWEST = 20
"""Later customers who did it, and who did not; and a quarter as many who stayed, and who left, of each."""


class Signal(Struct, frozen=True):
    """One event as a signal of staying, on the later customers."""

    event: str
    grade: Grade
    adds: Interval | None
    """To being as active: the share who stayed among those who did it, less that among those who did not."""
    customers: int
    """Later customers judged."""
    share: float | None
    """Of them, those who did it in their first 28 days."""
    precision: float | None
    """Of those who did it, the share who stayed."""
    recall: float | None
    """Of those who stayed, the share who had done it."""
    lift: float | None
    """The precision over the share of all who stayed."""
    area: Interval | None
    """Under the curve (ROC) of doing it, with its 95 % interval; 0.5 says nothing."""


class SignalsAnswer(Struct, frozen=True):
    """All events that somebody did early, the strongest first."""

    signals: tuple[Signal, ...]

    def to_json(self) -> JSON:
        return msgspec.to_builtins(self)


def ask_signals(history: Snapshot | People, now: Instant, how: How = EVER) -> SignalsAnswer:
    """Grades every event by what doing it so tells of staying, as `beginnings` defines it."""
    return graded(ask_counts(history, now, (how,))[how])


def graded(counts: Mapping[str, Counted]) -> SignalsAnswer:
    """From counts. Found are those that hold on later customers, false ones controlled over all events."""
    enough = {name: one for name, one in counts.items() if enough_in(one)}
    tests = {name: _p(one) for name, one in enough.items()}
    found = discovered({name: p for name, p in tests.items() if p is not None}, FALSE)
    signals = [_signal(name, one, name in enough, name in found) for name, one in counts.items()]
    return SignalsAnswer(tuple(sorted(signals, key=_rank)))


def _rank(one: Signal) -> tuple[int, float, str]:
    order: tuple[Grade, ...] = ("strong", "weak", "none", "too few")
    return order.index(one.grade), -(one.adds.estimate if one.adds else 0.0), one.event


def _signal(name: str, one: Counted, enough: bool, found: bool) -> Signal:
    adds, (did, others) = added(one, LATER), _arms(one)
    people, stayed = did.subjects + others.subjects, did.goals + others.goals
    return Signal(
        event=name,
        grade=_grade(one, adds, found) if enough else "too few",
        adds=adds,
        customers=people,
        share=did.subjects / people if people else None,
        precision=did.rate,
        recall=did.goals / stayed if stayed else None,
        lift=did.rate / (stayed / people) if stayed and did.rate is not None else None,
        area=_area(did, others),
    )


def _grade(one: Counted, adds: Interval | None, found: bool) -> Grade:
    """Strong and weak point to staying; what points to leaving is no signal of it."""
    before = added(one, EARLIER)
    if not (found and adds and adds.estimate > 0 and before and before.estimate > 0):
        return "none"
    return "strong" if adds.estimate >= STRONG else "weak"


def _arms(one: Counted) -> tuple[Sums, Sums]:
    """Of the later customers: who did it and who did not, with those who stayed as goals."""
    did = Sums(int(one.did[LATER].sum()), int(one.did_and_stayed[LATER].sum()))
    return did, Sums(int(one.others[LATER].sum()), int(one.others_stayed[LATER].sum()))


def enough_in(one: Counted) -> bool:
    """Whether enough later customers did it and did not, stayed and left, to be judged."""
    return all(
        arm.subjects >= FEWEST and min(arm.goals, arm.subjects - arm.goals) >= FEWEST // 4
        for arm in _arms(one)
    )


def added(one: Counted, part: int) -> Interval | None:
    """To being as active, among the earlier or the later customers; None: there is nothing to compare."""
    return difference(*_cells(one, part))


def _p(one: Counted) -> float | None:
    return p_value(*_cells(one, LATER))


def _cells(one: Counted, part: int) -> tuple[Floats, Floats, Floats, Floats]:
    cells = (one.did, one.did_and_stayed, one.others, one.others_stayed)
    did, did_stayed, others, others_stayed = (column[part].astype(np.float64) for column in cells)
    return did, did_stayed, others, others_stayed


def _area(did: Sums, others: Sums) -> Interval | None:
    """Of a yes or no: (1 + true positives - false positives) / 2, from the difference of two rates."""
    stayed = Sums(did.goals + others.goals, did.goals)
    left = Sums(did.subjects + others.subjects - stayed.subjects, did.subjects - did.goals)
    found = newcombe(stayed, left)
    return found and Interval((1 + found.estimate) / 2, (1 + found.low) / 2, (1 + found.high) / 2)
