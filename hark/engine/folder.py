"""Inputs into records: the one place that calls `step`. Used by the engine and by replay alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from typing import TypeAlias

import msgspec

from hark.decide.members import copies, message_of
from hark.decide.plan import Plan
from hark.decide.record import decode, encode
from hark.decide.watch import Asked
from hark.engine.outbox import Told, told
from hark.engine.records import Entry, Records
from hark.history.identity import Owner
from hark.model import (
    GROUPS,
    JSON,
    Command,
    Event,
    FactName,
    Handover,
    Input,
    Instant,
    MergedInto,
    Record,
    TimerDue,
)
from hark.store.changes import Problem

Step: TypeAlias = Callable[[Record, Input, Plan], tuple[Record, Sequence[Event]]]


class Folder:
    """Gives each subject its inputs in order and gathers what comes of them until the tick's end."""

    def __init__(self, records: Records, plan: Plan, step: Step) -> None:
        self.records = records
        self.plan = plan
        self._step = step
        self._given: dict[int, list[Input]] = {}
        self.events: list[Event] = []
        """Events and facts of this tick, each event before its facts."""
        self.told = Told()
        """What the facts mean for the outbox."""
        self.problems: list[Problem] = []
        self.ahead: Callable[[int], None] | None = None
        """Gives a subject what comes before its next input, while there is such a thing for anybody."""
        self.owed: dict[bool, Callable[[int], None]] = {}
        """What gives a customer (False) or a group (True) what new definitions ask of their past, before any
        input, while there is such."""
        self.listed: Callable[[list[Event]], None] | None = None
        """Takes the facts for the suppression list, before any further input."""
        self.refold: Callable[[int, Collection[str]], Mapping[str, JSON]] | None = None
        """Gives a subject's summaries of these keys, folded anew from all its events."""
        self.addressed: Callable[[Event, bytes], None] | None = None
        """Takes what a group has to say to its members: the fact, and what they are told."""
        self.erased: Container[int] = ()
        """Subjects to whom nothing happens any more."""

    def event(self, event: Event, row: int = 0, member: int = 0, home: int | None = None) -> None:
        """One event, written down for `home` (the subject it came to before merges), else for its subject.
        Where nothing asks for it no record is touched."""
        if self.ahead:
            self.ahead(event.subject)
        if not self.asks(event):
            self.events.append(_at(home, event))
            return
        if self.owed:
            self._pay(event.subject)
        entry = self.records.get(event.subject)
        if entry.record.now > event.instant:
            event = msgspec.structs.replace(event, instant=entry.record.now)
        self.events.append(_at(home, event))
        self._give(entry, event, row, member)

    def expect(self, calls: Sequence[Asked], owners: Sequence[Owner | None]) -> list[bool]:
        """Whether each call will, or may, be asked for; the records that this takes are read at once."""
        asked = list(map(self.plan.touches, calls))
        mine = zip(owners, asked, strict=True)
        self.records.expect(owner for owner, asks in mine if asks and type(owner) is int)
        return [True] * len(calls) if self.plan.greets else asked

    def quiet(self, event: Event) -> None:
        """One event that `expect` said nothing asks for: it is only written down."""
        if self.ahead:
            self.ahead(event.subject)
        self.events.append(event)

    def asks(self, event: Event) -> bool:
        """Whether the event can change its subject's record: something watches it, or it is the subject's
        first and there are segments for those who did nothing."""
        if event.subject >= GROUPS and not self.plan.touches_groups(event):
            return False
        plan = self.plan_of(event.subject)
        return plan.touches(event) or bool(plan.greets and self.records.new(event.subject))

    def give(self, input: Input) -> Sequence[Event]:
        """One input that is no event; the facts it led to. Of somebody erased it comes too late."""
        if input.subject in self.erased:
            return ()
        if self.ahead:
            self.ahead(input.subject)
        if self.owed:
            self._pay(input.subject)
        return self._give(self.records.get(input.subject), input, 0, 0)

    def merge(self, younger: int, older: int, at: Instant, cause: str, imported: bool = False) -> None:
        """The younger's state is emitted and goes over to the older; an imported merge starts nothing."""
        if self.ahead:
            self.ahead(younger)
            self.ahead(older)
        if self.owed:
            self._pay(younger)
            self._pay(older)
        if not self.records.has(younger):
            return
        instant = max(at, self.records.get(younger).record.now)
        self.wake(younger, instant)
        state = decode(encode(self.records.get(younger).record))
        self.give(MergedInto(younger, instant, older, cause))
        self.records.empty(younger)
        instant = max(instant, self.records.get(older).record.now)
        self.give(Handover(older, instant, younger, state, imported))

    def timers(self, subject: int, until: Instant) -> None:
        """Fires what is due for one subject up to `until`, at its own moments, and arms anew."""
        if self.records.gone(subject):
            return
        if self.ahead:
            self.ahead(subject)
        if self.owed:
            self._pay(subject)
        entry = self.records.get(subject)
        entry.armed = None
        self.records.change(subject, entry)
        self.wake(subject, until + 1)

    def wake(self, subject: int, before: Instant) -> None:
        """The timers of one subject due before a moment, each at its own."""
        entry = self.records.get(subject)
        while (due := entry.record.due) is not None and due < before:
            self.give(TimerDue(subject, due))
            entry = self.records.get(subject)
            if entry.record.due == due:
                entry.record = msgspec.structs.replace(entry.record, due=None)
                self.problem(due, 0, 0, "timer.stuck", f"subject {subject} asks for {due} again and again")

    def problem(self, at: Instant, row: int, member: int, reason: str, detail: str) -> None:
        """Something that could not be folded."""
        self.problems.append(Problem(at, row, member, reason, detail[:1_000]))

    def clear(self) -> None:
        """Begins a new tick."""
        self.events, self.told, self.problems = [], Told(), []
        self._given.clear()

    def _give(self, entry: Entry, input: Input, row: int, member: int) -> Sequence[Event]:
        """One step. Timers due before go as inputs of their own, here and in `timers` alike, so that the
        steps a customer's record takes are the same wherever ticks are cut."""
        due = entry.record.due
        if due is not None and due < input.instant and type(input) is not TimerDue:
            self.wake(input.subject, input.instant)
            entry = self.records.get(input.subject)
        plan = self.plan_of(input.subject)
        try:
            entry.record, facts = self._step(entry.record, input, plan)
        except Exception as error:  # one customer's broken state must not stop everybody's
            self._mend(input, row, member, error)
            return ()
        self._given.setdefault(input.subject, []).append(input)
        self.records.change(input.subject, entry)
        if facts:
            self.events += [*facts, *copies(facts)]
            told(self.told, facts)
            self._pass_on(entry.record, facts)
            if self.told.listed and self.listed:
                new, self.told.listed = self.told.listed, []
                self.listed(new)
        if plan.ordered and self.refold:
            self._in_order(entry, plan, input.instant)
        return facts

    def _pass_on(self, record: Record, facts: Sequence[Event]) -> None:
        """What a group has to say to its members."""
        if record.subject >= GROUPS and self.addressed:
            for fact in facts:
                if fact.name == FactName.MEMBERS_ADDRESSED:
                    self.addressed(fact, message_of(fact, record))

    def plan_of(self, subject: int) -> Plan:
        """What the subject's record rests on: a group's on what is defined for groups of its type."""
        return self.plan if subject < GROUPS else self.plan.of_group(self.records.get(subject).record.key)

    def _pay(self, subject: int) -> None:
        if pay := self.owed.get(subject >= GROUPS):
            pay(subject)

    def _in_order(self, entry: Entry, plan: Plan, at: Instant) -> None:
        """Folds anew what a very late event or a merge has left out of order."""
        kept, subject = entry.record.summaries, entry.record.subject
        stale = [key for key, leaf in plan.ordered.items() if leaf.stale(kept.get(key))]
        if stale and self.refold:
            self.give(Command(subject, at, "refold", {"summaries": self.refold(subject, stale)}))

    def _mend(self, input: Input, row: int, member: int, error: Exception) -> None:
        """A step failed, maybe half-way: the subject is folded anew without that input."""
        detail = f"subject {input.subject}, {type(input).__name__}: {type(error).__name__}: {error}"
        self.problem(input.instant, row, member, "step.failed", detail)
        entry = self.records.restore(input.subject)
        for before in self._given.get(input.subject, ()):
            entry.record, _ = self._step(entry.record, before, self.plan_of(input.subject))
            self.records.change(input.subject, entry)


def _at(home: int | None, event: Event) -> Event:
    """The event as it is written down: merges leave what an id brings where the id is at home."""
    if home is None or home == event.subject:
        return event
    return msgspec.structs.replace(event, subject=home)
