"""What a week was like, for the team: which steps became slower or lost people.

A funnel's attempts of the last four weeks whose window is over stand beside those of the four weeks before.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.compare import Interval, newcombe
from hark.understand.funnel import FunnelAnswer

SLOWER = 1.25
"""The median so many times as long as before is slower."""
FEWEST = 20
"""People who went on, in each of the two, below which nothing is said of their times."""


class Step(Struct, frozen=True):
    """One step of a funnel, from the step before."""

    funnel: str
    step: str
    came: int
    """Who took the step before."""
    rate: float
    before: float
    change: Interval | None
    """Of the rate, for one look; None where nobody came then or now."""
    median_s: float | None
    median_before_s: float | None
    slower: bool
    fewer: bool
    """The interval of the change lies below 0."""


def steps(funnel: str, now: FunnelAnswer, before: FunnelAnswer) -> Iterator[Step]:
    """Every step but the first."""
    for place in range(1, len(now.steps)):
        one, was = now.steps[place], before.steps[place]
        came, came_before = now.steps[place - 1].customers, before.steps[place - 1].customers
        change = newcombe(Sums(came, one.customers), Sums(came_before, was.customers))
        times = one.median_s, was.median_s
        many = min(one.customers, was.customers) >= FEWEST
        yield Step(
            funnel,
            one.step,
            came,
            one.rate_from_previous,
            was.rate_from_previous,
            change,
            *times,
            slower=many and times[0] is not None and times[1] is not None and times[0] > SLOWER * times[1],
            fewer=change is not None and change.high < 0,
        )
