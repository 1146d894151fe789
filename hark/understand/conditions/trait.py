"""`trait`: what is known about the customer now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import msgspec
import numpy as np

from hark.model import GROUPS, JSON, Event, Instant, Kind, Trait
from hark.understand.conditions import wording
from hark.understand.conditions.base import TRAITS, Columns, Flags, Leaf, View
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
    if event.subject >= GROUPS:
        return _decoded(_own, event.properties) or {} if event.kind == Kind.GROUP else {}
    return stated_by(event.kind, event.properties, event.context)


def stated_by(kind: int, properties: bytes, context: bytes) -> Mapping[str, JSON]:
    """`stated` for the parts of an event."""
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


class HasTrait(Leaf, frozen=True, tag="trait"):
    """The traits fulfil a predicate; each trait is its latest value by (at, seq)."""

    keeps_summary: ClassVar[bool] = False

    where: JSON
    """{trait path: bare value or operators}; all must hold."""

    @cached_property
    def _checks(self) -> list[tuple[str, tuple[str, ...], Test]]:
        """(trait, path within it, test) of each member of `where`."""
        paths = [(path.split("."), operand) for path, operand in self.where.items()]
        return [(path[0], tuple(path[1:]), test_of(operand)) for path, operand in paths]

    @cached_property
    def names(self) -> frozenset[str]:
        """The traits it looks at."""
        return frozenset(name for name, _, _ in self._checks)

    def sentence(self) -> str:
        return f"have {wording.predicate(self.where)}"

    def fits(self, traits: Mapping[str, Trait]) -> bool:
        """Whether a customer with these traits meets the condition."""
        for name, path, test in self._checks:
            trait = traits.get(name)
            if not test(None if trait is None else value_at(path, trait.value)):
                return False
        return True

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self.fits(known(events, now))

    def met(self, view: View, _now: Instant) -> bool:
        return self.fits(view.traits)

    def next_change(self, _view: View, _now: Instant) -> Instant | None:
        return None

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
        flags = np.full(len(columns.subjects), self.fits({}))
        for place, traits in columns.traits():
            flags[place] = self.fits(traits)
        return flags

    def summarised(self, _columns: Columns) -> Iterator[tuple[int, JSON]]:
        return iter(())

    def leaves(self) -> Iterator[Leaf]:
        yield self
