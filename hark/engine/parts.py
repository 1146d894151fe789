"""The parts of an engine over one data directory, joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hark.clock import Clock
from hark.decide.step import step
from hark.engine import asking, suppressing
from hark.engine.addresses import Addresses
from hark.engine.backfill import Backfill, BackfillOfGroups
from hark.engine.copies import Copies
from hark.engine.definitions import Definitions, Written
from hark.engine.endings import Endings
from hark.engine.erase import Erasing
from hark.engine.fence import Fence
from hark.engine.folder import Folder
from hark.engine.groups import Groups
from hark.engine.hooks import publish
from hark.engine.moving import Moving
from hark.engine.pausing import Pausing
from hark.engine.records import Records
from hark.engine.refolding import Refolding
from hark.engine.repeats import Repeats
from hark.engine.rows import DefineRow, Imports, Rows
from hark.engine.suppressions import Suppressions
from hark.engine.unmerge import Unmerging
from hark.errors import HarkError
from hark.history.compact import compact
from hark.history.dedupe import Dedupe
from hark.history.identity import Counter, Resolver
from hark.history.seal import Sealer
from hark.history.together import Gatherer
from hark.model import GROUPS, Instant, Lane
from hark.settings import Settings
from hark.store.changes import Kept
from hark.store.contracts import OutboxRow, Row
from hark.store.log import LogReader
from hark.store.state import StateStore, open_reader
from hark.store.swap import finish
from hark.store.table import EventTable


class Origin:
    """Where records come from: the state, and the subjects first seen in this tick."""

    def __init__(self, state: StateStore, resolver: Resolver) -> None:
        self._state, self._resolver = state, resolver

    def kept(self, subject: int) -> Kept | None:
        return None if self._resolver.first(subject) else self._state.kept(subject)

    def kept_of(self, subjects: Sequence[int]) -> dict[int, Kept]:
        return self._state.kept_of(subjects)

    def key(self, subject: int) -> tuple[str, Instant]:
        first = self._resolver.first(subject)
        return (first.key, first.at) if first else self._state.key(subject) or ("", 0)

    def first(self, subject: int) -> bool:
        return self._resolver.first(subject) is not None


class Parts:
    """What the loop works with. All but the log belongs to this process alone."""

    def __init__(self, data: Path, settings: Settings, clock: Clock) -> None:
        """Raises HarkError: `log.missing`, `epoch.differs`, `cursor.past-end`."""
        self.log = LogReader(data / "log")
        self.state = StateStore(data / "state.db", self.log.epoch)
        check_cursors(self.state, self.log)
        self.reader = open_reader(data)
        self.count = Counter(max(1, self.state.number("next_subject")))
        self.count_groups = Counter(max(GROUPS + 1, self.state.number("next_group")))
        self.resolver = Gatherer(self.state, self.count, allocate_group=self.count_groups)
        self.dedupe = Dedupe(self.state.engine_time())
        self.dedupe.load(self.state.seen())
        self.definitions = Definitions(self.reader.all_documents(), settings.zone)
        self._data = data
        publish(data, self.definitions.definitions())
        self.records = Records(Origin(self.state, self.resolver))
        self.folder = Folder(self.records, self.definitions.plan, step)
        self.events = EventTable(data / "history")
        finish(self.events.folder)
        self.sealer = Sealer(self.events, self.log.epoch)
        self.sealed_cursors: dict[Lane, int] = {}
        """Rows up to these stand in the history since the last seal."""
        self.erasing = Erasing(self.state, self.reader, self.events, self.records, self.resolver, clock)
        refolding = Refolding(data, self.reader, self.resolver, self.folder)
        self.folder.erased, self.folder.refold = self.erasing.tombstones.subjects, refolding.summaries
        self._files = settings.compact_files
        self.backfills = tuple(
            side(data, self.reader, self.folder, self.state.owed(side.groups), self.state.filled(side.groups))
            for side in (Backfill, BackfillOfGroups)
        )
        self.moving = Moving(self.reader, self.folder)
        self.unmerging = Unmerging(data, self.state, self.reader, self.resolver, self.folder)
        self.addresses = Addresses()
        self.copies = Copies(self.state, self.erasing.tombstones.print_of)
        self.suppressions = Suppressions(
            self.state, self.folder, self.erasing.tombstones.print_of, self.holders, self.canonical
        )
        self.folder.listed = self.suppressions.hear
        self.fence, self.endings = Fence(data, self.state, clock.now()), Endings(self.state)
        self.pausing = Pausing(self.definitions, self.state.deliveries())
        self.groups = Groups(self.state, self.resolver, self.folder)
        self.imports = Imports(lambda file: self.state.number(f"import/{file}"))
        self.rows = self._rows(data)

    def _rows(self, data: Path) -> Rows:
        return Rows(
            folder=self.folder,
            resolver=self.resolver,
            repeats=Repeats(self.dedupe, data),
            canonical=self.canonical,
            commands=self._commands(),
            imports=self.imports,
            addresses=self.addresses,
            holders=self.holders,
            groups=self.groups,
            erased=self.erasing.tombstones,
            stated=self.suppressions.stated,
            asking=asking.rows(self.state, self.resolver, self.folder, self.suppressions, self.canonical),
            epoch=self.log.epoch,
        )

    def _commands(self) -> dict[str, Callable[[Row], None]]:
        """What carries out each command of the log, by its name."""
        own: dict[str, Callable[[Row], None]] = {
            "define": self.define,
            "erase": self._erase,
            "unmerge": self.unmerging.unmerge,
            "migrate": self.moving.migrate,
            "unfence": lambda _: self.fence.open(),
            "open": self.endings.open,
        }
        return {**own, **suppressing.commands(self.resolver, self.folder, self.suppressions)}

    def _erase(self, row: Row) -> None:
        self.erasing.erase(row, self.suppressions.outlive)

    def canonical(self, subject: int) -> int | None:
        """The subject that a number is today; None for one never given, or erased."""
        count = self.count if subject < GROUPS else self.count_groups
        if not 0 < subject < count.following or subject in self.folder.erased:
            return None
        return self.resolver.becomes(self.state.canonical(subject))

    def whose(self, row: OutboxRow) -> int:
        """The subject of a message, after what this tick merged or took apart."""
        moved = self.unmerging.repointed.get(row.message)
        return self.resolver.today(row.subject) if moved is None else moved

    def holders(self, kind: int, value: str) -> list[int]:
        """Who has stated this address, as they were numbered then."""
        return [*self.state.holders(kind, value), *self.addresses.noted(kind, value)]

    def define(self, row: Row) -> None:
        """New versions of definitions, in force from here on; what they ask of the past is owed."""
        command = _define.decode(row.body)
        written = [Written(one.kind, one.name, one.body, one.text) for one in command.documents]
        self._define(written, command.author, command.note, row.received_at)

    def judge(self, at: Instant) -> None:
        """Pauses campaigns whose messages come back, or are reported as unwanted, by this tick's facts."""
        counted = self.folder.told.counted
        if counted:
            self.pausing.judge(counted, at, lambda written, note, at: self._define(written, "hark", note, at))

    def _define(self, written: list[Written], author: str, note: str, at: Instant) -> None:
        before = self.definitions.plan
        if self.definitions.define(written, author, note, at):
            publish(self._data, self.definitions.definitions())
            self.folder.plan = self.definitions.plan
            for backfill, count in zip(self.backfills, (self.count, self.count_groups), strict=True):
                backfill.fill(before, at, count.following)
            self.moving.paused(before, at)

    def waiting(self) -> tuple[int, Instant]:
        """(events, when the oldest was folded) of what waits to be sealed."""
        return self.state.waiting()

    def seal(self) -> int:
        """Writes what waits into the history; the last chunk it then has. For the sealing thread."""
        cursors = self.reader.cursors()
        sealed = self.sealer.seal(self.reader.numbered(0), self.reader.merges())
        self.sealed_cursors = cursors
        return sealed

    def compact(self) -> None:
        """Sorts many files of a bucket into one where there are too many, and takes out who was erased. For
        the sealing thread."""
        compact(self.events, self.reader.merges(), self._files)
        self.erasing.clean()

    def close(self) -> None:
        for backfill in self.backfills:
            backfill.close()
        self.reader.close()
        self.state.close()
        self.log.close()


_define = msgspec.json.Decoder(DefineRow)


def check_cursors(state: StateStore, log: LogReader) -> None:
    """A cursor past the log's end means that the log lost rows, or is another one."""
    end = log.end()
    for lane, cursor in state.cursors().items():
        if cursor > end:
            message = f"the engine has read row {cursor} of {lane.name.lower()}, but the log ends at {end}"
            hint = "restore log/ and state.db from one backup"
            raise HarkError(message, hint, "cursor.past-end")
