"""Who was erased: their numbers, and keyed hashes of their ids, which keep late events from bringing them
back.

A *tombstone* hides a subject from every reader at once; `rewrite` then takes the rows out of the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.history.identity import ANONYMOUS, USER, Id
from hark.history.merged import Merged
from hark.model import GROUPS, Instant, Kind
from hark.store.table import ROWS, EventTable, File, Subjects, Version


class Said(Protocol):
    """What of a call decides whose it was, and when. `hark.collect.formats.Call` is one."""

    @property
    def kind(self) -> int: ...

    @property
    def user_id(self) -> str: ...

    @property
    def anonymous_id(self) -> str: ...

    @property
    def previous_id(self) -> str: ...

    @property
    def at(self) -> Instant: ...


class Tombstones:
    """Every erasure ever carried out in a directory, in memory."""

    def __init__(
        self, key: bytes, subjects: Iterable[int] = (), prints: Mapping[bytes, Instant] = {}
    ) -> None:
        """`prints` are hashes of ids under `key`, with the moment of each id's latest erasure."""
        self.subjects = set(subjects)
        self._key = key
        self._prints = dict(prints)
        self._newest = max(self._prints.values(), default=-1)

    def print_of(self, id: Id) -> bytes:
        """16 bytes of BLAKE2b under the directory's key: without it nobody can try out ids."""
        kind, value = id
        return blake2b(f"{kind}\x1f{value}".encode(), digest_size=16, key=self._key).digest()

    def add(self, subjects: Iterable[int], prints: Iterable[bytes], at: Instant) -> None:
        """One more erasure."""
        self.subjects.update(subjects)
        self._prints |= dict.fromkeys(prints, at)
        self._newest = max(self._newest, at)

    def covers(self, call: Said) -> bool:
        """Whether the call is an erased customer's and happened no later than the erasure.

        What happens after it is a new customer's. Almost every call is younger than the newest erasure, so
        no id is hashed for it.
        """
        return call.at <= self._newest and any(self._erased(one, call.at) for one in _owners(call))

    def _erased(self, id: Id, at: Instant) -> bool:
        return at <= self._prints.get(self.print_of(id), -1)


def _owners(call: Said) -> Sequence[Id]:
    """The ids by which a call is somebody's; an alias is of both it names."""
    mine = (USER, call.user_id) if call.user_id else (ANONYMOUS, call.anonymous_id)
    return (mine, (ANONYMOUS, call.previous_id)) if call.kind == Kind.ALIAS else (mine,)


def rewrite(table: EventTable, subjects: Collection[int], merged: Merged) -> list[File]:
    """Writes each file that holds rows of these subjects anew without them, all in one commit.

    A group's copies of their events go along. Answers the files replaced; they stay on disk until
    `EventTable.vacuum`. Not beside a seal or a compaction.
    """
    version = table.version()
    if version is None or not subjects:
        return []
    gone = Gone(table, version, subjects, merged)
    held = [file for file in version.files if gone.held(file)]
    added = [
        table.write(
            *(file.bucket, f"erased-{version.number:012}-{number}"),
            (gone.without(part) for part in table.groups(file, ROWS.names)),
            table.merges(file),
        )
        for number, file in enumerate(held)
    ]
    if held:
        table.commit(version, [file for file in added if file], held, version.sealed)
    return held


class Gone:
    """The rows of erased subjects in one version of the table."""

    def __init__(
        self, table: EventTable, version: Version, subjects: Collection[int], merged: Merged
    ) -> None:
        self._table, self._version, self._merged = table, version, merged
        self._subjects = np.array(sorted(subjects), np.int64)

    @cached_property
    def copied(self) -> Subjects:
        """The seq of each of their events, under which a group has its copy; facts have others."""
        files = [file for file in self._version.files if file.first < GROUPS]
        found = [rows.filter(pc.not_equal(rows["kind"], int(Kind.FACT))) for rows in map(self.theirs, files)]
        return np.concatenate([_NONE, *(rows["seq"].to_numpy() for rows in found)])

    def held(self, file: File) -> bool:
        """Whether rows of the file go."""
        if file.first < GROUPS:
            return bool(self.theirs(file).num_rows)
        return any(self.without(part).num_rows < part.num_rows for part in self._table.groups(file, _KEYS))

    def without(self, rows: pa.Table) -> pa.Table:
        """The rows that stay, of some of either customers or groups."""
        if not len(self._subjects):
            return rows
        if rows.num_rows and rows["subject"][0].as_py() >= GROUPS:
            goes = pc.is_in(rows["seq"], pa.array(self.copied))
        else:
            goes = pc.is_in(pc.coalesce(rows["origin"], rows["subject"]), pa.array(self._subjects))
        return rows.filter(pc.invert(goes))

    def theirs(self, file: File) -> pa.Table:
        """Of a file of customers the rows that go. Those of a merge that was undone stand under the other's
        number, with their own in `origin`."""
        then = self._merged.then(self._table.merges(file)).canonical(self._subjects)
        under = np.unique([*self._subjects, *then]).tolist()
        rows = self._table.of(file, under, _KEYS)
        return rows.filter(pc.is_in(pc.coalesce(rows["origin"], rows["subject"]), pa.array(self._subjects)))


_KEYS = ["subject", "seq", "kind", "origin"]
_NONE = np.empty(0, np.int64)
