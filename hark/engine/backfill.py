"""Filling in what new conditions ask of the past: summaries from the history, memberships from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from hark.decide.plan import Plan
from hark.engine.folder import Folder
from hark.history.reader import open_snapshot
from hark.model import JSON, Command, Instant
from hark.store.state import StateReader
from hark.understand.batch import summaries
from hark.understand.conditions import Leaf


class Backfill:
    """Reads the history once for all new conditions of a command; starts no run."""

    def __init__(self, data: Path, reader: StateReader) -> None:
        self._data = data
        self._reader = reader

    def fill(self, before: Plan, folder: Folder, at: Instant) -> None:
        """Gives the subjects concerned what the plan asks of the past and did not before: summaries and
        memberships, and the entry into a new campaign which takes those who are inside already."""
        plan = folder.plan
        new = {key: plan.leaves[key] for key in plan.leaf_keys - before.leaf_keys}
        segments = {name for name, one in plan.segments.items() if before.segments.get(name) != one}
        if new or segments:
            filled = self._summaries(new)
            for subject in sorted(self._concerned(plan, segments, filled)):
                _tell(folder, subject, at, "backfill", {"summaries": filled.get(subject, {})})
        for campaign, segment in _taking_existing(before, plan, segments):
            self._existing(folder, campaign, segment, at)

        if _timed(plan) - _timed(before):
            dates_only = not plan.greets
            for subject in self._reader.subjects(with_record=dates_only):
                _tell(folder, subject, at, "arm", None)

    def _existing(self, folder: Folder, campaign: str, segment: str, at: Instant) -> None:
        for subject in self._reader.subjects(with_record=True):
            if segment in folder.records.get(subject).record.members:
                _tell(folder, subject, at, "existing", {"campaign": campaign})

    def _summaries(self, new: Mapping[str, Leaf]) -> dict[int, dict[str, JSON]]:
        """By subject and key: what the new leaves would have kept, had they always been watched."""
        filled: dict[int, dict[str, JSON]] = {}
        history = open_snapshot(self._data, self._reader)
        for key, leaf in sorted(new.items()):
            for subject, summary in summaries(history, leaf):
                filled.setdefault(subject, {})[key] = summary
        return filled

    def _concerned(self, plan: Plan, segments: Collection[str], filled: Mapping[int, object]) -> set[int]:
        """Those with something filled in or a record; everybody if a new segment may hold without either."""
        if any(segment.name in segments for segment in plan.absences):
            return set(self._reader.subjects())
        return {*filled, *(self._reader.subjects(with_record=True) if segments else ())}


def _timed(plan: Plan) -> set[tuple[str, object]]:
    """The campaigns that start at a time, each with when."""
    return {(course.name, course.campaign.trigger.timed) for course in plan.timed}


def _taking_existing(before: Plan, plan: Plan, segments: Collection[str]) -> Iterator[tuple[str, str]]:
    """(campaign, segment) of the campaigns that take who is inside already, and did not before. Those of a
    segment that is new itself need nothing more: its backfill lets them in."""
    for name, course in sorted(plan.current.items()):
        trigger, known = course.campaign.trigger, before.current.get(name)
        news = known is None or not known.campaign.trigger.existing
        if news and trigger.existing and trigger.enters and trigger.enters not in segments:
            yield name, trigger.enters


def _tell(folder: Folder, subject: int, at: Instant, name: str, data: JSON) -> None:
    now = folder.records.get(subject).record.now
    folder.give(Command(subject, max(at, now), name, data))
