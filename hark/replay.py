"""Replay: what definitions would have decided over a history, with a virtual clock and nobody written to.

Every event arrives at its `known_at`. The same `Folder` and `step` as in the live engine; only the sends go
to a recorder, whose provider takes everything at once. Timers and messages of a customer come at their own
moments before the customer's next event, so nothing depends on the size of ticks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import heappop, heappush, merge
from itertools import islice
from typing import Protocol

import msgspec
from msgspec import Struct

from hark.clock import moment
from hark.decide.plan import Plan
from hark.decide.step import step
from hark.definitions.document import Document
from hark.engine.folder import Folder
from hark.engine.groups import as_event, news_of_message
from hark.engine.outbox import customer_id, exit_of, letter_content, turn_of
from hark.engine.records import Records
from hark.errors import HarkError
from hark.model import (
    DAY,
    GROUP_MESSAGE,
    GROUP_TRAITS,
    GROUPS,
    JSON,
    ORDINAL_BITS,
    Event,
    Instant,
    Kind,
    MessageDue,
    Outcome,
    TimerDue,
)
from hark.store.changes import Kept
from hark.store.contracts import OutboxRow

LONGEST_US = 400 * DAY
"""How long after the last event timers go on at most; every window that is open by then has closed."""


class History(Protocol):
    """What of a `hark.history.reader.Snapshot` is read."""

    def events(self, names: Collection[str] | None = None, facts: bool = False) -> Iterable[Event]: ...

    def of_groups(self) -> History: ...


class Replay(Struct, frozen=True):
    """What came of it, in the order of (instant, subject, seq)."""

    facts: list[Event]
    messages: list[OutboxRow]
    """Those that would have been sent; `updated_at` is when."""
    events: int
    """Events that were folded."""

    @property
    def digest(self) -> str:
        """SHA-256 over all facts and messages with all their fields: equal only for equal replays."""
        found = hashlib.sha256()
        for one in [*map(_canonical, self.facts), *map(_canonical, self.messages)]:
            found.update(one)
        return found.hexdigest()

    def summary(self) -> dict[str, JSON]:
        """{"events", "facts": {name: times}, "messages", "digest"}."""
        times = Counter(fact.name for fact in self.facts)
        return {
            "events": self.events,
            "facts": dict(sorted(times.items())),
            "messages": len(self.messages),
            "digest": self.digest,
        }

    def jsonl(self) -> bytes:
        """Each fact as one line of JSON, with its properties as an object: every decision and its reason."""
        return b"".join(_line(fact) + b"\n" for fact in self.facts)


def replay(
    history: History,
    documents: Sequence[Document],
    until: Instant | None = None,
    tick: int = 4_096,
    key: Callable[[int], tuple[str, Instant] | None] | None = None,
    zone: str = "UTC",
) -> Replay:
    """Folds the history's events into new records under these documents, as far as `until`.

    `key` gives a subject's stable key and first sight (`StateReader.key`); without it a subject's key is its
    number, so that assignment is not that of the live engine, and of groups nothing is decided.
    `tick` has no influence on the result.

    Raises HarkError (`replay.failed`) if a step fails.
    """
    world = _World(Plan.compile(documents, zone=zone), _Memory(key))
    known = _known(history)
    while batch := list(islice(known, tick)):
        world.fold(batch if until is None else [event for event in batch if event.known_at <= until])
    world.advance_all(world.now + LONGEST_US if until is None else until + 1)
    return world.replay()


def _known(history: History) -> Iterator[Event]:
    """What happened to customers and to groups in the order in which it became known; an event of both comes
    to the customer first."""
    of_all = (history.events(), history.of_groups().events())
    return merge(*of_all, key=lambda event: (event.known_at, event.seq))


class _Memory:
    """Where a replay's records begin: nothing is kept of anybody."""

    def __init__(self, key: Callable[[int], tuple[str, Instant] | None] | None) -> None:
        self._key = key
        self.first_seen: dict[int, Instant] = {}

    def kept(self, _subject: int) -> Kept | None:
        return None

    def kept_of(self, _subjects: Sequence[int]) -> dict[int, Kept]:
        return {}

    def key(self, subject: int) -> tuple[str, Instant]:
        found = self._key(subject) if self._key else None
        return found[0] if found else str(subject), self.first_seen[subject]

    def first(self, _subject: int) -> bool:
        return True


class _Member(Struct, frozen=True):
    """What is read of a `Group Traits`."""

    type: str
    id: str


class _Town:
    """Who belongs to which group, and what groups have to say to their members."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], set[int]] = {}
        self._said: list[tuple[Event, bytes]] = []

    def hear(self, event: Event) -> None:
        if event.name == GROUP_TRAITS:
            of = _member.decode(event.properties)
            self._members.setdefault((of.type, of.id), set()).add(event.subject)

    def say(self, fact: Event, properties: bytes) -> None:
        self._said.append((fact, properties))

    def said(self, before: Event | None = None) -> list[Event]:
        """What members are to be given, in the order of its moments, before this event; what was said by
        the same call of a client waits until all is over that it brought."""
        call = -1 if before is None else before.seq >> ORDINAL_BITS
        now = [one for one in self._said if one[0].seq >> ORDINAL_BITS != call]
        self._said = [one for one in self._said if one[0].seq >> ORDINAL_BITS == call]
        now.sort(key=lambda one: (one[0].instant, one[0].subject, one[0].seq))
        return [event for fact, properties in now for event in self._to_members(fact, properties)]

    def _to_members(self, fact: Event, properties: bytes) -> Iterator[Event]:
        of, news = _member.decode(properties), news_of_message(fact, properties)
        for subject in sorted(self._members.get((of.type, of.id), ())):
            yield as_event(subject, subject, news)


_member = msgspec.json.Decoder(_Member)


class _World:
    """One replay: records, what is due when, and the recorder."""

    def __init__(self, plan: Plan, memory: _Memory) -> None:
        self._memory = memory
        self._folder = Folder(Records(memory, most=1 << 62), plan, step)
        self._due: list[tuple[Instant, bool, int]] = []
        """(when, whether it is a customer, who): of one moment groups come first, since they say something to
        customers."""
        self._due_groups: list[Instant] = []
        self._writes = plan.writes
        self._armed: dict[int, Instant] = {}
        """Of the notes in `_due`, those that count."""
        self._wanted: dict[int, dict[str, OutboxRow]] = {}
        self._facts: list[Event] = []
        self._messages: list[OutboxRow] = []
        self._events = 0
        self._town = _Town()
        self._folder.addressed = self._town.say
        self.now: Instant = 0

    def fold(self, events: Iterable[Event]) -> None:
        """Events in the order in which they became known; then all that is due before the last of them."""
        for event in events:
            if event.name == GROUP_MESSAGE:
                continue  # what was said then: what is said now is decided anew
            if self._writes:
                self._told(self._town.said(event))
                self._advance_due(event.known_at)
                self._town.hear(event)
            self._events += 1
            self.now = max(self.now, event.known_at)
            self._memory.first_seen.setdefault(event.subject, event.known_at)
            if self._folder.asks(event):
                self._event(event)
        self._advance_due(self.now)
        self._facts += self._taken()

    def advance_all(self, before: Instant) -> None:
        """Everybody's timers and messages due before this moment, there being no more events before it."""
        self._told(self._town.said())
        self._advance_due(before)

    def _advance_due(self, before: Instant) -> None:
        while self._due and self._due[0][0] < before:
            due, customer, subject = heappop(self._due)
            if self._armed.get(subject) == due:
                del self._armed[subject]
                self._advance(subject, min(before, self._until(customer, due)))
                self._arm(subject)
                if not customer:
                    self._told(self._town.said())

    def _until(self, customer: bool, due: Instant) -> Instant:
        """How far one subject goes alone: where groups write to members, to the next moment of a group."""
        if not self._writes:
            return self.now + 2 * LONGEST_US
        if not customer:
            return due + 1
        while self._due_groups and self._due_groups[0] < due:
            heappop(self._due_groups)
        return max(due + 1, self._due_groups[0]) if self._due_groups else self.now + 2 * LONGEST_US

    def _told(self, said: Iterable[Event]) -> None:
        """Members are given what their groups have to say to them."""
        for event in said:
            self._memory.first_seen.setdefault(event.subject, event.known_at)
            self._event(event)

    def replay(self) -> Replay:
        self._facts += self._taken()
        facts = sorted(self._facts, key=lambda one: (one.instant, one.subject, one.seq))
        messages = sorted(self._messages, key=lambda one: (one.updated_at, one.subject, one.message))
        return Replay(facts, messages, self._events)

    def _event(self, event: Event) -> None:
        self._advance(event.subject, event.known_at)
        at = max(event.known_at, self._folder.records.get(event.subject).record.now)
        self._folder.event(msgspec.structs.replace(event, received_at=event.known_at, instant=at))
        self._settle()
        self._arm(event.subject)

    def _advance(self, subject: int, before: Instant) -> None:
        """One customer's timers and messages due before this moment, each at its own."""
        while (due := self._next(subject)) is not None and due < before:
            self._fire(subject, due)
            self._settle()

    def _next(self, subject: int) -> Instant | None:
        timer = self._folder.records.get(subject).record.due
        moments = [row.due_at for row in self._wanted.get(subject, {}).values()]
        return min(moments + ([] if timer is None else [timer]), default=None)

    def _fire(self, subject: int, due: Instant) -> None:
        """The timer, or if none is due at this moment the first of the messages."""
        timer = self._folder.records.get(subject).record.due
        if timer is not None and timer <= due:
            self._folder.give(TimerDue(subject, timer))
        else:
            waiting = self._wanted[subject].values()
            self._hand_off(min(waiting, key=lambda row: (row.due_at, row.message)))

    def _hand_off(self, row: OutboxRow) -> None:
        record = self._folder.records.get(row.subject).record
        at = max(row.due_at, record.now)
        group = row.content.get("of_group")
        exited = exit_of(row, self._folder.records.get(group).record) if group else ""
        due = MessageDue(row.subject, at, row.message, exited=exited)
        turn = turn_of(self._folder.give(due), row.message)
        if turn and turn.state == "wanted":
            later = max(turn.due_at or at, at + 1)
            self._wanted[row.subject][row.message] = msgspec.structs.replace(row, due_at=later)
            return
        del self._wanted[row.subject][row.message]
        if turn and turn.state == "sending":
            record = self._folder.records.get(row.subject).record
            plan = self._folder.plan_of(row.subject)
            content = letter_content(row, record, customer_id(record), plan)
            self._messages.append(msgspec.structs.replace(row, state="sent", updated_at=at, content=content))
            self._folder.give(Outcome(row.subject, at, row.message, "sent"))

    def _settle(self) -> None:
        """Takes up the messages wanted since."""
        for row in self._folder.told.wanted:
            self._wanted.setdefault(row.subject, {})[row.message] = row
        self._folder.told.wanted.clear()

    def _arm(self, subject: int) -> None:
        """Notes when the customer is due next, unless an earlier note stands."""
        due = self._next(subject)
        if due is not None and due < self._armed.get(subject, due + 1):
            self._armed[subject] = due
            heappush(self._due, (due, subject < GROUPS, subject))
            if self._writes and subject >= GROUPS:
                heappush(self._due_groups, due)

    def _taken(self) -> Iterator[Event]:
        for problem in self._folder.problems:
            raise HarkError(f"the replay cannot go on: {problem.detail}", id="replay.failed")
        facts = [event for event in self._folder.events if event.kind == Kind.FACT]
        self._folder.clear()
        return iter(facts)


def _line(fact: Event) -> bytes:
    return msgspec.json.encode(
        {
            "subject": fact.subject,
            "at": moment(fact.at).isoformat(),
            "seq": fact.seq,
            "name": fact.name,
            "id": fact.message_id,
            "properties": msgspec.Raw(fact.properties),
        }
    )


def _canonical(one: Event | OutboxRow) -> bytes:
    """The same bytes for the same value: all fields in their order, the keys of mappings sorted."""
    return msgspec.json.encode(_plain(msgspec.structs.astuple(one)), order="sorted")


def _plain(values: tuple[object, ...]) -> list[object]:
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
