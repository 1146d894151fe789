"""How well those who forecast lifts know their customers: each author's forecasts, scored together."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from msgspec import Struct

from hark.learn.scored import Forecast


class Author(Struct, frozen=True):
    """One author's forecasts of which the verdict is known."""

    author: str
    forecasts: int
    inside: int
    """How many of them the verdict's interval allows."""
    bias: float
    """The mean of estimate minus forecast: below 0 the author hopes too much."""
    error: float
    """The mean of how far off they were, in either direction."""
    campaigns: tuple[str, ...]


def authors(found: Iterable[tuple[str, str, Forecast]]) -> list[Author]:
    """Of (author, campaign, forecast); the least far off first."""
    by: dict[str, list[tuple[str, Forecast]]] = {}
    for author, campaign, forecast in found:
        by.setdefault(author, []).append((campaign, forecast))
    return sorted((_author(name, some) for name, some in by.items()), key=lambda one: (one.error, one.author))


def _author(name: str, some: list[tuple[str, Forecast]]) -> Author:
    errors = [one.error for _, one in some]
    return Author(
        name,
        len(some),
        sum(one.inside for _, one in some),
        fmean(errors),
        fmean(map(abs, errors)),
        tuple(sorted(campaign for campaign, _ in some)),
    )
