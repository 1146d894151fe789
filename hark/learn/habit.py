"""How much of a habit the product is for a customer: the specification, and the same over whole columns.

Looked at are the 13 weeks before a moment, each 7 times 24 hours; a week counts by what nobody called for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from hark.history.reader import Snapshot
from hark.learn.unprompted import BITS, CLICKS, Counts, pairs, prompted, prompts
from hark.model import WEEK, Event, Instant
from hark.understand.kernels.rows import Stream, stream
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.steps import is_activity

WEEKS = 13
FOURTH_US = (3 * WEEK, 4 * WEEK)
"""After the first activity; as in `understand.pace`."""
NOT_YET = 0
HABITUAL = 6
"""From so many of the weeks on, coming back is a habit."""


class Habit(Struct, frozen=True):
    """One customer who was ever active before the moment."""

    first: Instant
    """When they were first active."""
    stayed_at: Instant | None
    """The first activity of their fourth week: by then they have stayed."""
    weeks: int
    """Of the last 13, those with activity that no click called for."""
    things: int
    """Different events done in the last 13 weeks."""


def habit(events: Sequence[Event], now: Instant) -> Habit | None:
    """From one subject's events by (at, seq); None: no activity yet."""
    active = [event for event in events if is_activity(event) and event.at <= now]
    recent = [event for event in active if event.at > now - WEEKS * WEEK]
    clicks = [(event.at, event.seq) for event in events if event.name in CLICKS]
    alone = [event for event in recent if not any(prompts(click, event) for click in clicks)]
    weeks = {(now - event.at) // WEEK for event in alone}
    if not active:
        return None
    later = [event.at for event in active if FOURTH_US[0] < event.at - active[0].at <= FOURTH_US[1]]
    things = {event.name for event in recent}
    return Habit(active[0].at, min(later, default=None), len(weeks), len(things))


class Habits(Struct, frozen=True):
    """Everybody who was ever active, ascending by subject; one row each."""

    subject: Counts
    first: Counts
    stayed_at: Counts
    """NOT_YET where they have not."""
    weeks: Counts
    things: Counts


def habits(history: Snapshot | People, now: Instant) -> Habits:
    """The same of everybody at once, as of a moment."""
    whom = people(history, now)
    parts = over_buckets(whom, lambda bucket: _part(stream(whom.runs(bucket), BITS, named=True), now))
    whole = np.concatenate([np.zeros((5, 0), np.int64), *parts], axis=1)
    return Habits(*whole[:, np.argsort(whole[0], kind="stable")])


def _part(rows: Stream, now: Instant) -> Counts:
    """(subject, first, stayed, weeks, things) of a bucket."""
    known = rows.at <= now
    subject, at, bits, name = rows.subject[known], rows.at[known], rows.bits[known], rows.name[known]
    called = prompted(subject, at, (bits & np.uint64(2)) != 0)
    active = (bits & np.uint64(1)) != 0
    subject, at, name, called = subject[active], at[active], name[active], called[active]
    who, start, place = np.unique(subject, return_index=True, return_inverse=True)
    ago = (now - at) // WEEK
    recent = ago < WEEKS
    weeks, things = pairs(place[recent & ~called], ago[recent & ~called]), pairs(place[recent], name[recent])
    since = at - at[start][place]
    later = np.flatnonzero((since > FOURTH_US[0]) & (since <= FOURTH_US[1]))[::-1]
    stayed = np.full(len(who), NOT_YET, np.int64)
    stayed[place[later]] = at[later]  # from the last to the first: the first stays
    counted = (np.bincount(found[0], minlength=len(who)) for found in (weeks, things))
    return np.stack([who, at[start], stayed, *counted]).astype(np.int64)
