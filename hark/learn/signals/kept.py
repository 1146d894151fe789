"""The grades of a day as the document that is kept of them: what people's goals and levels rest on."""

from __future__ import annotations

from typing import Any

from hark.definitions.learned import STAYING, Signals
from hark.learn.signals.grade import Signal, SignalsAnswer
from hark.model import JSON

MOST = 1000
"""Events whose grades are kept, those that most did."""
DIGITS = 3


def document(answer: SignalsAnswer, day: str, before: Signals | None) -> JSON:
    """The body of `signals: staying`; None: no event can be judged yet.

    An event that had the same grade in the document before has had it since the day that stands there.
    """
    told = sorted((one for one in answer.signals if one.grade != "too few"), key=_most)[:MOST]
    if not told:
        return None
    grades = {one.event: _graded(one, _since(one, day, before)) for one in sorted(told, key=_name)}
    return {"signals": STAYING, "day": day, "customers": told[0].customers, "grades": grades}


def _since(one: Signal, day: str, before: Signals | None) -> str:
    known = before.grades.get(one.event) if before else None
    return known.since if known and known.grade == one.grade else day


def _graded(one: Signal, since: str) -> dict[str, Any]:
    said = {
        "grade": one.grade,
        "since": since,
        "did": round(one.share or 0.0, DIGITS),
        "stayed": round(one.precision or 0.0, DIGITS),
    }
    if one.adds is None:
        return said
    return said | {"adds": [round(each, DIGITS) for each in (one.adds.estimate, one.adds.low, one.adds.high)]}


def _most(one: Signal) -> tuple[float, str]:
    return -(one.share or 0.0), one.event


def _name(one: Signal) -> str:
    return one.event
