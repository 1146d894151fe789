"""Discovery and payoff: the moments after which people stay, as candidates for a test.

For each event the way of doing it (how often, in which days) is chosen by the earlier customers alone; what
it adds, its grade and the control of false findings rest on the later ones, who had no say in the choice. So
looking at many ways does not make chance look like a finding.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from hark.history.reader import Snapshot
from hark.learn.signals.beginnings import EVER, How
from hark.learn.signals.columns import ask_counts
from hark.learn.signals.counts import EARLIER, Counted
from hark.learn.signals.grade import Signal, added, enough_in, graded
from hark.model import JSON, Instant
from hark.understand.people import People

HOWS = (EVER, How(3), How(1, 1), How(1, 7), How(3, 7), How(1, 7, last=True))
"""The ways that are looked at."""


class Moment(Struct, frozen=True):
    """One event, in the way of doing it that told most among the earlier customers."""

    how: How
    says: str
    """The event and the way, in words."""
    signal: Signal
    """On the later customers."""


class MomentsAnswer(Struct, frozen=True):
    """The moments, the strongest first, and each event's own grade."""

    moments: tuple[Moment, ...]
    signals: tuple[Signal, ...]

    def to_json(self) -> JSON:
        return msgspec.to_builtins(self)


def ask_moments(history: Snapshot | People, now: Instant) -> MomentsAnswer:
    """The ways of doing each event that tell of staying; the history is read once."""
    counts = ask_counts(history, now, HOWS)
    return MomentsAnswer(moments(counts), graded(counts[EVER]).signals)


def moments(counts: Mapping[How, Mapping[str, Counted]]) -> tuple[Moment, ...]:
    """From counts by way and event; events which too few did, or did not, in every way are left out."""
    names = {name for of in counts.values() for name in of}
    chosen = {name: how for name in names if (how := _best(counts, name)) is not None}
    found = graded({name: counts[how][name] for name, how in chosen.items()})
    return tuple(Moment(chosen[one.event], _says(one.event, chosen[one.event]), one) for one in found.signals)


def _best(counts: Mapping[How, Mapping[str, Counted]], name: str) -> How | None:
    """The way of which even the low end adds most, by the earlier customers."""
    lows = {
        how: least.low
        for how, of in counts.items()
        if name in of and enough_in(of[name]) and (least := added(of[name], EARLIER)) is not None
    }
    return max(lows, key=lambda how: lows[how], default=None)


def _says(event: str, how: How) -> str:
    return f"{event} {how.sentence()}"
