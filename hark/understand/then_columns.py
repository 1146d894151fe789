"""Conditions at moments of people's own, over whole columns: what was counted in a window just before each,
by places in one order of events and moments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hark.understand.conditions import AllOf, AnyOf, Condition, Did, Named, Not
from hark.understand.conditions.base import Columns, Flags, Found, Ints
from hark.understand.conditions.calendar import periods_of
from hark.understand.conditions.did import NEVER, PERIODS


class Moments(NamedTuple):
    """Moments (at, seq) of subjects, by their places among the columns' subjects."""

    who: Ints
    at: Ints
    seq: Ints


def in_columns(condition: Condition) -> bool:
    """Whether `met_then` knows its kind: counts of events or of the periods with one, ever, within some time
    or between two dates."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return all(map(in_columns, parts))
        case Not(part=part):
            return in_columns(part)
        case Named(where=where):
            return where is not None and in_columns(where)
        case Did():
            return condition.of is None and not (condition.window.marked or condition.window.today)
    return False


def met_then(condition: Condition, columns: Columns, moments: Moments) -> Flags:
    """Whether it held just before each moment. ValueError: it is none of which `in_columns` says so."""
    match condition:
        case AllOf(parts=parts):
            every: Flags = np.logical_and.reduce([met_then(part, columns, moments) for part in parts])
            return every
        case AnyOf(parts=parts):
            some: Flags = np.logical_or.reduce([met_then(part, columns, moments) for part in parts])
            return some
        case Not(part=part):
            return ~met_then(part, columns, moments)
        case Named():
            return met_then(condition.meant, columns, moments)
        case Did():
            counts = np.minimum(_count(condition, columns, moments), condition.cap)
            return np.array(condition.accepts)[counts]
    raise ValueError(f"{type(condition).__name__} has no columnar form at moments")


def _count(did: Did, columns: Columns, moments: Moments) -> Ints:
    """What it counts, just before each moment."""
    found = columns.matches(did.names, did.test)
    between = did.window.between
    if between:
        found = found.only((found.at >= between[0]) & (found.at < between[1]))
    order = np.lexsort((found.seq, found.at, found.who))
    found = found.only(order)
    end = _before(found, moments.who, moments.at, moments.seq)
    since = moments.at - did.within_us if did.within_us is not None else np.full(len(end), NEVER)
    start = np.minimum(end, _before(found, moments.who, since, np.full(len(end), np.iinfo(np.int64).max)))
    if did.measure not in PERIODS:
        return end - start
    periods = periods_of(found.at, did.measure, did.zone)
    new = np.ones(len(periods), np.bool_)
    new[1:] = (found.who[1:] != found.who[:-1]) | (periods[1:] != periods[:-1])
    number = np.append(np.cumsum(new), 0)
    return np.where(end > start, number[end - 1] - number[np.minimum(start, len(periods))] + 1, 0)


def _before(found: Found, who: Ints, at: Ints, seq: Ints) -> Ints:
    """How many of the events, sorted by (who, at, seq), stand before each of these places."""
    events = len(found.who)
    columns = ((found.seq, seq), (found.at, at), (found.who, who))
    asked = np.concatenate([np.ones(events, np.int64), np.zeros(len(who), np.int64)])
    order = np.lexsort((asked, *map(np.concatenate, columns)))
    seen = np.cumsum(asked[order])
    counts = np.empty(len(order), np.int64)
    counts[order] = seen
    return counts[events:]
