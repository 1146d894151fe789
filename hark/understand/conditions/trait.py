"""`trait`: what is known about the customer now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import msgspec
import numpy as np
from msgspec import Struct

from hark.model import GROUPS, JSON, Event, Instant, Kind, Trait
from hark.understand.conditions import wording
from hark.understand.conditions.base import TRAITS, Columns, Flags, Leaf, View
from hark.understand.conditions.moments import TIMED, Timed, moment_of, zone_or
from hark.understand.operators import Test, test_of, value_at


class _Context(msgspec.Struct):
    traits: JSON = None


STATING = b'"traits"'
"""What a context that states traits has in it (others may too)."""
_context = msgspec.json.Decoder(_Context)
_own = msgspec.json.Decoder(dict[str, JSON])


def stated(event: Event) -> Mapping[str, JSON]:
    """The traits that an event states of its subject: an identify call's own, over those of its
    `context.traits`; of a group those of a group call, whatever its members' calls say of themselves."""
    return stated_by(event.subject, event.kind, event.properties, event.context)


def stated_by(subject: int, kind: int, properties: bytes, context: bytes) -> Mapping[str, JSON]:
    """`stated` for the parts of an event."""
    if subject >= GROUPS:
        return _decoded(_own, properties) or {} if kind == Kind.GROUP else {}
    traits: dict[str, JSON] = {}
    if STATING in context:
        given = _decoded(_context, context)
        traits = given.traits if given is not None and isinstance(given.traits, dict) else {}
    if kind == Kind.IDENTIFY:
        traits = {**traits, **(_decoded(_own, properties) or {})}
    return traits


def _decoded(decoder: msgspec.json.Decoder[JSON], raw: bytes) -> JSON:
    """The decoded bytes; None where they are not what the decoder is for (that states nothing)."""
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        return None


def known(events: Sequence[Event], now: Instant) -> dict[str, Trait]:
    """Every trait's latest value among the events with at <= now; they are ordered by (at, seq)."""
    traits: dict[str, Trait] = {}
    for event in events:
        if event.at <= now:
            for name, value in stated(event).items():
                traits[name] = Trait(value, event.at, event.seq)
    return traits


ZONE = "timezone"
"""The trait that says in which zone times are read."""


class Check(Struct, frozen=True):
    """What is asked of one trait: operators on its value, and on how far it is from now."""

    name: str
    path: tuple[str, ...]
    """Within the trait's value."""
    test: Test | None
    timed: tuple[Timed, ...]

    def value(self, traits: Mapping[str, Trait]) -> JSON:
        trait = traits.get(self.name)
        return None if trait is None else value_at(self.path, trait.value)


class HasTrait(Leaf, frozen=True, tag="trait"):
    """The traits fulfil a predicate; each trait is its latest value by (at, seq)."""

    keeps_summary: ClassVar[bool] = False

    where: JSON
    """{trait path: bare value or operators}; all must hold."""
    zone: str = "UTC"
    """In which times are read of whom no trait `timezone` is known."""

    @cached_property
    def _checks(self) -> list[Check]:
        return [_check(path.split("."), operand) for path, operand in self.where.items()]

    @cached_property
    def _timed(self) -> list[Check]:
        return [check for check in self._checks if check.timed]

    @cached_property
    def names(self) -> frozenset[str]:
        """The traits it looks at."""
        return frozenset(check.name for check in self._checks) | ({ZONE} if self._timed else set())

    def sentence(self) -> str:
        return f"have {wording.predicate(self.where)}"

    def fits(self, traits: Mapping[str, Trait], now: Instant) -> bool:
        """Whether a customer with these traits meets the condition."""
        for check in self._checks:
            value = check.value(traits)
            if check.test is not None and not check.test(value):
                return False
            if check.timed and not self._passes(check, value, traits, now):
                return False
        return True

    def _passes(self, check: Check, value: JSON, traits: Mapping[str, Trait], now: Instant) -> bool:
        zone = self._zone(traits)
        at = moment_of(value, zone) if isinstance(value, str) else None
        return at is not None and all(one.passes(at, now, zone) for one in check.timed)

    def _zone(self, traits: Mapping[str, Trait]) -> str:
        own = traits.get(ZONE)
        return zone_or(own.value, self.zone) if own and isinstance(own.value, str) else self.zone

    def changes(self, traits: Mapping[str, Trait], now: Instant) -> Instant | None:
        """The first moment after now at which `fits` may differ by time alone."""
        zone = self._zone(traits)
        moments = []
        for check in self._timed:
            value = check.value(traits)
            at = moment_of(value, zone) if isinstance(value, str) else None
            if at is not None:
                moments += [change for one in check.timed for change in one.changes(at, now, zone)]
        return min((one for one in moments if one > now), default=None)

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self.fits(known(events, now), now)

    def met(self, view: View, now: Instant) -> bool:
        return self.fits(view.traits, now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.changes(view.traits, now) if self._timed else None

    def trait_names(self) -> frozenset[str]:
        return self.names

    def possible(self, _answer: bool) -> bool:
        return True

    def watches(self) -> frozenset[str]:
        return frozenset((TRAITS,))

    def fold(self, summary: JSON, _event: Event) -> JSON:
        return summary

    def merge(self, _one: JSON, _other: JSON) -> JSON:
        return None

    def columnar(self, columns: Columns) -> Flags:
        flags = np.full(len(columns.subjects), self.fits({}, columns.at))
        for place, traits in columns.traits():
            flags[place] = self.fits(traits, columns.at)
        return flags

    def summarised(self, _columns: Columns) -> Iterator[tuple[int, JSON]]:
        return iter(())

    def leaves(self) -> Iterator[Leaf]:
        yield self


def _check(path: list[str], operand: JSON) -> Check:
    operators = operand if isinstance(operand, Mapping) else {"eq": operand}
    plain = {name: value for name, value in operators.items() if name not in TIMED}
    timed = tuple(TIMED[name](value) for name, value in operators.items() if name in TIMED)
    return Check(path[0], tuple(path[1:]), test_of(plain) if plain else None, timed)
