"""Erasing a customer: hidden at once by the tick's commit, then out of the files beside the ticks.

The command's tick removes what the state keeps of them and leaves a tombstone, which every reader of the
history obeys. Then, in the sealing thread, the history's files are written anew without them. After a day,
or when the engine ends, the replaced files and what SQLite has left of deleted rows go too. What the log
holds goes with its files (docs/erasure.md).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from hark.clock import Clock, secret
from hark.decide.suppressions import CHANNELS
from hark.engine.records import Records
from hark.errors import HarkError
from hark.history import columns
from hark.history.compact import GRACE_HOURS
from hark.history.erased import Tombstones, rewrite
from hark.history.identity import USER, Resolver
from hark.history.merged import Merged
from hark.model import DAY, GROUPS, MINUTE, Event, Instant, Kind, Record
from hark.speak.attachments import Attachments
from hark.store.changes import KINDS, Chunk, Erasure
from hark.store.contracts import Row
from hark.store.state import StateReader, StateStore
from hark.store.table import EventTable

FINISH_AFTER_US = DAY
"""After it the state is written anew, for all erasures of that time together: no tick can be meanwhile."""
RETRY_US = MINUTE
SMALL_BYTES = 256 << 20
"""State and history up to this size are cleaned before the engine ends."""
MESSAGES = 100_000
"""Of one customer's messages, the latest, whose files are removed."""
SHORTEST_WORD = 3
"""Shorter ids are not looked for in the texts of problems, where they might be anything."""


class EraseRow(Struct, frozen=True):
    """The command `erase` (docs/architecture.md)."""

    customer: str
    author: str = ""


class Erasing:
    """All erasures of a directory. `clean` is for the sealing thread, all else for the engine's."""

    def __init__(
        self,
        state: StateStore,
        reader: StateReader,
        table: EventTable,
        records: Records,
        resolver: Resolver,
        clock: Clock,
    ) -> None:
        self._state, self._reader, self._table = state, reader, table
        self._records, self._resolver, self._clock = records, resolver, clock
        self.key = str(state.meta("erase_key") or secret("ek"))
        prints = state.erased_ids()
        self.tombstones = Tombstones(self.key.encode(), state.erased_ever(), prints)
        self._open = state.unfinished()
        self._new: list[Erasure] = []
        self._rewritten: dict[int, Instant] = {}
        self._gone: dict[int, Instant] = {}
        self._old: list[int] = []
        """Rows of erasures whose replaced files were deleted; what the state has left of them is next."""
        self._tried = 0

    def erase(self, row: Row, outlive: Callable[[int, str, Record], None]) -> None:
        """The command. Raises HarkError `erase.group` for a group; for an unknown id the id itself is kept
        out: events of it may wait in the log. `outlive` is told each address and the record of who had it."""
        command = _erase.decode(row.body)
        subjects = self._everybody(command.customer)
        ids = {one for subject in subjects for one in self._state.ids(subject)}
        if not command.customer.startswith("#"):
            ids.add((USER, command.customer))
        prints = tuple(sorted(map(self.tombstones.print_of, ids)))
        chunks = tuple(self._chunks(subjects))
        names = {value for _, value in ids}
        stated = [(kind, value, one) for one in subjects for kind, value in self._state.addresses(one)]
        names |= {value for _, value, _ in stated}
        self._outlive(stated, outlive)
        words = tuple(sorted(_words(subjects, names)))
        at = row.received_at
        self._new.append(
            Erasure(row.seq, at, command.author, self.key, tuple(subjects), prints, words, chunks)
        )
        files = Attachments(self._table.folder.parent)
        for subject in subjects:
            files.drop(one.message for one in self._reader.outbox(subject, MESSAGES))
            self._records.empty(subject)
        self._resolver.drop(ids)
        self.tombstones.add(subjects, prints, at)
        self._open[row.seq] = None

    def take(self) -> tuple[list[Erasure], dict[int, Instant], dict[int, Instant]]:
        """What the commit must write: new erasures, those that the history's files are free of, and those
        that are at their end."""
        new, self._new = self._new, []
        rewritten, self._rewritten = self._rewritten, {}
        gone, self._gone = self._gone, {}
        self._open |= rewritten
        for row in gone:
            del self._open[row]
        return new, rewritten, gone

    def wanted(self) -> bool:
        """Whether there is something to clean now, for the sealing thread."""
        now = self._clock.now()
        return now - self._tried >= RETRY_US and (None in self._open.values() or bool(self._aged(now)))

    def clean(self) -> None:
        """In the sealing thread: writes files of the history anew; deletes those replaced a day ago."""
        self._tried = now = self._clock.now()
        self._rewrite(now)
        if aged := self._aged(now):
            self._table.vacuum(GRACE_HOURS)
            self._old = aged

    def finish(self) -> None:
        """Between ticks: writes the state anew where it is time."""
        old, self._old = self._old, []
        if old:
            self._state.scrub()
            self._gone = dict.fromkeys(old, self._clock.now())

    def end(self, most_bytes: int | None) -> None:
        """Before the engine ends and with it the server: nobody reads any more, so nothing need stay. More
        bytes than given are left to a later start."""
        if self._open and (most_bytes is None or self._bytes() <= most_bytes):
            self._rewrite(self._clock.now())
            self._table.vacuum(0)
            self._old = [row for row, at in (self._open | self._rewritten).items() if at is not None]

    def _rewrite(self, now: Instant) -> None:
        rows = [one.row for one in self._reader.erasures() if one.rewritten_at is None]
        if rows:
            # Its examples may be theirs; whoever asks for the catalogue makes it anew from the history.
            (self._table.folder.parent / "run" / "catalogue.msgpack").unlink(missing_ok=True)
            rewrite(self._table, self._reader.erased(), Merged(self._reader.merges()))
            self._rewritten = dict.fromkeys(rows, now)

    def _aged(self, now: Instant) -> list[int]:
        """Those that are rewritten, once the oldest of them is old."""
        done = {row: at for row, at in list(self._open.items()) if at is not None}
        return list(done) if done and now - min(done.values()) >= FINISH_AFTER_US else []

    def _bytes(self) -> int:
        files = [*self._table.folder.rglob("*.parquet"), self._table.folder.parent / "state.db"]
        return sum(file.stat().st_size for file in files)

    def _outlive(
        self, stated: list[tuple[str, str, int]], outlive: Callable[[int, str, Record], None]
    ) -> None:
        """Who had left, or was suppressed, stays so: by a hash of the address."""
        for kind, value, subject in stated:
            if kind in CHANNELS:
                holder = self._state.canonical(subject)
                outlive(KINDS.index(kind), value, self._records.get(holder).record)

    def _everybody(self, customer: str) -> list[int]:
        """Every number that stands for the customer today."""
        found = self._reader.find(customer)
        if found is None:
            return []
        if found >= GROUPS:
            raise HarkError(f"{customer} is a group", "only customers can be erased", "erase.group")
        return self._state.tree(found)

    def _chunks(self, subjects: list[int]) -> list[tuple[int, Chunk]]:
        """What waits to be sealed and holds their events, without them and a group's copies of them."""
        changed = []
        for number, data in self._state.recent_of(subjects):
            events = columns.decode(data)
            theirs = {event.seq for event in events if event.subject in subjects}
            left = [event for event in events if not _goes(event, subjects, theirs)]
            changed.append((number, Chunk(len(left), columns.subjects(left), columns.encode(left))))
        return changed


def _goes(event: Event, subjects: list[int], theirs: set[int]) -> bool:
    if event.subject >= GROUPS:
        return event.kind != Kind.FACT and event.seq in theirs
    return event.subject in subjects


def _words(subjects: list[int], names: set[str]) -> set[str]:
    """What names them in the text of a problem."""
    return {f"subject {one}," for one in subjects} | {one for one in names if len(one) >= SHORTEST_WORD}


_erase = msgspec.json.Decoder(EraseRow)
