"""Groups as units: where a campaign draws arms by a group's key, its members are one unit of its comparison.

Members share an arm, and what they do may go together; counted one by one they would say more than they know.
A unit entered when the first of its members did, and did what any of those who entered did: one unit a group
is the variance by cluster. It goes by the number of one of its members, the smallest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from hark.learn.columns import Entries, Flags, Integers, integers
from hark.learn.entries import Entered
from hark.learn.facts import Facts, First
from hark.model import GROUPS

GROUP = "g:"
"""How the stable key of a group begins."""


def by_unit(facts: Facts, campaign: str, version: int) -> Facts:
    """The facts for a version's comparison: with groups as units where it drew its customers by groups,
    else as are."""
    first = facts.first_entries(campaign, version)
    grouped = any(
        one.told.assignment_key.startswith(GROUP) and subject < GROUPS for subject, one in first.items()
    )
    return UnitFacts(facts, campaign, version, first) if grouped else facts


class UnitFacts(Facts):
    """Facts of one version of one campaign, each member's under the number of its unit."""

    def __init__(self, facts: Facts, campaign: str, version: int, first: Mapping[int, First]) -> None:
        self._facts, self._campaign, self._version = facts, campaign, version
        units = units_of({subject: one.told for subject, one in first.items()})
        self._members = np.array(sorted(units), np.int64)
        self._unit = np.array([units[subject] for subject in sorted(units)], np.int64)
        self._first: dict[int, tuple[int, First]] = {}
        """By unit, who entered first, and how."""
        for subject, one in sorted(first.items(), key=lambda one: (one[1].at, one[1].seq)):
            self._first.setdefault(units[subject], (subject, one))

    def events(self, names: Sequence[str]) -> pa.Table:
        rows = self._facts.events(names)
        place = rows.schema.get_field_index("subject")
        subjects = pa.array(self._units(integers(rows, "subject")))
        found = rows.set_column(place, "subject", subjects.cast(rows.schema.field(place).type))
        return found.sort_by([("subject", "ascending"), ("at", "ascending"), ("seq", "ascending")])

    def entries(self, campaign: str) -> dict[int, Entries]:
        if campaign != self._campaign:
            return self._facts.entries(campaign)
        units = sorted(self._first)
        ones = [self._first[unit][1] for unit in units]
        at, seq = (np.array([getattr(one, name) for one in ones], np.int64) for name in ("at", "seq"))
        told = [one.told for one in ones]
        return {self._version: Entries(np.array(units, np.int64), at, seq, told)}

    def came_to_a_send(self, entries: Entries) -> Flags:
        """Of each unit: whether the run of the member who entered first came to a send."""
        runs = zip(entries.subject.tolist(), entries.runs, strict=True)
        mine = ((self._first[unit][0], run) for unit, run in runs)
        return np.fromiter((self._facts.sent_in(*one) for one in mine), np.bool_, len(entries))

    def conflicting(self, campaign: str) -> Integers:
        return np.unique(self._units(self._facts.conflicting(campaign)))

    @cached_property
    def activity(self) -> tuple[Integers, Integers]:
        subjects, at = self._facts.activity
        return self._units(subjects), at

    def _units(self, subjects: Integers) -> Integers:
        """The unit of each; who never entered keeps the own number."""
        if not len(self._members):
            return subjects
        place = np.minimum(np.searchsorted(self._members, subjects), len(self._members) - 1)
        found: Integers = np.where(self._members[place] == subjects, self._unit[place], subjects)
        return found


def units_of(told: Mapping[int, Entered]) -> dict[int, int]:
    """By subject its unit: the smallest number of those who were drawn by the same group; its own for who
    belongs to none."""
    smallest: dict[str, int] = {}
    for subject, one in sorted(told.items()):
        smallest.setdefault(one.assignment_key, subject)
    return {
        subject: smallest[one.assignment_key] if one.assignment_key.startswith(GROUP) else subject
        for subject, one in told.items()
    }
