"""Where questions are answered: one data directory, and what is kept between them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import msgspec
from msgspec import Struct

from hark import settings
from hark.clock import Clock
from hark.errors import HarkError
from hark.history.reader import Resident, Snapshot, open_snapshot
from hark.history.watching import watching
from hark.model import JSON, MINUTE
from hark.questions.budget import Work, budget_of
from hark.questions.catalogue import Keeper
from hark.questions.events import EventsQuestion, events
from hark.questions.kinds import ReportsQuestion, read
from hark.store.state import StateReader, open_reader

ANSWERS = 256
ROW_BYTES = 32
"""Memory one event's key columns take while they are kept."""


class Desk:
    """One data directory's questions, with what is kept between them. Safe to use from several threads."""

    def __init__(self, data: Path, clock: Clock, writes: bool = False) -> None:
        """`writes`: this is the questions process, which keeps the catalogue's file."""
        self.data, self.clock = data, clock
        self.state: StateReader = open_reader(data)
        chosen = settings.read(data)
        self.zone, self.budget = chosen.zone, budget_of(chosen)
        self.resident = Resident()
        self.models: dict[tuple[str, ...], tuple[float, ...]] = {}
        """Of the day's estimates, the parameters found last: from there the next climb is shorter."""
        self.catalogue = Keeper(data, self.state, writes)
        self._answers: OrderedDict[bytes, JSON] = OrderedDict()
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The history as it stands now. Raises HarkError `question.large` if its columns would not fit."""
        found = open_snapshot(self.data, self.state, self.resident)
        rows = sum(file.rows for file in found.version.files)
        if rows * ROW_BYTES > self.budget.memory_bytes:
            most = f"{self.budget.memory_bytes / 1e9:.1f} GB"
            raise HarkError(
                f"the columns of {rows:,} events need more than the {most} of memory that questions may have",
                hint="ask on a larger machine, use `hark sql`, or raise question_memory_mb in hark.toml",
                id="question.large",
            )
        return found

    def read(self, question: JSON) -> None:
        """Raises HarkError `question.wrong` unless it is a question."""
        read(question, self.zone)

    def answer(self, question: JSON, work: Work | None = None) -> JSON:
        """The answer; from memory if nothing has happened since the same was asked, within a minute.

        Raises HarkError: it is wrong, or `work` (else a budget of its own) ends it.
        """
        token = watching.set(work or Work(self.budget))
        try:
            return self._answer(question)
        finally:
            watching.reset(token)

    def _answer(self, question: JSON) -> JSON:
        answer, asked = read(question, self.zone)
        if isinstance(asked, EventsQuestion):  # it keeps a fold of its own, however large the history is
            return events(self, asked)
        snapshot = self.snapshot()
        known = msgspec.msgpack.encode([question, self._stamp(asked, snapshot)])
        with self._lock:
            if known in self._answers:
                self._answers.move_to_end(known)
                return self._answers[known]
        found = answer(self, asked, snapshot)
        self._keep(known, found)
        return found

    def forget(self) -> None:
        """Give back what is kept between questions."""
        self.resident.forget()
        with self._lock:
            self._answers.clear()

    def _stamp(self, asked: Struct, snapshot: Snapshot) -> JSON:
        """What an answer rests on besides the question. The list of all reports may be a minute old."""
        versions = [(one.kind, one.name, one.version) for one in self.state.documents()]
        minute = self.clock.now() // MINUTE
        if isinstance(asked, ReportsQuestion):
            return [minute, versions]
        return [snapshot.version.number, snapshot.count(), minute, versions]

    def _keep(self, known: bytes, found: JSON) -> None:
        with self._lock:
            self._answers[known] = found
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)
