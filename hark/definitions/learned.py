"""Documents that Hark writes itself, of what it learned: numbered versions, an input of deciding."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


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
