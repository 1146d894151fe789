"""Who came into a campaign's comparison, and who reached its goal: the specification.

For one subject, a plain walk over its events in order of (at, seq). `columns` answers the same over
whole columns; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from hark.decide.holdouts import NEVER_COMPARED
from hark.definitions.types import Goal
from hark.learn.aggregates import Sums
from hark.model import DAY, JSON, Event, FactName, Instant
from hark.understand.operators import is_number, matches, value_at

GRACE_US = DAY
"""How long after a window's end its last events may still arrive."""


class Entered(Struct, frozen=True):
    """What is read of a `Campaign Entered` fact's properties."""

    campaign: str
    version: int
    arm: str
    run: str = ""
    batch: str = ""
    """Of a learning campaign, the number of the table that was drawn by; "" before the first."""
    carried: bool = False
    """The arm was recorded at an earlier entry, and not drawn under this version's shares."""
    assignment_key: str = ""
    """By what the arm was drawn: the customer's stable key, or that of a group."""


class Entry(Struct, frozen=True):
    """A subject's first entry into the comparison of one campaign version."""

    subject: int
    at: Instant
    seq: int
    arm: str
    """"control", or the name of the variant."""
    drawn: bool = True
    """Under this version's shares; False: the arm had been recorded before."""
    run: str = ""


class Step(Struct, frozen=True):
    """What is read of a fact about a message: whose run came to its send."""

    run: str


SEND_REACHED = (FactName.MESSAGE_WANTED, FactName.MESSAGE_WITHHELD, FactName.MEMBERS_ADDRESSED)
"""Written when a run comes to a send: the message is wanted, or held back (in the control, always)."""


class Outcome(Struct, frozen=True):
    """What became of an entry within its window."""

    entry: Entry
    goal: bool
    value: float
    since: int | None = None
    """Microseconds from the entry to the first goal; None without one."""


def first_entry(events: Sequence[Event], campaign: str, version: int) -> Entry | None:
    """The subject's first entry into this version's comparison; None if it never came into it."""
    for event in events:
        if event.name == FactName.CAMPAIGN_ENTERED:
            found = msgspec.json.decode(event.properties, type=Entered)
            if (found.campaign, found.version) == (campaign, version) and compared(found):
                return Entry(event.subject, event.at, event.seq, found.arm, not found.carried, found.run)
    return None


def compared(found: Entered) -> bool:
    """People in the global or a programme's control are in no campaign's comparison."""
    return found.arm not in NEVER_COMPARED


def outcome(events: Sequence[Event], entry: Entry, goal: Goal) -> Outcome:
    """Whether the goal followed the entry: strictly after it in (at, seq), no later than the window's end."""
    reached = [event for event in events if _counts(event, entry, goal)]
    since = reached[0].at - entry.at if reached else None
    return Outcome(entry, bool(reached), sum(value_of(event, goal) for event in reached), since)


def reached_send(events: Sequence[Event], entry: Entry) -> bool:
    """Whether the entry's run came to a send, in whatever arm: the control comes to it in shadow."""
    told = [event for event in events if event.name in SEND_REACHED]
    return any(msgspec.json.decode(event.properties, type=Step).run == entry.run for event in told)


def _counts(event: Event, entry: Entry, goal: Goal) -> bool:
    after = (event.at, event.seq) > (entry.at, entry.seq)
    within = event.at <= entry.at + goal.within_us
    return after and within and event.name in goal.event.names and _fits(event, goal.event.where)


def _fits(event: Event, where: JSON) -> bool:
    return where is None or matches(where, msgspec.json.decode(event.properties))


def value_of(event: Event, goal: Goal) -> float:
    """The goal's value that one event brings; 0 where it has none or it is no number."""
    if goal.value is None:
        return 0.0
    value = value_at(tuple(goal.value.split(".")), msgspec.json.decode(event.properties))
    return float(value) if is_number(value) else 0.0


def over(entry_at: Instant, goal: Goal, now: Instant) -> bool:
    """Whether the entry's window and the grace after it are over, so that it counts."""
    return entry_at + goal.within_us + GRACE_US < now


def sums(outcomes: Sequence[Outcome], goal: Goal, now: Instant) -> dict[str, Sums]:
    """By arm, the outcomes whose windows are over."""
    found: dict[str, Sums] = {}
    for one in outcomes:
        if over(one.entry.at, goal, now):
            sum_ = Sums(1, int(one.goal), one.value, one.value**2, one.value)
            found[one.entry.arm] = found.get(one.entry.arm, Sums()) + sum_
    return found
