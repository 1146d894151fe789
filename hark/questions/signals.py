"""Which events tell that somebody stays, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hark.clock import moment
from hark.definitions.weak import kept
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import DAY, JSON, Instant
from hark.questions.behaviour import whom
from hark.understand.conditions.calendar import day_of, day_start

if TYPE_CHECKING:
    from hark.questions.desk import Desk


class SignalsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Events done at least `times`, in the first (or `last`) `days` of everybody's first 28."""

    at: Instant | None = None
    """As of this instant; None: now."""
    times: int = 1
    days: int = 28
    last: bool = False


class MomentsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Which way of doing each event tells most of staying; `at` as above."""

    at: Instant | None = None


def signals(desk: Desk, asked: SignalsQuestion, snapshot: Snapshot) -> JSON:
    """`learn.signals.grade.SignalsAnswer` as plain data. Raises HarkError `question.wrong`."""
    # Late: the compiler behind its columns takes half a second to load.
    from hark.learn.signals.beginnings import How
    from hark.learn.signals.grade import ask_signals

    if not (1 <= asked.days <= 28 and 1 <= asked.times <= 1000):
        hint = "1 to 1000 times in 1 to 28 days"
        raise HarkError("such signals cannot be asked", hint, "question.wrong")
    how = How(asked.times, asked.days, asked.last)
    return ask_signals(whom(desk, snapshot), _moment(desk, asked.at), how).to_json()


def moments(desk: Desk, asked: MomentsQuestion, snapshot: Snapshot) -> JSON:
    """`learn.signals.moments.MomentsAnswer` as plain data."""
    from hark.learn.signals.moments import ask_moments

    return ask_moments(whom(desk, snapshot), _moment(desk, asked.at)).to_json()


class GradesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Today's grades of all events that can be judged."""


def grades(desk: Desk, _asked: GradesQuestion, snapshot: Snapshot) -> JSON:
    """The body of the document `signals: staying`, as of the day's beginning; None: nothing can be judged."""
    from hark.learn.signals.grade import ask_signals
    from hark.learn.signals.kept import document

    day = day_of(desk.clock.now(), desk.zone)
    found = ask_signals(whom(desk, snapshot), day_start(day, desk.zone))
    return document(found, f"{moment(day * DAY):%Y-%m-%d}", kept(desk.state.documents()))


def _moment(desk: Desk, at: Instant | None) -> Instant:
    return desk.clock.now() if at is None else at
