"""`group`: traits of a group that the customer belongs to.

Nothing is asked across subjects. What a group is, each member is told: by an event `Group Traits` of their
own when they join, with all that is known of the group, and whenever a trait changes (docs/identity.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np

from hark.model import GROUP_TRAITS, JSON, Event, Instant, Trait
from hark.understand.conditions import wording
from hark.understand.conditions.base import Columns, Flags, Leaf, View
from hark.understand.conditions.trait import HasTrait

Groups = dict[str, dict[str, Trait]]
"""By id of the group, its traits by name."""


class Told(msgspec.Struct, frozen=True):
    """The properties of `Group Traits`: each trait as the group knows it, with its own (at, seq)."""

    type: str
    id: str
    traits: dict[str, Trait] = {}


class InGroup(Leaf, frozen=True, tag="group"):
    """The customer belongs to a group of this type whose traits fulfil a predicate."""

    reads_properties = True

    group: str
    """The type: account, household ..."""
    where: JSON
    """{trait path: bare value or operators}; all must hold of one and the same group."""
    zone: str = "UTC"
    """In which times are read, where the group has no trait `timezone`."""

    @cached_property
    def _predicate(self) -> HasTrait:
        return HasTrait(self.where, self.zone)

    def sentence(self) -> str:
        return f"belong to {wording.one(self.group)} with {wording.predicate(self.where)}"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        told = (event.properties for event in events if event.name == GROUP_TRAITS and event.at <= now)
        return self._fits(self._all(told), now)

    def met(self, view: View, now: Instant) -> bool:
        kept = view.summaries.get(self.key)
        return kept is not None and self._fits(msgspec.convert(kept, Groups), now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        groups: Groups = msgspec.convert(view.summaries.get(self.key) or {}, Groups)
        changes = [self._predicate.changes(traits, now) for traits in groups.values()]
        return min((change for change in changes if change is not None), default=None)

    def columnar(self, columns: Columns) -> Flags:
        flags = np.zeros(len(columns.subjects), np.bool_)
        for place, groups in self._groups_by_place(columns).items():
            flags[place] = self._fits(groups, columns.at)
        return flags

    def summarises(self) -> JSON:
        return [type(self).__name__, self.group, sorted(self._predicate.names)]

    def watches(self) -> frozenset[str]:
        return frozenset((GROUP_TRAITS,))

    def fold(self, summary: JSON, event: Event) -> JSON:
        groups: Groups = {} if summary is None else msgspec.convert(summary, Groups)
        self._add(groups, event.properties)
        return _plain(groups)

    def summarised(self, columns: Columns) -> Iterator[tuple[int, JSON]]:
        for place, groups in sorted(self._groups_by_place(columns).items()):
            yield int(columns.subjects[place]), _plain(groups)

    def merge(self, one: JSON, other: JSON) -> JSON:
        groups: Groups = msgspec.convert(one or {}, Groups)
        for name, traits in msgspec.convert(other or {}, Groups).items():
            _keep(groups.setdefault(name, {}), traits)
        return _plain(groups)

    def leaves(self) -> Iterator[Leaf]:
        yield self

    def _fits(self, groups: Groups, now: Instant) -> bool:
        return any(self._predicate.fits(traits, now) for traits in groups.values())

    def _all(self, told: Iterable[bytes]) -> Groups:
        groups: Groups = {}
        for properties in told:
            self._add(groups, properties)
        return groups

    def _groups_by_place(self, columns: Columns) -> dict[int, Groups]:
        by: dict[int, Groups] = {}
        for place, properties in columns.properties((GROUP_TRAITS,)):
            self._add(by.setdefault(place, {}), properties)
        return {place: groups for place, groups in by.items() if groups}

    def _add(self, groups: Groups, properties: bytes) -> None:
        """Takes in what a member was told, in whatever order it comes."""
        told = _told.decode(properties)
        if told.type == self.group:
            names = self._predicate.names
            asked = {name: trait for name, trait in told.traits.items() if name in names}
            _keep(groups.setdefault(told.id, {}), asked)


def _keep(known: dict[str, Trait], traits: Mapping[str, Trait]) -> None:
    for name, trait in traits.items():
        old = known.get(name)
        if old is None or (trait.at, trait.seq) >= (old.at, old.seq):
            known[name] = trait


def _plain(groups: Groups) -> JSON:
    return msgspec.to_builtins(groups) if groups else None


_told = msgspec.json.Decoder(Told)
