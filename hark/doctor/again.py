"""The log's calls once more, as the events that the engine made of them; nothing is folded into records."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from operator import attrgetter
from pathlib import Path

import apsw
from msgspec import Struct

from hark.decide.plan import Plan
from hark.decide.step import step
from hark.doctor import sqlite
from hark.doctor.findings import Looked
from hark.doctor.log import rows_of
from hark.engine.addresses import Addresses
from hark.engine.folder import Folder
from hark.engine.groups import Groups
from hark.engine.records import Records
from hark.engine.repeats import Repeats
from hark.engine.rows import Imports, Rows
from hark.errors import HarkError
from hark.history.dedupe import Dedupe
from hark.history.erased import Tombstones
from hark.history.identity import Counter
from hark.history.together import Gatherer
from hark.model import GROUP_MESSAGE, GROUP_TRAITS, GROUPS, Event, Instant, Lane
from hark.store import log_files
from hark.store.changes import Kept
from hark.store.contracts import Row
from hark.store.state import StateStore

BLOCK = 2_000
"""Rows of the log at once."""
UNKNOWN = 1 << 39
"""Subjects from here on to the groups stand for ids that the state does not know."""


class Seen(Struct, frozen=True):
    """A call of which the history tells that it came before the log begins."""

    source: str
    message_id: str
    at: Instant


class Again:
    """Ids are resolved as the state knows them today: a user's events go where they went, an anonymous id's
    too, unless it changed hands."""

    def __init__(self, data: Path, state: StateStore, epoch: str, seen: Collection[Seen]) -> None:
        resolver = Gatherer(state, Counter(UNKNOWN), allocate_group=Counter(GROUPS << 1))
        key = str(state.meta("erase_key") or "none")
        repeats = Repeats(Dedupe(), data)
        for one in sorted(seen, key=attrgetter("at")):
            repeats.fresh([(one.source, one.message_id)], one.at)
        self._folder = Folder(Records(_Nothing()), Plan.compile([], [], "UTC"), step)
        self._rows = Rows(
            folder=self._folder,
            resolver=resolver,
            repeats=repeats,
            canonical=lambda subject: subject,
            commands=dict.fromkeys(("define", "erase", "unmerge"), lambda _: None),
            imports=Imports(lambda _: 0),
            addresses=Addresses(),
            holders=state.holders,
            groups=Groups(state, resolver, self._folder),
            erased=Tombstones(key.encode(), state.erased_ever(), state.erased_ids()),
            stated=lambda *_: None,
            asking=dict.fromkeys(("message", "receipt"), lambda _: None),
            epoch=epoch,
        )

    def events(self, rows: Collection[Row]) -> list[Event]:
        """Of rows in their order, under the subjects that they were written with."""
        self._rows.fold(rows)  # type: ignore[arg-type]
        found, self._folder.events, self._folder.problems = self._folder.events, [], []
        return [one for one in found if one.name not in TOLD and not UNKNOWN <= one.subject < GROUPS]


TOLD = (GROUP_TRAITS, GROUP_MESSAGE)
"""What members are told of their groups: it stands in no row of the log."""


class _Nothing:
    """No record is kept."""

    def kept(self, _subject: int) -> Kept | None:
        return None

    def kept_of(self, _subjects: Sequence[int]) -> dict[int, Kept]:
        return {}

    def key(self, _subject: int) -> tuple[str, Instant]:
        return "", 0

    def first(self, _subject: int) -> bool:
        return False


def read_log(data: Path, until: dict[Lane, int], looked: Looked) -> Iterator[list[Row]]:
    """What can be read of the log up to a row of each lane, in the order of arrival, block by block."""
    for number in sorted(log_files.numbers(data / "log")):
        path = data / "log" / f"{number}.db"
        with ExitStack() as stack:
            rows = _rows(path, until, stack)
            while block := list(islice(rows, BLOCK)):
                yield block
        looked(path.stat().st_size)


def _rows(path: Path, until: dict[Lane, int], stack: ExitStack) -> Iterator[Row]:
    """One connection for each lane, since they are read side by side."""
    try:
        files = {lane: stack.enter_context(_closing(path)) for lane in Lane}
        for file in files.values():
            log_files.known_meta(file)
    except (apsw.Error, HarkError):
        return iter(())
    lanes = [_lane(file, lane, until.get(lane, 0)) for lane, file in files.items()]
    return heapq.merge(*lanes, key=attrgetter("seq"))


def _lane(file: apsw.Connection, lane: Lane, until: int) -> Iterator[Row]:
    return (row for seq, row in rows_of(file, lane) if row is not None and seq <= until)


def _closing(path: Path) -> apsw.Connection:
    return sqlite.opened(path)
