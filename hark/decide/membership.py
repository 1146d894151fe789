"""The reducers of summaries and of who is in which segment."""

from __future__ import annotations

from hark.decide.plan import Watch
from hark.decide.work import Work, whole_ms
from hark.definitions.types import Segment
from hark.model import JSON, Event, FactName


def summaries(work: Work, event: Event, watch: Watch) -> None:
    """Folds the event into every summary that watches it."""
    kept = work.record.summaries
    for key, leaf in watch.leaves:
        kept[key] = leaf.fold(kept.get(key), event)


def membership(work: Work, _event: Event, watch: Watch) -> None:
    """Asks again the segments whose answer the event may have changed."""
    for segment in watch.with_traits if work.traits_changed else watch.segments:
        ask(work, segment)
    work.traits_changed = False


def ask(work: Work, segment: Segment) -> None:
    """Sets the membership to what holds now, writes a fact if it changed, and notes when to ask again."""
    record, name = work.record, segment.name
    inside, change = segment.where.answer(record, work.now)
    if inside is not (name in record.members):
        enter(work, name) if inside else leave(work, name)
    if change is not None:
        record.changes[name] = whole_ms(change)
        work.moved = True
    elif name in record.changes:
        del record.changes[name]
        work.moved = True


def enter(work: Work, name: str) -> None:
    work.record.members[name] = work.now
    properties: dict[str, JSON] = {"segment": name}
    if work.backfill:
        properties["backfill"] = True
    if work.imported:
        properties["imported"] = True
    work.emit(FactName.SEGMENT_ENTERED, properties)


def leave(work: Work, name: str) -> None:
    since = work.record.members.pop(name)
    work.left += (name,)
    work.emit(FactName.SEGMENT_LEFT, {"segment": name, "since": since})


def changes_due(work: Work) -> None:
    """Asks the segments whose answer may change by time at this moment; forgets those no longer defined."""
    changes, segments = work.record.changes, work.plan.segments
    for name in sorted(name for name, at in changes.items() if at <= work.now):
        if name in segments:
            ask(work, segments[name])
        else:
            del changes[name]
            work.moved = True
