"""The variants of a campaign that learns, compared within the batches of its allocation."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hark.definitions.types import Campaign
from hark.learn.aggregates import Sums
from hark.learn.allocate import Batch, within_batches
from hark.learn.columns import Outcomes
from hark.learn.compare import Interval
from hark.model import Instant


class Between(Struct, frozen=True):
    """One variant against the first one of the document, for one look."""

    variant: str
    other: str
    batches: int
    """In so many both were drawn and counted."""
    difference: Interval | None
    """Of the goal rates, the variant's minus the other's; None where no batch has both."""


def between(outcomes: Outcomes, campaign: Campaign, now: Instant) -> tuple[Between, ...]:
    """Each further variant against the first; () where nothing is learned. Pooled over batches a base rate
    that drifts would call equal variants different."""
    if not campaign.learns:
        return ()
    sums = [
        outcomes.sums(now, only=outcomes.entries.batch == place)
        for place in range(len(outcomes.entries.batches))
    ]
    first, *others = (one.name for one in campaign.variants)
    return tuple(_between(sums, first, name) for name in others)


def _between(sums: list[dict[str, Sums]], first: str, name: str) -> Between:
    batches = [Batch(one.get(name, Sums()), one.get(first, Sums())) for one in sums]
    both = sum(bool(one.treated.subjects and one.control.subjects) for one in batches)
    return Between(name, first, both, within_batches(batches))


def said(found: tuple[Between, ...]) -> Iterator[str]:
    """The differences in sentences."""
    for one in found:
        if one.difference is not None:
            low, high = 100 * one.difference.low, 100 * one.difference.high
            rise = f"{100 * one.difference.estimate:+.1f} percentage points ({low:+.1f} to {high:+.1f})"
            yield f"{one.variant} against {one.other}, within {one.batches:,} batches: {rise}, for one look."
