"""How one tick's changes are written: one small function for each table, run inside one transaction."""

from __future__ import annotations

from collections.abc import Callable

import apsw
import msgspec
from msgspec.structs import astuple

from hark.store.backfills import write_backfills
from hark.store.changes import Changes
from hark.store.deliveries import write_deliveries
from hark.store.endings import write_endings
from hark.store.erasures import write_erasures, write_stages
from hark.store.suppressions import write_copies, write_suppressions

SEEN_ROWS_DROPPED = 64
"""Old fingerprint rows dropped in one tick, at most: twice what a tick adds would do."""


def write(db: apsw.Connection, changes: Changes) -> None:
    """Writes what changed. The caller holds the transaction."""
    for step in STEPS:
        step(db, changes)


def write_meta(db: apsw.Connection, changes: Changes) -> None:
    values: dict[str, int | None] = {
        f"cursor/{lane.name.lower()}": at for lane, at in changes.cursors.items()
    }
    values |= {f"sealed/{lane.name.lower()}": at for lane, at in changes.sealed_cursors.items()}
    values |= {f"import/{file}": chunk for file, chunk in changes.imports.items()}
    values["engine_time"] = changes.engine_time
    values["next_subject"], values["next_group"] = changes.next_subject, changes.next_group
    values["news"] = changes.news
    values["dropped"] = changes.sealed
    db.executemany(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        [(name, value) for name, value in values.items() if value is not None],
    )


def write_repeated(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        [(f"duplicates/{source}", calls) for source, calls in changes.repeated.items()],
    )


def write_subjects(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO subjects VALUES (?, ?, ?)",
        [(new.subject, new.key, new.first_seen) for new in changes.subjects],
    )


def write_ids(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        """INSERT INTO ids VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET subject = excluded.subject, home = excluded.home""",
        [
            (*one, owner, None) if isinstance(owner, int) else (*one, *owner)
            for one, owner in sorted(changes.ids.items())
        ],
    )


def write_addresses(db: apsw.Connection, changes: Changes) -> None:
    db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", changes.addresses)


def write_members(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO members VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET since = excluded.since",
        [(new.group, new.subject, new.since) for new in changes.members],
    )


def write_tellings(db: apsw.Connection, changes: Changes) -> None:
    told = [(number, *astuple(one)) for number, one in changes.tellings.items() if one]
    db.executemany("INSERT OR REPLACE INTO tellings VALUES (?, ?, ?, ?, ?)", told)
    done = [(number,) for number, one in changes.tellings.items() if not one]
    db.executemany("DELETE FROM tellings WHERE number = ?", done)


def write_merges(db: apsw.Connection, changes: Changes) -> None:
    """A merge is in force until a later one undoes it."""
    for moved in changes.merges:
        merge = moved.merge
        if merge.undoes:
            db.execute("UPDATE merges SET in_force = 0 WHERE number = ?", (merge.undoes,))
        db.execute(
            """INSERT INTO merges (younger, older, at, cause, moved, undoes, said_by, in_force)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                *(merge.younger, merge.older, merge.at, merge.cause),
                *(msgspec.json.encode(moved.ids).decode(), merge.undoes, merge.by, not merge.undoes),
            ),
        )


def write_records(db: apsw.Connection, changes: Changes) -> None:
    kept = [(subject, new.due, new.record) for subject, new in sorted(changes.records.items()) if new]
    db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", kept)
    gone = [(subject,) for subject, new in changes.records.items() if not new]
    db.executemany("DELETE FROM records WHERE subject = ?", gone)


def write_wanted(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        """INSERT INTO outbox (message, subject, campaign, run, template, channel, state, due_at, updated_at,
           content, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        [
            (
                *(row.message, row.subject, row.campaign, row.run, row.template, row.channel, row.state),
                *(row.due_at, row.updated_at, msgspec.json.encode(row.content), row.detail),
            )
            for row in changes.wanted
        ],
    )


def write_turns(db: apsw.Connection, changes: Changes) -> None:
    """`updated_at` of what was delivered stays the moment of its hand-over: clicks are judged by it. The
    address becomes the one it goes to: what is reported later is about that one."""
    db.executemany(
        """UPDATE outbox SET state = ?1, updated_at = iif(?1 = 'delivered', updated_at, ?2), detail = ?3,
           due_at = ifnull(?4, due_at) WHERE message = ?5""",
        [(turn.state, turn.at, turn.detail, turn.due_at, turn.message) for turn in changes.turns],
    )
    db.executemany(
        """UPDATE outbox SET content = CAST(json_set(CAST(content AS TEXT), '$.said', json(?)) AS BLOB)
           WHERE message = ?""",
        [(turn.said.decode(), turn.message) for turn in changes.turns if turn.said],
    )
    db.executemany(
        """UPDATE outbox SET content = CAST(json_set(CAST(content AS TEXT), '$.to', ?1) AS BLOB)
           WHERE message = ?2 AND json_extract(CAST(content AS TEXT), '$.to') IS NOT ?1""",
        [(turn.to, turn.message) for turn in changes.turns if turn.to],
    )


def repoint_outbox(db: apsw.Connection, changes: Changes) -> None:
    """Messages of a merged younger subject go on as the older's, and back to it when that is undone; after
    `wanted`: some are of this tick."""
    merged = [moved.merge for moved in changes.merges if not moved.merge.undoes]
    db.executemany(
        "UPDATE outbox SET subject = ? WHERE subject = ?", [(merge.older, merge.younger) for merge in merged]
    )
    db.executemany(
        "UPDATE outbox SET subject = ? WHERE message = ?",
        [(subject, message) for message, subject in changes.repointed.items()],
    )


def write_documents(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                new.kind,
                new.name,
                new.version,
                msgspec.json.encode(new.body),
                new.author,
                new.note,
                new.applied_at,
            )
            for new in changes.documents
        ],
    )
    db.executemany(
        "INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?)",
        [(new.kind, new.name, new.version, new.text) for new in changes.documents if new.text],
    )


def write_chunk(db: apsw.Connection, changes: Changes) -> None:
    """Chunk numbers go on after the last one ever given, also when all were sealed and dropped."""
    if changes.sealed is not None:
        db.execute("DELETE FROM recent WHERE number <= ?", (changes.sealed,))
    if changes.chunk:
        db.execute("INSERT INTO meta VALUES ('chunk', 1) ON CONFLICT DO UPDATE SET value = value + 1")
        db.execute(
            "INSERT INTO recent SELECT value, ?, ?, ?, ? FROM meta WHERE name = 'chunk'",
            (changes.chunk.events, changes.engine_time or 0, changes.chunk.subjects, changes.chunk.data),
        )


def write_seen(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO seen (bucket, fingerprints) VALUES (?, ?)",
        [(new.bucket, new.data) for new in changes.prints],
    )
    if changes.oldest_bucket is not None:
        db.execute(
            "DELETE FROM seen WHERE number IN (SELECT number FROM seen WHERE bucket < ? LIMIT ?)",
            (changes.oldest_bucket, SEEN_ROWS_DROPPED),
        )


def write_problems(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT INTO problems (at, row, member, reason, detail) VALUES (?, ?, ?, ?, ?)",
        [(one.at, one.row, one.member, one.reason, one.detail) for one in changes.problems],
    )


STEPS: list[Callable[[apsw.Connection, Changes], None]] = [
    write_meta,
    write_repeated,
    write_subjects,
    write_ids,
    write_addresses,
    write_members,
    write_tellings,
    write_merges,
    write_records,
    write_wanted,
    write_turns,
    repoint_outbox,
    write_documents,
    write_backfills,
    write_chunk,
    write_seen,
    write_problems,
    write_endings,
    write_copies,
    write_suppressions,
    write_deliveries,
    write_erasures,
    write_stages,
]
