"""`reachable`: whether an address of the customer is known for a channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from hark.model import JSON, Event, Instant, Trait
from hark.understand.conditions.base import TRAITS, Columns, Flags, Leaf, View
from hark.understand.conditions.trait import known

_TRAIT = {"email": "email"}
"""By channel, the trait that holds the address."""


def address(traits: Mapping[str, Trait], channel: str) -> str:
    """Where a customer with these traits can be reached by the channel; "" for nowhere."""
    trait = traits.get(_TRAIT.get(channel, ""))
    found: JSON = trait.value if trait else None
    return found if isinstance(found, str) and "@" in found else ""


class Reachable(Leaf, frozen=True, tag="reachable"):
    """There is an address. Whether it may be written to (consent, suppression) is asked when sending."""

    keeps_summary: ClassVar[bool] = False

    channel: str

    def sentence(self) -> str:
        return f"can be reached by {self.channel}"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return bool(address(known(events, now), self.channel))

    def met(self, view: View, _now: Instant) -> bool:
        return bool(address(view.traits, self.channel))

    def next_change(self, _view: View, _now: Instant) -> Instant | None:
        return None

    def trait_names(self) -> frozenset[str]:
        return frozenset((_TRAIT[self.channel],))

    def possible(self, _answer: bool) -> bool:
        return True

    def watches(self) -> frozenset[str]:
        return frozenset((TRAITS,))

    def fold(self, summary: JSON, _event: Event) -> JSON:
        return summary

    def merge(self, _one: JSON, _other: JSON) -> JSON:
        return None

    def columnar(self, columns: Columns) -> Flags:
        flags = np.zeros(len(columns.subjects), np.bool_)
        for place, traits in columns.traits():
            flags[place] = bool(address(traits, self.channel))
        return flags

    def summarised(self, _columns: Columns) -> Iterator[tuple[int, JSON]]:
        return iter(())

    def leaves(self) -> Iterator[Leaf]:
        yield self
