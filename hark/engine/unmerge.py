"""Undoing a merge: ids, events, record, runs and messages go back to who had them (docs/identity.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from hark.decide.record import encode
from hark.decide.retell import Story, retold
from hark.engine.folder import Folder
from hark.errors import HarkError
from hark.history.identity import Merging, Resolver
from hark.history.merged import standing
from hark.history.reader import open_snapshot
from hark.model import Command, Event, FactName, Instant, Record
from hark.store.contracts import Merge, Row
from hark.store.state import StateReader, StateStore
from hark.store.state_reader import READ_AT_MOST


class UnmergeRow(Struct, frozen=True):
    """The command `unmerge` (docs/architecture.md)."""

    merge: int
    """Its number, as `hark merges` shows it."""
    author: str = ""
    note: str = ""


class Said(Struct, frozen=True):
    """What is read of facts about runs and messages."""

    run: str = ""
    message: str = ""


class Unmerging:
    """Carries the command out; it has a tick of its own, so that the past stands in the state, whole."""

    def __init__(
        self, data: Path, state: StateStore, reader: StateReader, resolver: Resolver, folder: Folder
    ) -> None:
        self._data, self._state, self._reader = data, state, reader
        self._resolver, self._folder = resolver, folder
        self.repointed: dict[str, int] = {}
        """By message whose it is by now, of those that moved since the last `take`."""

    def unmerge(self, row: Row) -> None:
        """The command. Raises HarkError `unmerge.unknown`: no such merge is in force, or somebody of it was
        erased."""
        command = _command.decode(row.body)
        merge = self._state.merge_of(command.merge)
        if merge is None or not self._state.in_force(command.merge) or not self._known(merge):
            message = f"there is no merge {command.merge} that could be undone"
            raise HarkError(message, "hark merges shows those that are in force", "unmerge.unknown")
        part = self._state.tree(merge.younger)
        whole = self._state.canonical(merge.younger)
        rest = [one for one in self._state.tree(whole) if one not in part]
        at = max(row.received_at, self._folder.records.get(whole).record.now)
        self._folder.wake(whole, at)
        stories = self._stories([*rest, *part], whole)
        undone = Merging(merge.younger, merge.older, row.received_at, command.note, (), command.author)
        self._resolver.unmerge(command.merge, undone)
        self._split(whole, merge.younger, rest, part, stories, at)

    def take(self) -> dict[str, int]:
        """Whose messages are since the last `take`."""
        taken, self.repointed = self.repointed, {}
        return taken

    def _known(self, merge: Merge) -> bool:
        return bool(self._state.key(merge.younger) and self._state.key(merge.older))

    def _stories(self, numbers: Collection[int], whole: int) -> dict[int, Story]:
        """What was written for each number: sealed, recent, and the facts of this tick."""
        by: dict[int, list[Event]] = {one: [] for one in numbers}
        for event in open_snapshot(self._data, self._reader).written_for(numbers):
            by[event.subject].append(event)
        by[whole] += [event for event in self._folder.events if event.subject == whole]
        known = {one: self._state.key(one) for one in numbers}
        return {one: Story(*(known[one] or ("", 0)), events) for one, events in by.items()}

    def _split(
        self,
        whole: int,
        younger: int,
        rest: Collection[int],
        part: Collection[int],
        stories: Mapping[int, Story],
        at: Instant,
    ) -> None:
        live = self._folder.records.get(whole).record
        records = [self._retold(stories, rest, whole), self._retold(stories, part, younger)]
        runs, messages = _theirs([event for one in part for event in stories[one].events])
        for record, mine in zip(records, (False, True), strict=True):
            record.suppressed, record.barred = dict(live.suppressed), dict(live.barred)
            record.runs = [run for run in live.runs if (run.id in runs) is mine]
            record.sends = [one for one in live.sends if (one.run in runs or one.message in messages) is mine]
            record.last_seq = record.last_seq if mine else live.last_seq
            self._folder.give(Command(record.subject, at, "part", {"record": encode(record)}))
        outbox = [*self._reader.outbox(whole, READ_AT_MOST), *self._folder.told.wanted]
        moved = [row.message for row in outbox if row.run in runs or row.message in messages]
        self.repointed |= dict.fromkeys(moved, younger)

    def _retold(self, stories: Mapping[int, Story], numbers: Collection[int], whole: int) -> Record:
        merges = [one for one in standing(self._state.merges()).values() if one.younger in numbers]
        joined = [one for one in merges if one.younger != whole]
        return retold(self._folder.plan, {one: stories[one] for one in numbers}, joined, whole)


def _theirs(events: Collection[Event]) -> tuple[set[str], set[str]]:
    """(runs, messages) that began in these histories."""
    runs = {_said.decode(one.properties).run for one in events if one.name == FactName.CAMPAIGN_ENTERED}
    wanted = [_said.decode(one.properties) for one in events if one.name == FactName.MESSAGE_WANTED]
    return runs, {one.message for one in wanted}


_command = msgspec.json.Decoder(UnmergeRow)
_said = msgspec.json.Decoder(Said)
