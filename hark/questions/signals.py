"""Which events tell that somebody stays, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.behaviour import whom

if TYPE_CHECKING:
    from hark.questions.desk import Desk


class SignalsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: as of this instant; None: now."""

    at: Instant | None = None


def signals(desk: Desk, asked: SignalsQuestion, snapshot: Snapshot) -> JSON:
    """`learn.signals.grade.SignalsAnswer` as plain data."""
    # Late: the compiler behind its columns takes half a second to load.
    from hark.learn.signals.grade import ask_signals

    return ask_signals(whom(desk, snapshot), desk.clock.now() if asked.at is None else asked.at).to_json()
