"""Who is who, as `state.db` has it: what the engine and its readers ask alike."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hark.model import Instant
from hark.store.changes import ADDRESSES, ANONYMOUS, GROUP, KINDS, USER, Id, Telling
from hark.store.contracts import Joined, Merge, address
from hark.store.state_rows import SQLRow

_MERGES = "SELECT younger, older, at, cause, undoes, said_by FROM merges"
_TREE = """WITH RECURSIVE tree (subject) AS (VALUES (?) UNION SELECT younger FROM merges JOIN tree
           ON older = subject WHERE in_force = 1)"""


_JOINED = """SELECT m.number, m.younger, m.older, m.at, m.cause, m.said_by, m.moved, u.at, u.said_by, u.cause
             FROM merges m LEFT JOIN merges u ON u.undoes = m.number AND u.undoes > 0 WHERE m.undoes = 0"""


def _joined(row: SQLRow) -> Joined:
    number, younger, older, at, cause, by, moved, undone_at, undone_by, note = row
    ids = tuple((KINDS[kind], value) for kind, value in msgspec.json.decode(moved))
    return Joined(number, younger, older, at, cause, by, ids, undone_at, undone_by or "", note or "")


class Identities:
    """Answers as of the last commit. Implemented for whoever has a connection."""

    def _query(self, find: str, *given: object) -> list[SQLRow]:
        raise NotImplementedError

    def _first(self, find: str, *given: object) -> SQLRow | None:
        return next(iter(self._query(find, *given)), None)

    def canonical(self, subject: int) -> int:
        """The subject that it is today, after all merges in force."""
        find = "SELECT older FROM merges WHERE younger = ? AND in_force = 1"
        while row := self._first(find, subject):
            subject = row[0]
        return subject

    def tree(self, subject: int) -> list[int]:
        """The subject and all those that were merged into it and into them, ascending."""
        find = f"{_TREE} SELECT subject FROM tree ORDER BY subject"
        return [row[0] for row in self._query(find, subject)]

    def merges(self) -> list[Merge]:
        """All merges and undos; a merge's number is its place from 1."""
        return [Merge(*row) for row in self._query(f"{_MERGES} ORDER BY number")]

    def merge_of(self, number: int) -> Merge | None:
        row = self._first(f"{_MERGES} WHERE number = ?", number)
        return Merge(*row) if row else None

    def in_force(self, number: int) -> bool:
        """Whether it is a merge that was not undone."""
        find = "SELECT 1 FROM merges WHERE number = ? AND in_force = 1"
        return self._first(find, number) is not None

    def joined(self, subject: int | None = None, limit: int = 200) -> list[Joined]:
        """The merges of a customer, also those undone; of everybody, if nobody is named. Newest first."""
        if subject is None:
            return [_joined(row) for row in self._query(f"{_JOINED} ORDER BY m.number DESC LIMIT ?", limit)]
        find = f"""{_TREE} {_JOINED} AND (m.younger IN (SELECT subject FROM tree)
                   OR m.older IN (SELECT subject FROM tree)) ORDER BY m.number DESC LIMIT ?"""
        return [_joined(row) for row in self._query(find, subject, limit)]

    def owned(self, subject: int) -> list[tuple[Id, int]]:
        """All ids of one subject, each with the subject at which it is at home."""
        find = "SELECT kind, value, ifnull(home, subject) FROM ids WHERE subject = ?"
        return [((kind, value), home) for kind, value, home in self._query(find, subject)]

    def addresses(self, subject: int) -> list[tuple[str, str]]:
        """(kind, value) of the e-mail addresses, phone numbers and devices of the customer."""
        find = f"""{_TREE} SELECT DISTINCT kind, value FROM addresses JOIN tree USING (subject)
                   ORDER BY kind, value"""
        return [(KINDS[kind], value) for kind, value in self._query(find, subject)]

    def groups_of(self, subject: int) -> list[tuple[int, str]]:
        """(subject of the group, "type:id") of the groups that the customer belongs to."""
        find = f"""{_TREE} SELECT DISTINCT "group", value FROM members JOIN tree USING (subject)
                   JOIN ids ON ids.subject = "group" ORDER BY value"""
        return [(group, value) for group, value in self._query(find, subject)]

    def members(self, group: int, after: int, limit: int) -> list[tuple[int, int]]:
        """(subject at home, number of the latest news it has) of members after one, ascending."""
        find = """SELECT subject, since FROM members WHERE "group" = ? AND subject > ?
                  ORDER BY subject LIMIT ?"""
        return [(subject, since) for subject, since in self._query(find, group, after, limit)]

    def member(self, group: int, home: int) -> int | None:
        """The number of the latest news that a member has; None for who is no member."""
        row = self._first('SELECT since FROM members WHERE "group" = ? AND subject = ?', group, home)
        return row[0] if row else None

    def count_groups(self, home: int) -> int:
        """To how many groups a subject belongs, before merges."""
        row = self._first("SELECT count(*) FROM members WHERE subject = ?", home)
        return row[0] if row else 0

    def tellings(self) -> dict[int, Telling]:
        """By number, news of groups that not all members have yet."""
        rows = self._query('SELECT number, "group", seq, news, told FROM tellings ORDER BY number')
        return {number: Telling(*rest) for number, *rest in rows}

    def find_all(self, id: str) -> list[int]:
        """Everybody whom the text may name: "#12" itself (after merges); else the subject of a userId, an
        anonymousId or a group ("account:acme"), each before the next; else who has this e-mail address, phone
        number or device, and that may be several; else groups by their id alone ("acme")."""
        if id.startswith("#") and id[1:].isdigit():
            return list(self._numbered(int(id[1:])))
        for kind in (USER, ANONYMOUS, GROUP):
            find = "SELECT subject FROM ids WHERE kind = ? AND value = ?"
            if row := self._first(find, kind, id):
                return [row[0]]
        found = {one for kind in ADDRESSES for one in self.holders(kind, address(KINDS[kind], id))}
        return sorted(set(map(self.canonical, found))) or list(self._groups_called(id))

    def find(self, id: str) -> int | None:
        """The one subject that the text names (`find_all`); None for nobody, and for several."""
        found = self.find_all(id)
        return found[0] if len(found) == 1 else None

    def key(self, subject: int) -> tuple[str, Instant] | None:
        """(stable key, first seen) of a subject."""
        find = "SELECT key, first_seen FROM subjects WHERE subject = ?"
        row = self._first(find, subject)
        return (row[0], row[1]) if row else None

    def _groups_called(self, id: str) -> Iterator[int]:
        """Groups of any type with this id: looked up once for each type."""
        find = "SELECT value FROM ids WHERE kind = ? AND value >= ? ORDER BY value LIMIT 1"
        after = ""
        while row := self._first(find, GROUP, after):
            kind = str(row[0]).partition(":")[0]
            same = self._first("SELECT subject FROM ids WHERE kind = ? AND value = ?", GROUP, f"{kind}:{id}")
            if same:
                yield same[0]
            after = f"{kind};"

    def _numbered(self, subject: int) -> Iterator[int]:
        if self.key(subject):
            yield self.canonical(subject)

    def holders(self, kind: int, value: str) -> list[int]:
        """The subjects that have stated an address, as they were then."""
        find = "SELECT subject FROM addresses WHERE kind = ? AND value = ?"
        return [row[0] for row in self._query(find, kind, value)] if value else []
