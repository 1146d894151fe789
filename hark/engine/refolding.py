"""Summaries that rest on the order of events, folded anew after a very late event or a merge."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hark.engine.folder import Folder
from hark.history.identity import Resolver
from hark.history.reader import open_snapshot
from hark.model import JSON
from hark.store.state import StateReader


class Refolding:
    """Reads one subject's whole history, this tick's events included."""

    def __init__(self, data: Path, reader: StateReader, resolver: Resolver, folder: Folder) -> None:
        self._data, self._reader, self._resolver, self._folder = data, reader, resolver, folder

    def summaries(self, subject: int, keys: Collection[str]) -> dict[str, JSON]:
        """By key, the summary of all that the subject, and whoever was merged into it, did so far."""
        numbers = set(self._resolver.tree(subject))
        events = list(open_snapshot(self._data, self._reader).written_for(numbers))
        events += [event for event in self._folder.events if event.subject in numbers]
        events.sort(key=lambda event: (event.at, event.seq))
        found: dict[str, JSON] = dict.fromkeys(keys)
        for key in keys:
            leaf = self._folder.plan_of(subject).leaves[key]
            for event in events:
                if leaf.takes(event):
                    found[key] = leaf.fold(found[key], event)
        return found
