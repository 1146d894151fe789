"""`reachable`: whether an address of the customer is known for a channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from hark.model import JSON, Event, Instant, Trait
from hark.understand.conditions.base import TRAITS, Columns, Flags, Leaf, View
from hark.understand.conditions.trait import known

NOT_THE_CUSTOMER = frozenset({"webhook", "chat", "task"})
"""Channels to the team and to other systems."""
IN_APP = "in_app"
"""Whoever comes to the product finds it there."""
_TRAIT = {"email": "email", "sms": "phone"}
"""By channel, the trait that holds the address."""


def address(traits: Mapping[str, Trait], channel: str) -> str:
    """Where a customer with these traits can be reached by the channel: the trait `email`, for SMS `phone`
    (+15550123). The product's own inbox, and the channels to the team and to other systems, are always
    there, under their own names. "" for nowhere."""
    if channel in NOT_THE_CUSTOMER or channel == IN_APP:
        return channel
    trait = traits.get(_TRAIT.get(channel, ""))
    found: JSON = trait.value if trait else None
    if not isinstance(found, str):
        return ""
    return _number(found) if channel == "sms" else found if "@" in found else ""


def _number(phone: str) -> str:
    """A number as people write it, without spaces, brackets, dots and hyphens; "" if it has no country."""
    plain = "".join(one for one in phone if one not in " ().-/")
    return plain if plain.startswith("+") else ""


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
        return frozenset(name for channel, name in _TRAIT.items() if channel == self.channel)

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
