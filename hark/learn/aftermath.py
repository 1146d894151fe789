"""What came after a moment of somebody's attention: the specification, and the same over whole columns.

A moment is an event (a message that was sent, a text that was read); what counts came strictly after it, in
order of (at, seq), within 7 days. Nothing here says that it came because of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from hark.definitions.types import EventMatch
from hark.history.reader import Snapshot
from hark.learn.unprompted import BITS, CLICKS, Counts, Flags, changes, prompted, prompts
from hark.model import DAY, HOUR, MINUTE, ConsentName, Event, FactName, Instant
from hark.understand.kernels.rows import Bit, Stream, stream
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.steps import is_activity

LATER_US = 7 * DAY
SILENT_US = 24 * HOUR
GAP_US = 30 * MINUTE
"""Without activity for longer, a session has ended."""
READING = ("Content Read", "Time Spent", "Worth It")
"""What somebody does while reading is no use of what was read."""
MUTED, COMPLAINED = ConsentName.UNSUBSCRIBED.value, FactName.MESSAGE_COMPLAINED.value


class After(Struct, frozen=True):
    """What came after one moment."""

    returned: bool
    """A session began that no click within a day before had called for."""
    tried: bool
    """They did something that they had never done before."""
    muted: bool
    """They unsubscribed from something."""
    complained: bool
    silent: bool
    """They did nothing within 24 hours."""


def after(events: Sequence[Event], moment: tuple[Instant, int]) -> After:
    """From one subject's events by (at, seq)."""
    active = [event for event in events if is_activity(event)]
    clicks = [(event.at, event.seq) for event in events if event.name in CLICKS]
    before = {event.name for event in active if (event.at, event.seq) <= moment} | set(READING)
    later = [event for event in events if (event.at, event.seq) > moment and event.at <= moment[0] + LATER_US]
    did = [event for event in later if is_activity(event)]
    begun = [event for event in did if _begins(event, active)]
    names = {event.name for event in later}
    return After(
        any(not any(prompts(click, event) for click in clicks) for event in begun),
        any(event.name not in before for event in did),
        MUTED in names,
        COMPLAINED in names,
        not any(event.at <= moment[0] + SILENT_US for event in did),
    )


def _begins(event: Event, active: Sequence[Event]) -> bool:
    """Whether a session begins with it."""
    earlier = [one.at for one in active if (one.at, one.seq) < (event.at, event.seq)]
    return not earlier or event.at - max(earlier) > GAP_US


class Afters(Struct, frozen=True):
    """Of all events of some names, by (subject, at, seq): what came after each; one row an event."""

    at: Counts
    returned: Flags
    tried: Flags
    muted: Flags
    complained: Flags
    silent: Flags


def afters(history: Snapshot | People, names: Sequence[str], now: Instant) -> Afters:
    """The same of all events of these names up to a moment."""
    whom = people(history, now)
    bits = (*BITS, *(Bit(EventMatch((name,))) for name in (MUTED, COMPLAINED)), Bit(EventMatch(tuple(names))))
    parts = over_buckets(whom, lambda bucket: _part(stream(whom.runs(bucket), bits, named=True), now))
    whole = np.concatenate([np.zeros((8, 0), np.int64), *parts], axis=1)
    found = whole[:, np.lexsort(whole[2::-1])]
    return Afters(found[1], *(column.astype(np.bool_) for column in found[3:]))


def _part(rows: Stream, now: Instant) -> Counts:
    """(subject, at, seq, then what came after) of the moments of a bucket."""
    known = rows.at <= now
    subject, at, seq = rows.subject[known], rows.at[known], rows.seq[known]
    name, bits = rows.name[known].astype(np.int64), rows.bits[known]
    active, click, muted, complained, moment = ((bits >> np.uint64(n) & np.uint64(1)) != 0 for n in range(5))
    begins = active & ~_near(subject, at, active, GAP_US) & ~prompted(subject, at, click)
    reading = np.isin(name, [n for n, word in enumerate(rows.words) if word in READING])
    places = np.flatnonzero(moment)
    wanted = ((begins, LATER_US), (_first(subject, name, active) & ~reading, LATER_US),
              (muted, LATER_US), (complained, LATER_US), (active, SILENT_US))  # fmt: skip
    found = [_next_within(subject, at, flag, span)[places] for flag, span in wanted]
    return np.stack([subject[places], at[places], seq[places], *found[:4], ~found[4]]).astype(np.int64)


def _near(subject: Counts, at: Counts, flag: Flags, span: int) -> Flags:
    """Whether a flagged row of the same subject stands before the row, no longer ago than the span."""
    rows = np.arange(len(subject))
    last = np.maximum.accumulate(np.where(flag, rows, -1)) if len(rows) else rows
    last = np.concatenate([[-1], last[:-1]])[: len(rows)].astype(np.int64)
    found: Flags = (last >= 0) & (subject[last] == subject) & (at - at[last] <= span)
    return found


def _next_within(subject: Counts, at: Counts, flag: Flags, span: int) -> Flags:
    """Whether a flagged row of the same subject stands after the row, no later than the span."""
    count = len(subject)
    rows = np.where(flag, np.arange(count), count)
    following = np.append(np.minimum.accumulate(rows[::-1])[::-1], [count])[1:]
    place = np.minimum(following, max(0, count - 1))
    found: Flags = (following < count) & (subject[place] == subject) & (at[place] - at <= span)
    return found


def _first(subject: Counts, name: Counts, active: Flags) -> Flags:
    """Whether a row is the first activity of its subject by this name."""
    rows = np.flatnonzero(active)
    order = np.lexsort((rows, name[rows], subject[rows]))
    new = changes(subject[rows][order]) | changes(name[rows][order])
    found = np.zeros(len(subject), np.bool_)
    found[rows[order][new]] = True
    return found
