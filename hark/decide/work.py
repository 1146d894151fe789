"""The bench on which one input is worked: the record, the plan, the moment, the facts made so far."""

from __future__ import annotations

import msgspec

from hark.clock import derived_id
from hark.decide.plan import Plan
from hark.model import JSON, Event, FactName, Instant, Kind, Record

SOURCE = "hark"
"""The source of every fact."""

_FACT = Kind.FACT.value
_NAMES = {name: name.value for name in FactName}
_encode = msgspec.json.Encoder().encode


def whole_ms(at: Instant) -> Instant:
    """The instant rounded up to a whole millisecond: what a due moment is."""
    return -(-at // 1000) * 1000


class Work:
    """Mutable, lives for one call of `step`."""

    folded = 0
    """How many of the facts have been folded into the record."""
    traits_changed = False
    moved = False
    """Some moment at which time changes something was set or lifted."""
    arming = False
    """Something changed on which the starts by time alone rest."""
    age = 0
    """How long (us) the event being worked had been on its way when it arrived."""
    imported = False
    """The event being worked was imported: it changes state and starts nothing."""
    backfill = False
    """Summaries are being set from history: who is found inside a segment has not just entered it."""
    left: tuple[str, ...] = ()
    """Segments left at this moment, for the runs that end by it."""

    def __init__(self, record: Record, plan: Plan) -> None:
        self.record = record
        self.plan = plan
        self.now: Instant = record.now
        self.facts: list[Event] = []

    def emit(
        self, name: FactName, properties: dict[str, JSON], at: Instant | None = None, context: bytes = b"{}"
    ) -> Event:
        """A new fact at this moment (or at the time of what it reports), next in the subject's order."""
        record = self.record
        now = self.now
        seq = record.last_seq = record.last_seq + 1
        fact = Event(
            record.subject,
            now if at is None else at,
            seq,
            _NAMES[name],
            _FACT,
            SOURCE,
            derived_id(record.subject, seq),
            now,
            now,
            now,
            False,
            _encode(properties),
            context,
        )
        self.facts.append(fact)
        return fact
