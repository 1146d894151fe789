"""Filling in what new conditions ask of the past, some subjects a tick, while events go on being folded.

New definitions are in force at once. Of their past a thread reads the history, bucket by bucket, and every
tick gives what it found to some customers. Whoever has an input before that is given theirs first: so no
record depends on when it was filled, and an event that was folded since finds all that came before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec
import numpy as np

from hark.decide.plan import Plan
from hark.decide.subjects import kind_of
from hark.engine.folder import Folder
from hark.history.reader import Snapshot, open_snapshot
from hark.model import GROUPS, JSON, Command, Instant
from hark.store.backfills import Owed, decode_owed, encode_owed
from hark.store.state import StateReader
from hark.store.table import bucket_of
from hark.understand.batch import summaries_in, watched
from hark.understand.conditions import Leaf

AT_ONCE = 2_000
"""Customers given their past in one tick, at most, beside those who have an input in it."""
PATIENCE_S = 0.004
"""How long a tick waits for the thread."""

Summaries = Mapping[int, Mapping[str, JSON]]


class Backfill:
    """Gives customers what the plan asks of their past and did not before: summaries and memberships, the
    entry into a new campaign which takes those who are inside already, and timers. Starts no other run."""

    groups = False
    """Whether it is the past of groups that is filled in."""

    def __init__(
        self,
        data: Path,
        reader: StateReader,
        folder: Folder,
        owed: bytes = b"",
        filled: Collection[tuple[int, int]] = (),
    ) -> None:
        """`owed` and `filled` (customers, each with the number of the debt) are what was left before."""
        self._data, self._reader, self._folder = data, reader, folder
        self._owed = decode_owed(owed) if owed else Owed(0, 0)
        self._filled: dict[int, int] = {}
        self._news: bytes | None = None
        self._pool = ThreadPoolExecutor(1, "backfill")
        self._had = np.zeros(0, np.int32)
        """By customer, the number of the debt that they were last paid."""
        self._ready: Sequence[int] = ()
        """Whose summaries are at hand."""
        self._reading: Future[tuple[int, list[int], Summaries]] | None = None
        self._first = GROUPS if self.groups else 0
        self._begin()
        for subject, number in filled:
            self._had[subject - self._first] = number

    def fill(self, before: Plan, at: Instant, below: int) -> None:
        """Owes to all known customers what the folder's plan asks and `before` did not."""
        owed = self._asked(before, self._folder.plan, at, below)
        if not owed:
            return
        self._owed = owed.with_(self._owed) if self._owed else owed
        self._news = encode_owed(self._owed)
        self._begin()

    def advance(self, most: int | None = None) -> bool:
        """Gives the next customers theirs. Whether anybody is still owed anything, or was until now."""
        if not self._owed:
            return False
        left = AT_ONCE if most is None else most
        while left and (subjects := self._next()):
            chosen, self._ready = subjects[:left], subjects[left:]
            left -= len(chosen)
            for subject in chosen:
                self.first(subject)
        if not self._ready and self._reading is None:
            self._end()
        return True

    def first(self, subject: int) -> None:
        """Gives a customer theirs, if they have not had it. Who is merged into another in this very tick gets
        their own before; who was merged earlier has none."""
        if subject >= self._owed.below or (had := int(self._had[subject - self._first])) == self._owed.number:
            return
        self._had[subject - self._first] = self._filled[subject] = self._owed.number
        if self._history.merged.one(subject) == subject and subject not in self._folder.erased:
            self._give(subject, self._summaries_of(subject), had)

    def take(self) -> tuple[bytes | None, dict[int, int]]:
        """(what is owed, if that changed, b"" for nothing more; by customer the number of the debt that they
        were paid) since the last `take`."""
        taken = self._news, self._filled
        self._news, self._filled = None, {}
        return taken

    def close(self) -> None:
        """Ends; what is still owed stands in the state."""
        self._pool.shutdown(cancel_futures=True)

    # -- whom it concerns -------------------------------------------------------------------------------

    def _begin(self) -> None:
        known = max(0, self._owed.below - self._first)
        self._had = np.append(self._had, np.zeros(max(0, known - len(self._had)), np.int32))
        self._ready = ()
        self._found: tuple[int, Summaries] = -1, {}
        """The bucket whose summaries are at hand."""
        self._reading = None
        self._folder.owed.pop(self.groups, None)
        if self._owed:
            self._folder.owed[self.groups] = self.first
            self._history = open_snapshot(self._data, self._reader)
            leaves = self._all_leaves(self._folder.plan)
            self._leaves = [leaves[key] for key in self._owed.keys if key in leaves]
            self._read(self._history.buckets if self.groups else 0)

    def _read(self, bucket: int) -> None:
        more = bucket < self._history.buckets * (2 if self.groups else 1)
        asked = self._history, self._leaves, self._owed, bucket
        self._reading = self._pool.submit(self._of_bucket, *asked) if more else None

    def _next(self) -> Sequence[int]:
        """Customers whose past is at hand; () as long as the thread reads."""
        while not self._ready and self._reading is not None:
            if not wait([self._reading], PATIENCE_S).done:
                return ()
            bucket, self._ready, found = self._reading.result()
            self._found = bucket, found
            self._walked(bucket)
            self._read(bucket + 1)
        return self._ready

    def _walked(self, bucket: int) -> None:
        """Notes how far the walk is, for people."""
        buckets = self._history.buckets
        self._owed = msgspec.structs.replace(self._owed, walked=bucket % buckets, buckets=buckets)
        self._news = encode_owed(self._owed)

    def _of_bucket(
        self, history: Snapshot, leaves: Sequence[Leaf], owed: Owed, bucket: int
    ) -> tuple[int, list[int], Summaries]:
        """(bucket, whom it concerns, their summaries); in the thread."""
        found: dict[int, dict[str, JSON]] = {}
        for key, subject, summary in summaries_in(history, leaves, bucket):
            found.setdefault(subject, {})[key] = summary
        more: list[int] = []
        if owed.everybody or owed.segments or owed.existing or owed.arms:
            everybody = self._reader.groups if self.groups else self._reader.subjects
            known = np.array(everybody(with_record=not owed.everybody), np.int64)
            more = known[bucket_of(known, history.buckets) == bucket].tolist()
        return bucket, sorted(one for one in {*found, *more} if one < owed.below), found

    def _end(self) -> None:
        self._owed, self._news, self._filled = Owed(0, 0), b"", {}
        self._had = np.zeros(0, np.int32)
        del self._folder.owed[self.groups]
        del self._history

    # -- what each is given -----------------------------------------------------------------------------

    def _summaries_of(self, subject: int) -> Mapping[str, JSON]:
        """What the new leaves would have kept, had they always been watched; nothing of this was folded yet,
        so any moment of the history since the definitions came in tells it."""
        bucket, found = self._found
        mine = int(bucket_of(np.array([subject]), self._history.buckets)[0])
        if bucket == mine:
            return found.get(subject, {})
        return _folded(self._history, self._leaves, subject)

    def _give(self, subject: int, summaries: Mapping[str, JSON], had: int) -> None:
        owed = self._owed
        if not (summaries or owed.everybody or self._folder.records.has(subject)):
            return
        if owed.keys or owed.segments:
            self._tell(subject, "backfill", {"summaries": self._own(subject, summaries)})
        for campaign, segment, number in owed.existing:
            if number > had and segment in self._folder.records.get(subject).record.members:
                self._tell(subject, "existing", {"campaign": campaign})
        if owed.arms:
            self._tell(subject, "arm", None)

    def _tell(self, subject: int, name: str, data: JSON) -> None:
        now = self._folder.records.get(subject).record.now
        self._folder.give(Command(subject, max(self._owed.at, now), name, data))

    def _own(self, _subject: int, summaries: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Of the summaries that were read those that the subject is owed."""
        return summaries

    # -- what definitions ask ---------------------------------------------------------------------------

    def _asked(self, before: Plan, plan: Plan, at: Instant, below: int) -> Owed:
        """What the plan asks of the past of everybody, and `before` did not."""
        return _asked(before, plan, at, below)

    def _all_leaves(self, plan: Plan) -> Mapping[str, Leaf]:
        return plan.leaves


class BackfillOfGroups(Backfill):
    """The same for groups, each by what is defined for those of its type."""

    groups = True

    def _asked(self, before: Plan, plan: Plan, at: Instant, below: int) -> Owed:
        nothing = Plan(())
        found = {
            kind: _asked(before.groups.get(kind, nothing), one, at, below)
            for kind, one in plan.groups.items()
        }
        return Owed(
            at,
            below,
            tuple(_key(kind, key) for kind, owed in found.items() for key in owed.keys),
            tuple(name for owed in found.values() for name in owed.segments),
            tuple(one for owed in found.values() for one in owed.existing),
            any(owed.arms for owed in found.values()),
            any(owed.everybody for owed in found.values()),
        )

    def _all_leaves(self, plan: Plan) -> Mapping[str, Leaf]:
        return {
            _key(kind, key): leaf for kind, one in plan.groups.items() for key, leaf in one.leaves.items()
        }

    def _own(self, subject: int, summaries: Mapping[str, JSON]) -> Mapping[str, JSON]:
        kind, owed = kind_of(self._folder.records.get(subject).record.key), set(self._owed.keys)
        return {key: summary for key, summary in summaries.items() if _key(kind, key) in owed}


def taken_of(backfills: Iterable[Backfill]) -> tuple[dict[bool, bytes], dict[int, int]]:
    """What all of them `take`: (what is owed by whether to groups, by subject what it was paid)."""
    owed: dict[bool, bytes] = {}
    filled: dict[int, int] = {}
    for one in backfills:
        news, paid = one.take()
        owed |= {} if news is None else {one.groups: news}
        filled |= paid
    return owed, filled


def _key(kind: str, key: str) -> str:
    return f"{kind}:{key}"


def _folded(history: Snapshot, leaves: Sequence[Leaf], subject: int) -> Mapping[str, JSON]:
    """By key, the summaries of one customer, where they are anything."""
    found: dict[str, JSON] = {}
    names = watched(leaves)
    for event in history.subject_events(subject, names) if names is None or names else ():
        for leaf in leaves:
            if leaf.takes(event):
                found[leaf.key] = leaf.fold(found.get(leaf.key), event)
    return {key: summary for key, summary in found.items() if summary is not None}


def _asked(before: Plan, plan: Plan, at: Instant, below: int) -> Owed:
    """What the plan asks of the past of everybody, and `before` did not."""
    segments = {name for name, one in plan.segments.items() if before.segments.get(name) != one}
    arms = bool(_timed(plan) - _timed(before))
    arms = arms or bool(plan.timed and plan.fallback_zone != before.fallback_zone)
    return Owed(
        at,
        below,
        tuple(sorted(plan.leaf_keys - before.leaf_keys)),
        tuple(sorted(segments)),
        tuple((*taking, 1) for taking in _taking_existing(before, plan, segments)),
        arms,
        any(segment.name in segments for segment in plan.absences) or (arms and plan.greets),
    )


def _timed(plan: Plan) -> set[tuple[str, object]]:
    """The campaigns that start at a time, each with when."""
    return {(course.name, course.campaign.trigger.timed) for course in plan.timed}


def _taking_existing(before: Plan, plan: Plan, segments: Collection[str]) -> Iterator[tuple[str, str]]:
    """(campaign, segment) of the campaigns that take who is inside already, and did not before. Those of a
    segment that is new itself need nothing more: its backfill lets them in."""
    for name, course in sorted(plan.current.items()):
        trigger, known = course.campaign.trigger, before.current.get(name)
        news = known is None or not known.campaign.trigger.existing
        if news and trigger.existing and trigger.enters and trigger.enters not in segments:
            yield name, trigger.enters
