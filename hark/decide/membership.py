"""The reducers of summaries, and of who is in which segment and at which level of engagement."""

from __future__ import annotations

from collections.abc import Iterable

from hark.decide.levels import level_of
from hark.decide.watch import Watch
from hark.decide.work import Work, whole_ms
from hark.definitions.levels import Ladder, Stage
from hark.definitions.types import Segment
from hark.model import JSON, Event, FactName


def summaries(work: Work, event: Event, watch: Watch) -> None:
    """Folds the event into every summary that watches it."""
    kept = work.record.summaries
    for key, leaf in watch.leaves:
        kept[key] = leaf.fold(kept.get(key), event)


def membership(work: Work, _event: Event, watch: Watch) -> None:
    """Asks again the segments whose answer the event may have changed."""
    ask(work, watch.with_traits if work.traits_changed else watch.segments)
    work.traits_changed = False


def ask(work: Work, segments: Iterable[Segment]) -> None:
    """Sets the memberships to what holds now, writes facts of what changed, and notes when to ask again."""
    levels: dict[str, str | None] = {}
    for segment in segments:
        if segment.level_of:
            levels.setdefault(segment.level_of, level_of(work.record, work.plan.levels[segment.level_of]))
        _ask(work, segment)
    for definition, before in levels.items():
        _move(work, work.plan.levels[definition], before)


def _ask(work: Work, segment: Segment) -> None:
    record, name = work.record, segment.name
    inside, change = segment.where.answer(record, work.now)
    if inside is not (name in record.members):
        if segment.level_of:
            record.members.pop(name) if name in record.members else record.members.update({name: work.now})
        else:
            enter(work, name) if inside else leave(work, name)
    if change is not None:
        record.changes[name] = whole_ms(change)
        work.moved = True
    elif name in record.changes:
        del record.changes[name]
        work.moved = True


def enter(work: Work, name: str) -> None:
    work.record.members[name] = work.now
    work.emit(FactName.SEGMENT_ENTERED, {"segment": name} | _how(work))


def _how(work: Work) -> dict[str, JSON]:
    """What it is that started this, where it was not something done just now."""
    how: dict[str, JSON] = {"backfill": True} if work.backfill else {}
    return how | ({"imported": True} if work.imported else {})


def _move(work: Work, definition: Ladder, before: str | None) -> None:
    """Writes the fact of a level that changed: one for a change over several levels at once."""
    now, floor = level_of(work.record, definition), definition.floor or None
    if now != before:
        staged = isinstance(definition, Stage)
        whose = {"stage" if staged else "engagement": definition.name}
        said: dict[str, JSON] = {**whose, "from": before or floor, "to": now or floor}
        work.emit(FactName.STAGE_CHANGED if staged else FactName.LEVEL_CHANGED, said | _how(work))


def leave(work: Work, name: str) -> None:
    since = work.record.members.pop(name)
    work.left += (name,)
    work.emit(FactName.SEGMENT_LEFT, {"segment": name, "since": since})


def changes_due(work: Work) -> None:
    """Asks the segments whose answer may change by time at this moment; forgets those no longer defined."""
    changes, segments = work.record.changes, work.plan.segments
    due = sorted(name for name, at in changes.items() if at <= work.now)
    for name in due:
        if name not in segments:
            del changes[name]
            work.moved = True
    ask(work, [segments[name] for name in due if name in segments])
