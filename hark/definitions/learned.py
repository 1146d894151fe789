"""Documents that Hark writes itself, of what it learned: numbered versions, an input of deciding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Grade: TypeAlias = Literal["strong", "weak", "none", "too few"]
"""How well an event tells that whoever did it early stays; "too few": it cannot be said."""


class Allocation(Struct, frozen=True, tag="allocation"):
    """What each variant of a campaign that learns gets from now on; each version is a batch."""

    name: str
    """The campaign's."""
    campaign_version: int
    shares: dict[str, float]


class Effect(Struct, frozen=True, tag="effect"):
    """What a campaign was found to change: the posterior of its lift of the goal rate."""

    name: str
    """The campaign's."""
    campaign_version: int
    mean: float
    spread: float
    """Its standard deviation."""


class Graded(Struct, frozen=True):
    """What an event was found to tell of staying."""

    grade: Grade
    since: str
    """The first day (YYYY-MM-DD) of this grade without a break."""
    did: float
    """Of the customers judged, the share who did it early."""
    stayed: float
    """Of these, the share who stayed."""
    adds: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """To being as active: the share more who stayed, and the bounds of its 95 % interval."""

    @property
    def figures(self) -> str:
        """What it rests on, in words."""
        estimate, low, high = (100 * one for one in self.adds)
        more = f"{abs(estimate):.1f} points {'less' if estimate < 0 else 'more'} than others as active"
        return f"{self.stayed:.0%} of those who did it early stayed, {more} (95 %: {low:+.1f} to {high:+.1f})"


STAYING = "staying"
"""The name of the one document of grades: what they are of."""


class Signals(Struct, frozen=True, tag="signals"):
    """The grades of events as of a day. An event that is not among them could not be judged."""

    name: str
    day: str
    """YYYY-MM-DD, in the workspace's zone."""
    customers: int
    """That were judged."""
    grades: Mapping[str, Graded]

    def grade(self, event: str) -> Grade:
        return self.grades[event].grade if event in self.grades else "too few"


class Prospect(Struct, frozen=True):
    """What a model of purchases says of each customer, for a computed trait."""

    names: tuple[str, ...]
    """Events that are purchases."""
    what: Literal["alive", "purchases", "value"]
    """The probability of being a customer still; purchases in the next weeks; their value."""
    value: str | None = None
    """Dotted path of a purchase's value."""
    weeks: int = 13


class Renewing(Struct, frozen=True):
    """What a model of subscriptions says of each subscriber, for a computed trait."""

    starts: tuple[str, ...]
    """Events that begin one."""
    ends: tuple[str, ...]
    what: Literal["stays", "periods", "value"]
    """The chance of renewing through the next periods; how many of these are to come; their value."""
    value: str | None = None
    """Dotted path of a period's price in the events that begin one."""
    period_days: int = 30
    ahead: int = 12
