"""Filling in what new conditions ask of the past: summaries from the history, memberships from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hark.decide.plan import Plan
from hark.engine.folder import Folder
from hark.history.reader import open_snapshot
from hark.model import JSON, Command, Instant, Record
from hark.store.state import StateReader
from hark.understand.batch import summaries
from hark.understand.conditions import Leaf

NOBODY = Record(0)
"""What is kept about a subject of whom nothing was ever watched."""


class Backfill:
    """Reads the history once for all new conditions of a command; starts no run."""

    def __init__(self, data: Path, reader: StateReader) -> None:
        self._data = data
        self._reader = reader

    def fill(self, before: Plan, folder: Folder, at: Instant) -> None:
        """Gives the subjects concerned a `backfill` command: what the plan now watches and did not before."""
        plan = folder.plan
        new = {key: plan.leaves[key] for key in plan.leaf_keys - before.leaf_keys}
        segments = [one for name, one in plan.segments.items() if before.segments.get(name) != one]
        if not (new or segments):
            return
        filled = self._summaries(new)
        for subject in sorted(self._concerned(plan, [one.name for one in segments], filled, at)):
            entry = folder.records.get(subject)
            data = {"summaries": filled.get(subject, {}), "missing": sorted(new)}
            folder.give(Command(subject, max(at, entry.record.now), "backfill", data))

    def _summaries(self, new: Mapping[str, Leaf]) -> dict[int, dict[str, JSON]]:
        """By subject and key: what the new leaves would have kept, had they always been watched."""
        filled: dict[int, dict[str, JSON]] = {}
        history = open_snapshot(self._data, self._reader)
        for key, leaf in sorted(new.items()):
            for subject, summary in summaries(history, leaf):
                filled.setdefault(subject, {})[key] = summary
        return filled

    def _concerned(
        self, plan: Plan, segments: list[str], filled: Mapping[int, object], at: Instant
    ) -> set[int]:
        """Those with something filled in or a record; everybody if a new segment may hold without either."""
        asked = [plan.segments[name].where for name in segments]
        if any(where.met(NOBODY, at) or where.next_change(NOBODY, at) is not None for where in asked):
            return set(self._reader.subjects())
        return {*filled, *(self._reader.subjects(with_record=True) if segments else ())}
