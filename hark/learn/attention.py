"""Time well spent: for each message and each text, the attention it asked for, and what came later.

A message asks for the time that its words take to read, of those who read it, and for a glance of everybody
else. What it is worth is what it caused, by its campaign's comparison with people left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from hark.definitions.contents import WORDS_A_MINUTE
from hark.learn.aftermath import LATER_US, Afters, afters
from hark.learn.columns import Flags, Snapshot, integers
from hark.learn.compare import Interval
from hark.model import FactName, Instant, ResponseName

GLANCE_S = 2.0
"""What a message asks of who does not open it: to see who writes, and what about."""
SENT, GOAL = FactName.MESSAGE_SENT.value, FactName.GOAL_REACHED.value
READ, SPENT, WORTH, REPLIED = "Content Read", "Time Spent", "Worth It", "Message Replied"
OPENS = (ResponseName.OPENED.value, ResponseName.CLICKED.value)
COLUMNS = ("subject", "at", "seq", "name", "properties")
Key: TypeAlias = tuple[str, str]


class Later(Struct, frozen=True):
    """Of how many moments whose 7 days are over what came later; `open`: those that are not over yet."""

    moments: int
    open: int
    returned: int
    tried: int
    muted: int
    complained: int


class Message(Struct, frozen=True):
    """One template of one campaign."""

    campaign: str
    template: str
    sent: int
    read: int
    """Opened or clicked by a person; where neither is heard of, nobody seems to read."""
    replied: int
    goals: int
    """Messages whose run reached its goal, of those whose 7 days are over: also who would have anyway."""
    ignored: int
    """Of the same: nothing was done within 24 hours, and no goal was reached."""
    useful: int
    """Who said of it that it was worth their time; `useless`: that it was not."""
    useless: int
    minutes: float
    """Attention asked for."""
    later: Later


class Content(Struct, frozen=True):
    """One text."""

    content: str
    title: str
    reads: int
    readers: int
    minutes: float
    """Of activity on it."""
    useful: int
    useless: int
    """Who said that it was worth their time, and that it was not."""
    later: Later


class Caused(Struct, frozen=True):
    """What a campaign's messages brought about, for each minute of attention that they asked."""

    goals: Interval
    """In all: the lift of its goal's rate, times everybody treated."""
    per_minute: Interval
    """Their worth, by the campaign's `worth`."""


def messages(snapshot: Snapshot, words: Mapping[str, int], now: Instant) -> list[Message]:
    """Every template of every campaign, by the attention that it asked for; `words` of templates."""
    rows = until(snapshot.table((SENT,), COLUMNS), now)
    told = [msgspec.json.decode(one) for one in rows["properties"].to_pylist()]
    found = afters(snapshot, (SENT,), now)  # type: ignore[arg-type]
    seen, goals = _seen(snapshot, now), _reached(snapshot, now)
    groups = _grouped((one.get("campaign", ""), one.get("template", "")) for one in told)
    made = [_message(key, places, told, found, seen, goals, words, now) for key, places in groups.items()]
    return sorted(made, key=lambda one: (-one.minutes, one.campaign, one.template))


def _message(
    key: Key,
    places: Sequence[int],
    told: Sequence[Mapping[str, Any]],
    found: Afters,
    seen: Mapping[str, set[str]],
    goals: set[str],
    words: Mapping[str, int],
    now: Instant,
) -> Message:
    ids = [told[place]["message"] for place in places]
    reached = np.array([told[place].get("run") in goals for place in places], np.bool_)
    rows = np.array(places, np.int64)
    over = found.at[rows] + LATER_US < now
    read = sum(one in seen["read"] for one in ids)
    minutes = read * words.get(key[1], 0) / WORDS_A_MINUTE + (len(ids) - read) * GLANCE_S / 60
    return Message(
        *key,
        sent=len(ids),
        read=read,
        replied=sum(one in seen["replied"] for one in ids),
        goals=int((reached & over).sum()),
        ignored=int((found.silent[rows] & ~reached & over).sum()),
        useful=sum(one in seen["useful"] for one in ids),
        useless=sum(one in seen["useless"] for one in ids),
        minutes=minutes,
        later=later_of(found, rows, over),
    )


def contents(snapshot: Snapshot, now: Instant) -> list[Content]:
    """Every text that somebody read, the one with the most minutes first."""
    rows = until(snapshot.table((READ,), COLUMNS), now)
    told = [msgspec.json.decode(one) for one in rows["properties"].to_pylist()]
    found, who = afters(snapshot, (READ,), now), integers(rows, "subject")  # type: ignore[arg-type]
    spent, worth = _minutes(snapshot, now), _worth(snapshot, now)
    groups = _grouped((str(one.get("content") or one.get("title") or ""), "") for one in told)
    made = []
    for (name, _), places in groups.items():
        at = np.array(places, np.int64)
        good, bad = worth.get(name, (0, 0))
        own = sum(float(told[place].get("active_s") or 0) for place in places) / 60
        later = later_of(found, at, found.at[at] + LATER_US < now)
        title = str(told[places[-1]].get("title") or name)
        readers = len(np.unique(who[at]))
        made.append(Content(name, title, len(places), readers, spent.get(name, own), good, bad, later))
    return sorted(made, key=lambda one: (-one.minutes, one.content))


def later_of(found: Afters, rows: np.ndarray[Any, Any], over: Flags) -> Later:
    mine = rows[over]
    columns = (found.returned, found.tried, found.muted, found.complained)
    return Later(len(mine), int((~over).sum()), *(int(column[mine].sum()) for column in columns))


def caused(lift: Interval, treated: int, worth: float, minutes: float) -> Caused | None:
    """Of a campaign; None where it asked for nothing."""
    if minutes <= 0:
        return None
    goals = Interval(lift.estimate * treated, lift.low * treated, lift.high * treated)
    each = worth / minutes
    return Caused(goals, Interval(goals.estimate * each, goals.low * each, goals.high * each))


def until(rows: pa.Table, now: Instant) -> pa.Table:
    """By (subject, at, seq), as `afters` has them."""
    subject, at, seq = (integers(rows, name) for name in COLUMNS[:3])
    order = np.lexsort((seq, at, subject))
    return rows.take(pa.array(order[at[order] <= now]))


def _grouped(keys: Iterable[Key]) -> dict[Key, list[int]]:
    """By key, the places where it stands."""
    found: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return found


def _seen(snapshot: Snapshot, now: Instant) -> dict[str, set[str]]:
    """Ids of the messages that a person read, of those replied to, and of those called worth it or not."""
    rows = until(snapshot.table((*OPENS, REPLIED, WORTH), COLUMNS), now)
    found: dict[str, set[str]] = {"read": set(), "replied": set(), "useful": set(), "useless": set()}
    for name, raw in zip(rows["name"].to_pylist(), rows["properties"].to_pylist(), strict=True):
        told = msgspec.json.decode(raw)
        message = told.get("message", "")
        if told.get("machine") or not message:
            continue
        found["read"].add(message)
        if name == REPLIED:
            found["replied"].add(message)
        elif name == WORTH:
            good = told.get("worth") is not False
            found["useful" if good else "useless"].add(message)
            found["useless" if good else "useful"].discard(message)
    return found


def _reached(snapshot: Snapshot, now: Instant) -> set[str]:
    """Runs that reached their goal."""
    rows = until(snapshot.table((GOAL,), COLUMNS), now)
    told = map(msgspec.json.decode, rows["properties"].to_pylist())
    return {one["run"] for one in told if not one.get("also")}


def _minutes(snapshot: Snapshot, now: Instant) -> dict[str, float]:
    """By text, minutes of activity where the reading script told them."""
    rows = until(snapshot.table((SPENT,), COLUMNS), now)
    found: dict[str, float] = {}
    for told in map(msgspec.json.decode, rows["properties"].to_pylist()):
        name = str(told.get("content") or told.get("title") or "")
        found[name] = found.get(name, 0.0) + float(told.get("active_s") or 0) / 60
    return found


def _worth(snapshot: Snapshot, now: Instant) -> dict[str, tuple[int, int]]:
    """By text, different people whose last word was that it was worth their time, and that it was not."""
    rows = until(snapshot.table((WORTH,), COLUMNS), now)
    last: dict[tuple[str, int], bool] = {}
    subjects = integers(rows, "subject").tolist()
    for subject, told in zip(subjects, map(msgspec.json.decode, rows["properties"].to_pylist()), strict=True):
        last[str(told.get("content") or told.get("title") or ""), subject] = told.get("worth") is not False
    found: dict[str, tuple[int, int]] = {}
    for (name, _), good in last.items():
        before = found.get(name, (0, 0))
        found[name] = (before[0] + good, before[1] + (not good))
    return found
