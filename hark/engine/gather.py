"""What a tick did, as the changes its commit writes."""

from __future__ import annotations

from hark.engine.backfill import taken_of
from hark.engine.intake import Taken
from hark.engine.parts import Parts
from hark.history import columns
from hark.history.identity import Merging
from hark.model import Event
from hark.store.changes import Changes, Chunk, Moved, NewSubject, Prints
from hark.store.contracts import Merge


def gathered(parts: Parts, taken: Taken) -> Changes:
    """Takes everything that changed out of the parts."""
    resolved, folder, prints = parts.resolver.take(), parts.folder, parts.dedupe.take()
    members, tellings, news = parts.groups.take()
    documents, parts.definitions.new = parts.definitions.new, []
    erasures, rewritten, gone = parts.erasing.take()
    suppressed, released = parts.suppressions.take()
    owed, filled = taken_of(parts.backfills)
    return Changes(
        cursors=taken.cursors,
        imports=parts.imports.take(),
        repeated=parts.rows.repeated(),
        next_subject=parts.count.following if resolved.firsts else None,
        next_group=parts.count_groups.following if resolved.firsts else None,
        members=members,
        tellings=tellings,
        news=news,
        subjects=[NewSubject(one.subject, one.key, one.at) for one in resolved.firsts.values()],
        ids=resolved.ids,
        addresses=parts.addresses.take(),
        merges=list(map(_moved, resolved.mergings)),
        records=parts.records.take(),
        wanted=folder.told.wanted,
        repointed=parts.unmerging.take(),
        turns=list(folder.told.turns.values()),
        documents=documents,
        owed=owed,
        filled=filled,
        chunk=chunk(folder.events) if folder.events else None,
        prints=[Prints(one.bucket, one.data) for one in prints],
        oldest_bucket=parts.dedupe.oldest if prints else None,
        problems=folder.problems,
        copies=parts.copies.take(),
        suppressed=suppressed,
        released=released,
        print_key=parts.erasing.key,
        deliveries=parts.pausing.take(),
        fence=parts.fence.take(),
        erasures=erasures,
        rewritten=rewritten,
        gone=gone,
    )


def _moved(one: Merging) -> Moved:
    return Moved(Merge(one.younger, one.older, one.at, one.cause, one.undoes, one.by), one.moved)


def chunk(events: list[Event]) -> Chunk:
    """The tick's events as they will stand in the history."""
    return Chunk(len(events), columns.subjects(events), columns.encode(events))


def changed(changes: Changes) -> bool:
    """Whether there is anything to write."""
    return bool(
        changes.cursors
        or changes.records
        or changes.tellings
        or changes.turns
        or changes.chunk
        or changes.documents
        or changes.owed
        or changes.filled
        or changes.problems
        or changes.fence is not None
        or changes.endings
        or changes.sealed is not None
        or changes.rewritten
        or changes.gone
    )
