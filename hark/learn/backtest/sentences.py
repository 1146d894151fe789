"""What a back-test says in plain English; small lists are told what they can and cannot learn."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

from hark.clock import moment
from hark.definitions.types import Campaign
from hark.learn.anytime import needed_by
from hark.learn.power import detectable
from hark.understand.wording import span

if TYPE_CHECKING:
    from hark.learn.backtest.answer import Backtest

LONGEST_WEEKS = 26
"""A comparison that takes longer than half a year to learn what is expected is told not to hope for it."""


def sentences(campaign: Campaign, found: Backtest) -> Iterator[str]:
    """Who would have entered, what they did by themselves, what would be withheld, what can be learned."""
    yield _entries(found)
    if campaign.goal is None:
        yield "This campaign has no goal: what it changes would not be measured."
        return
    yield from _base_rate(campaign, found)
    yield from _withheld(found)
    yield from _collisions(found)
    if found.entries:
        yield _detectable(found)
        yield from _expects(campaign, found)


def _entries(found: Backtest) -> str:
    span_ = f"From {moment(found.begin):%Y-%m-%d} to {moment(found.end):%Y-%m-%d}"
    if not found.entries:
        why = next(iter(found.withheld), "")
        because = f": the most frequent reason is {why} ({found.withheld[why]:,} times)" if why else ""
        return f"{span_} nobody would have entered{because}."
    return f"{span_} {found.customers:,} customers would have entered, {found.entries:,} times."


def _base_rate(campaign: Campaign, found: Backtest) -> Iterator[str]:
    assert campaign.goal
    if found.incomplete:
        yield f"The goal's window was not over for {found.incomplete:,} entries: they are in no rate."
    if found.written_to:
        yield f"{found.written_to:,} entries are of people to whom it really wrote then: they are in no rate."
    rate = found.base_rate
    if rate:
        yield (
            f"Without any message {_percent(rate.estimate)} reached the goal within"
            f" {span(campaign.goal.within_us)} (95 %: {_percent(rate.low)} to {_percent(rate.high)})."
        )


def _withheld(found: Backtest) -> Iterator[str]:
    if found.withheld and found.entries:
        told = ", ".join(f"{reason} {count:,}" for reason, count in list(found.withheld.items())[:5])
        yield f"Refused or withheld, by rule: {told}."


def _collisions(found: Backtest) -> Iterator[str]:
    for one in found.collisions[:3]:
        yield (
            f"{one.messages:,} messages to {one.customers:,} customers would have come within a day of one"
            f" that {one.campaign} sent."
        )


def _detectable(found: Backtest) -> str:
    if not found.share:
        return "Nobody is left alone, so nothing can be learned of what it changes."
    last = found.detectable[-1]
    who = f"In {last.weeks} weeks about {last.customers:,} customers would enter"
    if not found.first_rate:
        return f"{who}; no window is over yet, so what they can show is not known."
    if last.lift is None:
        return (
            f"{who}: too few to show any effect with {found.share:.0%} left alone. Read what they do one by"
            " one, ask them, and join similar situations into one campaign; its figures will prove nothing."
        )
    return (
        f"{who}; with {found.share:.0%} left alone that shows a rise of {_points(last.lift)} or more"
        f" ({_percent(found.first_rate.estimate)} to {_percent(found.first_rate.estimate + last.lift)})."
    )


def _expects(campaign: Campaign, found: Backtest) -> Iterator[str]:
    proposed = found.control
    if campaign.expects is None:
        yield "It does not say what it expects (expects: 4%): the share to leave alone stays at 20 %."
        return
    if proposed.customers is None or proposed.weeks is None:
        yield f"When the {_points(campaign.expects)} expected would be found cannot be said."
        return
    yield (
        f"The {_points(campaign.expects)} expected are found soonest with {proposed.share:.0%} left alone:"
        f" {proposed.customers:,} customers, about {ceil(proposed.weeks):,} weeks."
    )
    if proposed.weeks > LONGEST_WEEKS:
        yield _too_small(campaign, found)


def _too_small(campaign: Campaign, found: Backtest) -> str:
    """What half a year can show, for a list that cannot show what is expected."""
    weekly = found.detectable[0].customers
    rate = found.first_rate.estimate if found.first_rate else 0.0
    people, needed = weekly * LONGEST_WEEKS, needed_by(campaign)
    most = detectable(rate, people, found.control.share, needed) if rate else None
    shows = f"only a rise of {_points(most)} or more" if most is not None else "no effect at all"
    return (
        f"That is more than half a year, in which {people:,} customers show {shows}: this"
        " list is too small for so small an effect. Widen the situation, or try something bolder."
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _points(lift: float) -> str:
    return f"{lift * 100:.1f} points"
