"""How customers began, and whether they were there in the second month: the specification.

A customer's first 28 days begin with the first activity. The outcome is activity in days 29 to 56 which no
click called for (not within 24 hours after one), other than the event that is judged as a signal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from hark.learn.unprompted import CLICKS, prompts
from hark.model import DAY, Event, Instant
from hark.understand.steps import is_activity

FIRST_US = 28 * DAY
OVER_US = 56 * DAY


class Beginning(Struct, frozen=True):
    """One customer, 56 days or more after the first activity."""

    start: Instant
    days: int
    """Of the first 28, those with activity, each 24 hours from the start; 1 to 28."""
    did: frozenset[str]
    """Names of the events done in them."""
    came_for: frozenset[str]
    """Names of the events done unprompted in days 29 to 56."""


def beginning(events: Sequence[Event], now: Instant) -> Beginning | None:
    """From one subject's events by (at, seq); None: no activity, or the 56 days are not over."""
    active = [event for event in events if is_activity(event) and event.at <= now]
    if not active or active[0].at + OVER_US > now:
        return None
    start = active[0].at
    first = [event for event in active if event.at < start + FIRST_US]
    later = [event for event in active if start + FIRST_US <= event.at < start + OVER_US]
    clicks = [(event.at, event.seq) for event in events if event.name in CLICKS]
    return Beginning(
        start,
        len({(event.at - start) // DAY for event in first}),
        frozenset(event.name for event in first),
        frozenset(event.name for event in later if not any(prompts(click, event) for click in clicks)),
    )


def outcome(one: Beginning, name: str) -> bool:
    """Whether the customer was there again for something other than this event."""
    return bool(one.came_for - {name})


def beginnings(histories: Sequence[Sequence[Event]], now: Instant) -> Iterator[Beginning]:
    """Of each subject that has one."""
    for history in histories:
        found = beginning(history, now)
        if found:
            yield found
