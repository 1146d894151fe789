"""The counts of all events at once, over whole columns; `beginnings` says what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hark.history.reader import Snapshot
from hark.learn.signals.beginnings import EVER, FIRST_US, OVER_US, How
from hark.learn.signals.counts import STRATA, Counted, split_of
from hark.learn.unprompted import BITS, Counts, Flags, changes, pairs, prompted
from hark.model import DAY, Instant
from hark.understand.kernels.rows import Stream, stream
from hark.understand.partials import over_buckets
from hark.understand.people import People, people

MANY = -2
"""In place of a name: came for several events, or for none (`NONE`)."""
NONE = -1


@dataclass(frozen=True)
class Part:
    """Customers of one bucket whose 56 days are over; names are numbers into `words`."""

    words: tuple[str, ...]
    start: Counts
    days: Counts
    came_for: Counts
    """The only name a customer came for, or MANY or NONE."""
    did: tuple[tuple[Counts, Counts], ...]
    """For each way of doing that was asked for, (who, what), once each: the place in the columns above."""


def ask_counts(
    history: Snapshot | People, now: Instant, hows: Sequence[How] = (EVER,)
) -> dict[How, dict[str, Counted]]:
    """By way of doing, every event that somebody did so, with its counts. The history is read once."""
    whom = people(history, now)
    parts = over_buckets(whom, lambda bucket: _part(stream(whom.runs(bucket), BITS, named=True), now, hows))
    words = sorted({word for part in parts for word in part.words})
    split = split_of(np.concatenate([part.start for part in parts])) if parts else 0
    return {how: _counted(parts, place, words, split) for place, how in enumerate(hows)}


def _counted(parts: Sequence[Part], place: int, words: Sequence[str], split: int) -> dict[str, Counted]:
    """Of one way of doing, by its place among those asked for."""
    nothing = np.zeros((4, len(words), 2 * STRATA), np.int64)
    made = sum((_table(part, place, words, split) for part in parts), nothing)
    return {word: _of(made[:, number]) for number, word in enumerate(words) if made[0, number].any()}


def _of(made: Counts) -> Counted:
    did, stayed, everybody, all_stayed = made.reshape(4, 2, STRATA)
    return Counted(did, stayed, everybody - did, all_stayed - stayed)


def _part(rows: Stream, now: Instant, hows: Sequence[How]) -> Part:
    known = rows.at <= now
    subject, at, bits, name = rows.subject[known], rows.at[known], rows.bits[known], rows.name[known]
    called = prompted(subject, at, (bits & np.uint64(2)) != 0)
    active = (bits & np.uint64(1)) != 0
    subject, at, name, called = subject[active], at[active], name[active], called[active]
    first = changes(subject)
    who, start = np.cumsum(first) - 1, at[first]
    since, over = at - start[who], start + OVER_US <= now
    early, later = since < FIRST_US, (since >= FIRST_US) & (since < OVER_US) & ~called
    place = np.cumsum(over) - 1
    keep = over[who]
    new = early & (first | changes(since // DAY))
    days = np.bincount(who[new], minlength=len(start))
    early &= keep
    did = [_done(who, name, early & (since >= how.from_us) & (since < how.to_us), how.times) for how in hows]
    came_for = _only(*pairs(who[later], name[later]), len(start))
    by_place = tuple((place[mine], what) for mine, what in did)
    return Part(rows.words, start[over], days[over], came_for[over], by_place)


def _done(who: Counts, name: Counts, rows: Flags, times: int) -> tuple[Counts, Counts]:
    """The different (who, what) that stand in at least so many of these rows."""
    wide = int(name.max(initial=0)) + 1
    found = np.sort(who[rows] * wide + name[rows])
    if times > 1:  # equal ones stand together: so many are there if the last of so many is the same
        fewer = max(0, len(found) - times + 1)
        found = found[:fewer][found[:fewer] == found[times - 1 :][:fewer]]
    found = found[changes(found)]
    return found // wide, found % wide


def _only(who: Counts, what: Counts, count: int) -> Counts:
    """By customer, the only thing there is, or MANY or NONE."""
    found = np.full(count, NONE, np.int64)
    found[who] = what
    found[np.bincount(who, minlength=count) > 1] = MANY
    return found


def _table(part: Part, place: int, words: Sequence[str], split: int) -> Counts:
    """(did, did and stayed, all, all who stayed) by event and cell (earlier or later, and a stratum)."""
    code = np.searchsorted(words, part.words) if part.words else np.zeros(0, np.int64)
    cell = (part.start >= split) * STRATA + part.days - 1
    came, many = part.came_for != NONE, np.append(code, [MANY, NONE])
    only = many[part.came_for]  # NONE is -1 and MANY -2: from the end
    who = part.did[place][0]
    what, mine = code[part.did[place][1]], cell[who]
    stayed = came[who] & (only[who] != what)
    alone = only >= 0
    everybody = np.bincount(cell, minlength=2 * STRATA)
    all_came = np.bincount(cell[came], minlength=2 * STRATA)
    shape = (len(words), 2 * STRATA)
    return np.stack([
        _grid(what, mine, shape),
        _grid(what[stayed], mine[stayed], shape),
        np.broadcast_to(everybody, shape),
        all_came - _grid(only[alone], cell[alone], shape),
    ])  # fmt: skip


def _grid(row: Counts, column: Counts, shape: tuple[int, int]) -> Counts:
    return np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)
