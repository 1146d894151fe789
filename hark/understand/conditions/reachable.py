"""`reachable`: whether an address of the customer is known for a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from msgspec import Struct

from hark.model import JSON, Event, Instant, Trait
from hark.understand.conditions.base import TRAITS, Columns, Flags, Leaf, View
from hark.understand.conditions.trait import known

NOT_THE_CUSTOMER = frozenset({"webhook", "chat", "task"})
"""Channels to the team and to other systems."""
IN_APP = "in_app"
"""Whoever comes to the product finds it there."""
_TRAIT = {"email": "email", "sms": "phone", "push": "push_token", "web_push": "web_push"}
"""By channel, the trait that holds the address."""


class Subscription(Struct, frozen=True):
    """A browser's (`PushSubscription.toJSON()`): where it is pushed to, and for whose eyes."""

    endpoint: str
    p256dh: str
    auth: str


def address(traits: Mapping[str, Trait], channel: str) -> str:
    """Where a customer with these traits can be reached by the channel: the trait `email`, for SMS `phone`
    (+15550123), for an app's push `push_token`, for a browser's `web_push` (a subscription; here its
    endpoint, with the keys behind a #). The product's own inbox, and the channels to the team and to other
    systems, are always there, under their own names. "" for nowhere."""
    if channel in NOT_THE_CUSTOMER or channel == IN_APP:
        return channel
    trait = traits.get(_TRAIT.get(channel, ""))
    found: JSON = trait.value if trait else None
    if channel == "web_push":
        return subscribed(found)
    return _FORMS[channel](found) if isinstance(found, str) and channel in _FORMS else ""


def subscription(address: str) -> Subscription | None:
    """The subscription of an address by web push; None for what is none."""
    endpoint, _, keys = address.rpartition("#")
    p256dh, dot, auth = keys.partition(".")
    good = endpoint.startswith("https://") and bool(p256dh and dot and auth)
    return Subscription(endpoint, p256dh, auth) if good else None


def subscribed(found: JSON) -> str:
    """The address of `PushSubscription.toJSON()`; "" for what is none."""
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, dict):
        return ""
    made = f"{found.get('endpoint')}#{keys.get('p256dh')}.{keys.get('auth')}"
    return made if subscription(made) else ""


def _mailbox(email: str) -> str:
    return email if "@" in email else ""


def _number(phone: str) -> str:
    """A number as people write it, without spaces, brackets, dots and hyphens; "" if it has no country."""
    plain = "".join(one for one in phone if one not in " ().-/")
    return plain if plain.startswith("+") else ""


_FORMS: Mapping[str, Callable[[str], str]] = {"email": _mailbox, "sms": _number, "push": str.strip}


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
