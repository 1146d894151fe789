"""The contract of a condition: data that has a sentence, a pure meaning and a live form.

A condition is a tree. Its inner nodes (all, any, not) only combine; its leaves each own a bounded
summary that is kept per subject under the leaf's `key`, so that equal leaves share one summary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Protocol, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hark.model import JSON, Consent, Event, Instant, Trait

TRAITS = "\x00traits"
"""Stands in `watches` for "any change of a trait"."""


class View(Protocol):
    """What a condition may look at of one subject: `hark.model.Record` is one."""

    traits: dict[str, Trait]
    consents: dict[str, Consent]
    summaries: dict[str, JSON]


Answer: TypeAlias = tuple[bool, Instant | None]
"""Whether a condition is met, and the first moment at which that may change by time alone."""
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Columns(Protocol):
    """Many subjects' histories as of one moment: what the columnar form reads."""

    at: Instant
    subjects: Ints
    """Ascending; every other array speaks of them by place."""

    def matches(self, names: Sequence[str], test: Callable[[bytes], bool] | None) -> tuple[Ints, Ints]:
        """(place of the subject, at) of the events of these names, up to the moment, that pass."""
        ...

    def properties(self, names: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """(place of the subject, properties) of the events of these names up to the moment, in no order."""
        ...

    def traits(self) -> Iterator[tuple[int, Mapping[str, Trait]]]:
        """(place, traits as of the moment) of the subjects of which any trait is known."""
        ...


class Condition(Struct, frozen=True, dict=True):
    """A node of a condition. Subclasses are tagged by the key they have in YAML."""

    def sentence(self) -> str:
        """The condition in plain English, without a subject: "did Order Completed at least 2 times"."""
        raise NotImplementedError

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        """The pure meaning: over all the subject's events known by `now`, ordered by (at, seq)."""
        raise NotImplementedError

    def met(self, view: View, now: Instant) -> bool:
        """The live form: the same answer from the summaries."""
        raise NotImplementedError

    def next_change(self, view: View, now: Instant) -> Instant | None:
        """The first moment after `now` at which `met` may differ by time alone; None: never."""
        raise NotImplementedError

    def answer(self, view: View, now: Instant) -> Answer:
        """`met` and `next_change` together, for less than the two of them."""
        return self.met(view, now), self.next_change(view, now)

    def columnar(self, columns: Columns) -> Flags:
        """The same answer for every one of `columns.subjects`, at their moment."""
        raise NotImplementedError

    def leaves(self) -> Iterator[Leaf]:
        """The leaves below, this one included."""
        raise NotImplementedError


class Leaf(Condition, frozen=True):
    """A condition that keeps a summary of its own (or reads traits and consents)."""

    keeps_summary: ClassVar[bool] = True

    @cached_property
    def key(self) -> str:
        """The name of the summary: a hash of all that its content depends on.

        Leaves with equal keys fold alike and share one summary, even if they read it differently
        (the last instants answer for every window); so fold per key, but ask `met` per leaf.
        """
        canonical = msgspec.json.encode(self.summarises(), order="sorted")
        return hashlib.blake2b(canonical, digest_size=8).hexdigest()

    def summarises(self) -> JSON:
        """What the summary's content depends on, as plain data."""
        return [type(self).__name__, msgspec.to_builtins(self)]

    def watches(self) -> frozenset[str]:
        """The event names (or TRAITS) that can change the summary."""
        raise NotImplementedError

    @property
    def test(self) -> Callable[[bytes], bool] | None:
        """Which raw properties an event needs to change the summary; None: any that it watches changes it."""
        return None

    def fold(self, summary: JSON, event: Event) -> JSON:
        """The summary with one more event in it (`None` is the empty one); plain msgpack-able data.

        Called for events whose name it watches, in order of arrival; late events are out of order
        in `at`. May return the same object, changed.
        """
        raise NotImplementedError

    def summarised(self, columns: Columns) -> Iterator[tuple[int, JSON]]:
        """(subject, what folding all its events gives) where that is anything; to fill a new summary."""
        raise NotImplementedError

    def merge(self, one: JSON, other: JSON) -> JSON:
        """The summary of two subjects' events together, for when they turn out to be one."""
        raise NotImplementedError
