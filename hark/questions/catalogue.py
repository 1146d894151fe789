"""Keeping the catalogue: history folded once, and what waits in `recent` beside it, with a cursor of its own.

The cursor is the number of the last sealed chunk that is folded. The table's files carry the numbers of their
chunks in their names, so what was sealed since is read from those files alone, also while compaction replaces
them (they stay an hour). Where that is not possible, and when a plan changes, all is folded anew. DIR/run/
catalogue.msgpack is written by the questions process alone and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.definitions.event_plan import Event
from hark.definitions.parse import definition
from hark.errors import HarkError
from hark.history import columns
from hark.store.state import StateReader
from hark.store.table import EventTable, File, Version
from hark.understand.catalogue import COLUMNS, Catalogue, fold
from hark.understand.tracking import Check, check_of

NAME = "catalogue.msgpack"
EVERY_S = 5.0
REST = 4.0
"""After a fold the thread rests this many times as long as it took: a fifth of one core at most."""
_SEALED = re.compile(r"sealed-([0-9]+)-([0-9]+)\.parquet")


class Kept(Struct):
    """What stands in the file."""

    epoch: str = ""
    plans: str = ""
    """A digest of the plans that events were checked against."""
    sealed: int = 0
    erased: int = 0
    """Erasures there had been."""
    catalogue: Catalogue = msgspec.field(default_factory=Catalogue)


class Reading(Struct, frozen=True):
    """How far all of the history is being read: files of the table."""

    done: int
    of: int


class Keeper:
    """The catalogue of a data directory. Safe to use from several threads; `writes` only in one process."""

    def __init__(self, data: Path, state: StateReader, writes: bool = False) -> None:
        self._path = data / "run" / NAME
        self._state = state
        self._table = EventTable(data / "history")
        self._writes = writes
        self._lock = threading.Lock()
        self._kept = Kept()
        self._tail, self._last = Catalogue(), 0
        self._shown = Catalogue()
        self._reading: Reading | None = None
        self._checks: dict[str, Check] = {}
        self._hidden = pa.array([], pa.int64())
        self._loaded = False

    def run(self, stop: threading.Event) -> None:
        """Fold what is new every few seconds until told to stop; a failure is tried again."""
        pause = EVERY_S
        while not stop.wait(pause):
            began = time.monotonic()
            try:
                self.catalogue()
            except (HarkError, OSError, pa.ArrowException):
                pause = 10 * EVERY_S
            else:
                pause = max(EVERY_S, REST * (time.monotonic() - began))

    def catalogue(self, patience_s: float = -1) -> tuple[Catalogue, Reading | None]:
        """The catalogue of all there is now; where that takes longer than `patience_s`, as it was before, and
        how far the reading is. Not to be changed by who asked."""
        if not self._lock.acquire(timeout=patience_s):
            return self._shown, self._reading
        try:
            if self._refresh():
                self._shown = _copy(self._tail)
            return self._shown, None
        finally:
            self._reading = None
            self._lock.release()

    def _refresh(self) -> bool:
        """Fold what is new; whether anything was."""
        begun = self._begin()
        version = self._table.version()
        sealed = version is not None and self._fold_sealed(version)
        return self._fold_recent(version.sealed if version else 0) or sealed or begun

    def _begin(self) -> bool:
        """Take up the file at first, and begin anew for other plans or another log; whether it was so."""
        loaded, self._loaded = self._loaded, True
        if not loaded:
            self._kept = self._read()
            self._tail, self._last = _copy(self._kept.catalogue), self._kept.sealed
        plans, epoch = self._plans(), self._state.epoch()
        digest = hashlib.sha256(msgspec.json.encode(plans, order="deterministic")).hexdigest()
        changed = (self._kept.plans, self._kept.epoch) != (digest, epoch)
        if changed:
            self._checks = {name: check_of(plan) for name, plan in plans.items()}
            self._restart(epoch, digest)
        elif not loaded:
            self._checks = {name: check_of(plan) for name, plan in plans.items()}
        return self._forget() or changed or not loaded

    def _restart(self, epoch: str, plans: str) -> None:
        self._kept = Kept(epoch, plans, erased=self._kept.erased)
        self._tail, self._last = Catalogue(), 0

    def _forget(self) -> bool:
        """After an erasure no example stays; counts do, which say nothing about anybody."""
        self._hidden = pa.array(self._state.erased(), pa.int64())
        erased = len(self._state.erasures())
        if erased == self._kept.erased:
            return False
        self._kept.erased = erased
        for catalogue in (self._kept.catalogue, self._tail):
            catalogue.forget_examples()
        self._write()
        return True

    def _plans(self) -> dict[str, Event]:
        found = (definition(one) for one in self._state.documents() if one.kind == "event")
        return {one.name: one for one in found if isinstance(one, Event)}

    def _fold_sealed(self, version: Version) -> bool:
        if version.sealed <= self._kept.sealed:
            return False
        files = self._sealed_since(version) if self._kept.sealed else None
        if files is None:
            self._restart(self._kept.epoch, self._kept.plans)
            files = [file.path for file in version.files]
        for number, path in enumerate(files):
            self._reading = Reading(number, len(files))
            for rows in self._table.groups(_file(path), COLUMNS):
                self._fold(self._kept.catalogue, rows)
        self._kept.sealed = version.sealed
        self._tail, self._last = _copy(self._kept.catalogue), version.sealed
        self._write()
        return True

    def _fold(self, catalogue: Catalogue, rows: pa.Table) -> None:
        """Whoever is erased is in no example, also while files still hold the rows."""
        if len(self._hidden):
            rows = rows.filter(pc.invert(pc.is_in(rows["subject"], self._hidden)))
        fold(catalogue, rows, self._checks)

    def _sealed_since(self, version: Version) -> list[str] | None:
        """The files with what was sealed after the cursor; None: they are not all there any more."""
        files: dict[tuple[int, int], list[str]] = {}
        for path in self._table.folder.glob("bucket=*/sealed-*.parquet"):
            found = _SEALED.fullmatch(path.name)
            if found and self._kept.sealed < int(found[1]) and int(found[2]) <= version.sealed:
                chunks = int(found[1]), int(found[2])
                files.setdefault(chunks, []).append(str(path.relative_to(self._table.folder)))
        expected = self._kept.sealed + 1
        for first, last in sorted(files):
            if first != expected:
                return None
            expected = last + 1
        whole = expected == version.sealed + 1
        return [path for chunks in sorted(files) for path in sorted(files[chunks])] if whole else None

    def _fold_recent(self, sealed: int) -> bool:
        chunks = self._state.numbered(max(self._last, sealed))
        for number, chunk in chunks:
            self._fold(self._tail, columns.table(chunk).select(COLUMNS))
            self._last = number
        return bool(chunks)

    def _read(self) -> Kept:
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError):
            return Kept()

    def _write(self) -> None:
        if not self._writes:
            return
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.msgpack.encode(self._kept))
        temporary.replace(self._path)


def _copy(catalogue: Catalogue) -> Catalogue:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(catalogue), type=Catalogue)


def _file(path: str) -> File:
    return File(path, 0, 0, 0, 0, 0)
