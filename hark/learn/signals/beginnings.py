"""How customers began, and whether they were there in the second month: the specification.

A customer's first 28 days begin with the first activity. What is looked for in them is an event, done at
least so many times in some of their days (`How`). The outcome is activity in days 29 to 56 which no
click called for (not within 24 hours after one), other than the event that is judged as a signal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from hark.learn.unprompted import CLICKS, prompts
from hark.model import DAY, Event, Instant
from hark.understand.steps import is_activity

FIRST_US = 28 * DAY
OVER_US = 56 * DAY


class How(Struct, frozen=True):
    """How an event must have been done: at least `times`, in the first (or last) `days` of the 28."""

    times: int = 1
    days: int = 28
    last: bool = False

    @property
    def from_us(self) -> int:
        """Since the start of the 28 days; from there on."""
        return FIRST_US - self.days * DAY if self.last else 0

    @property
    def to_us(self) -> int:
        """And before this."""
        return FIRST_US if self.last else self.days * DAY

    def sentence(self) -> str:
        """ "3 times or more in the first 7 days"."""
        often = "" if self.times == 1 else f"{self.times} times or more "
        end = f"the last {self.days} of the first 28" if self.last else f"the first {self.days}"
        return f"{often}in {end} days" if self.days > 1 else f"{often}in the first 24 hours"


EVER = How()
"""At least once in the first 28 days: what grades rest on."""


class Beginning(Struct, frozen=True):
    """One customer, 56 days or more after the first activity."""

    start: Instant
    days: int
    """Of the first 28, those with activity, each 24 hours from the start; 1 to 28."""
    did: frozenset[str]
    """Names of the events done in them as was asked."""
    came_for: frozenset[str]
    """Names of the events done unprompted in days 29 to 56."""


def beginning(events: Sequence[Event], now: Instant, how: How = EVER) -> Beginning | None:
    """From one subject's events by (at, seq); None: no activity, or the 56 days are not over."""
    active = [event for event in events if is_activity(event) and event.at <= now]
    if not active or active[0].at + OVER_US > now:
        return None
    start = active[0].at
    first = [event for event in active if event.at < start + FIRST_US]
    later = [event for event in active if start + FIRST_US <= event.at < start + OVER_US]
    done = Counter(one.name for one in first if how.from_us <= one.at - start < how.to_us)
    clicks = [(event.at, event.seq) for event in events if event.name in CLICKS]
    return Beginning(
        start,
        len({(event.at - start) // DAY for event in first}),
        frozenset(name for name, times in done.items() if times >= how.times),
        frozenset(event.name for event in later if not any(prompts(click, event) for click in clicks)),
    )


def outcome(one: Beginning, name: str) -> bool:
    """Whether the customer was there again for something other than this event."""
    return bool(one.came_for - {name})


def beginnings(histories: Sequence[Sequence[Event]], now: Instant, how: How = EVER) -> Iterator[Beginning]:
    """Of each subject that has one."""
    for history in histories:
        found = beginning(history, now, how)
        if found:
            yield found
