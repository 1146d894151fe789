"""Messages between the outbox and the provider: due, *sending*, outcome. All of it inputs of `step`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hark.decide.asked import REPORTS
from hark.engine.copies import Copies
from hark.engine.endings import Endings
from hark.engine.folder import Folder
from hark.engine.handoff import Deliver, Deliverers, Pace
from hark.engine.outbox import customer_id, exit_of, letter_content, turn_of
from hark.model import Instant, MessageDue, Outcome
from hark.store.changes import Id, Turn
from hark.store.contracts import OutboxRow
from hark.store.state import StateStore


class Messages:
    """Gives messages to `step` when they are due and to the deliverer once they are *sending* on disk."""

    def __init__(
        self,
        state: StateStore,
        folder: Folder,
        ids: Callable[[int], Sequence[Id]],
        deliver: Deliver | None,
        copies: Copies,
        whose: Callable[[OutboxRow], int],
        endings: Endings,
        threads: int,
    ) -> None:
        """`ids` gives all ids of a subject, `whose` the subject of a message, both as of this tick;
        `threads` call the provider."""
        self._copies, self._whose, self._endings = copies, whose, endings
        self._state, self._folder, self._ids = state, folder, ids
        self._deliverers = Deliverers(deliver, threads) if deliver else None
        self._pace = Pace()
        self._handed: list[OutboxRow] = []

    @property
    def in_flight(self) -> int:
        """Messages handed over whose outcome has not been taken yet."""
        return self._deliverers.in_flight if self._deliverers else 0

    def abandon(self, now: Instant) -> None:
        """At the start: what was *sending* may have left or not, as nobody knew until now."""
        for row in self._state.sending():
            lost = "the engine ended before the provider's answer came"
            self._outcome(Outcome(row.subject, max(row.updated_at, now), row.message, "unknown", lost))

    def outcomes(self, now: Instant) -> int:
        """Gives the outcomes that have come in; how many."""
        found = self._deliverers.outcomes() if self._deliverers else []
        for outcome in found:
            self._endings.heard(outcome)
            row = self._state.message(outcome.message)
            subject = self._whose(row) if row else outcome.subject
            at = max(outcome.instant, now)
            self._outcome(msgspec.structs.replace(outcome, subject=subject, instant=at))
        return len(found)

    def due(self, now: Instant, now_s: float, rate_per_s: float) -> int:
        """Asks `step` whether the messages that are due may go, as many as the provider takes soon."""
        if self._deliverers is None:
            return 0
        allowed = self._pace.allowed(now_s, rate_per_s, self._deliverers.in_flight)
        allowed = min(allowed, self._deliverers.room())
        rows = self._state.due(now, allowed) if allowed else []
        for row in rows:
            if not self._folder.records.gone(row.subject):
                self._due(row, now)
        self._pace.used(len(self._handed))
        return len(rows)

    def dispatch(self) -> None:
        """After the commit: what is *sending* goes to the threads."""
        handed, self._handed = self._handed, []
        for row in handed:
            assert self._deliverers is not None
            self._deliverers.put(row)

    def close(self) -> None:
        """Lets the threads finish."""
        if self._deliverers:
            self._deliverers.close()

    def _due(self, row: OutboxRow, now: Instant) -> None:
        if row.message in self._folder.told.turns:
            return
        subject = self._whose(row)
        at = max(now, self._folder.records.get(subject).record.now)
        copy = self._copies.of(row, self._folder.records.get(subject).record, at)
        self._folder.give(MessageDue(subject, at, row.message, copy, self._exit(row)))
        turn = self._folder.told.turns.get(row.message)
        if turn is None:
            self._set(Turn(row.message, "withheld", at, "nothing is known of it any more"))
        elif turn.state == "sending":
            record = self._folder.records.get(subject).record
            known_as = customer_id(record, self._ids(row.subject))
            content = letter_content(row, record, known_as, self._folder.plan_of(row.subject))
            self._copies.handed(row, record, at)
            sending = msgspec.structs.replace(
                row, subject=subject, state="sending", updated_at=at, content=content
            )
            self._handed.append(sending)

    def _exit(self, row: OutboxRow) -> str:
        """What of the run the customer does not know: it is their group's."""
        group = row.content.get("of_group")
        return exit_of(row, self._folder.records.get(group).record) if group else ""

    def _outcome(self, outcome: Outcome) -> None:
        at = max(outcome.instant, self._folder.records.get(outcome.subject).record.now)
        facts = self._folder.give(msgspec.structs.replace(outcome, instant=at))
        if turn_of(facts, outcome.message) is None and not self._reported(outcome.message):
            self._set(Turn(outcome.message, outcome.state, at, outcome.detail))

    def _reported(self, message: str) -> bool:
        """Whether the provider has reported what became of it before it answered: that says more."""
        known = self._folder.told.turns.get(message) or self._state.message(message)
        return known is not None and known.state in REPORTS

    def _set(self, turn: Turn) -> None:
        self._folder.told.turns[turn.message] = turn
