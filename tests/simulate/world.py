"""The engine itself in a world that a seed drives: its clock, its rows, its provider, its crashes.

Log and provider are in memory, the state is a real `state.db`; no process, no thread and no wall clock has a
say. After each commit the reference model hears what the engine took in, and must come to the same facts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol
from unittest.mock import patch

from hark.clock import SetClock
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Definition
from hark.engine import Engine
from hark.history import columns
from hark.model import GROUP_TRAITS, Event, Kind, Lane, Outcome, row_of
from hark.settings import Settings
from hark.store.changes import Changes
from hark.store.contracts import OutboxRow, Row
from hark.store.state import StateStore, open_reader
from tests.simulate import nouns
from tests.simulate.difference import DifferenceError, compare
from tests.simulate.model import Model
from tests.simulate.provider import Provider
from tests.simulate.script import Crash, Moment, Post, Script

_READ: dict[str, Definition] = {}
NEVER_US = 1 << 62


class CrashedError(Exception):
    """The engine is gone, here and now."""


class Plot(Protocol):
    """What happens in a world."""

    start: int

    def moments(self, days: int) -> Iterator[Moment]: ...


class MemoryLog:
    """The log as the engine reads it."""

    epoch = "simulated"

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def append(self, at: int, post: Post) -> None:
        body = json.dumps(post.body).encode()
        self.rows.append(Row(len(self.rows) + 1, post.lane, at, "shop", post.kind, body))

    def read(self, lane: Lane, after: int, limit: int) -> list[Row]:
        return [row for row in self.rows[after:] if row.lane == lane][:limit]

    def first_unread(self, lane: Lane, after: int) -> int | None:
        return next((row.received_at for row in self.rows[after:] if row.lane == lane), None)

    def end(self) -> int:
        return len(self.rows)

    def close(self) -> None:
        """There is no file."""


class World:
    """One seed's world in a directory of its own."""

    def __init__(self, seed: int, data: Path, script: Plot | None = None) -> None:
        self.seed, self.data = seed, data
        self.script = script or Script(seed)
        self.clock = SetClock(self.script.start)
        self.log, self.provider, self.model = MemoryLog(), Provider(seed), Model()
        self.cursors = dict.fromkeys(Lane, 0)
        self.told: list[Event] = []
        """All events and facts, as they were committed."""
        self.lived = 0
        """How many of them came before the crash with which a life ends."""
        self.changes: Changes | None = None
        """What the last tick committed, and the events and facts in it."""
        self.events: list[Event] = []
        self.crash: Crash | None = None
        self.time = 0
        self.crashes = 0

    def live(self, days: int) -> None:
        """Lives so many days. Raises DifferenceError at the first fact that engine and model differ about."""
        with self._simulated():
            self._start()
            for moment in self.script.moments(days):
                self._moment(moment)
            self.lived = len(self.told)
            self._crash_now()
            self._compare_disk()
            self.engine.abort()

    @contextmanager
    def _simulated(self) -> Iterator[None]:
        write, world = StateStore.commit, self

        def commit(store: StateStore, changes: Changes) -> None:
            when = world._when()
            if when == "before":
                raise CrashedError
            write(store, changes)
            world.changes = changes
            world.events = columns.decode(changes.chunk.data) if changes.chunk else []
            if when == "after":
                raise CrashedError

        def read(document: Document, zone: str = "UTC") -> Definition:
            """Reading a document again gives the same, and takes longer than anything else here."""
            key = json.dumps([document.kind, document.name, document.body])
            if key not in _READ:
                _READ[key] = definition(document, zone)
            return _READ[key]

        with ExitStack() as stack:
            stack.enter_context(patch("hark.decide.plan.definition", read))
            stack.enter_context(patch("hark.engine.definitions.definition", read))
            stack.enter_context(patch("hark.engine.parts.LogReader", lambda _: self.log))
            stack.enter_context(patch("hark.engine.messages.Deliverers", lambda *_: self.provider))
            stack.enter_context(patch("hark.engine.fence.SILENCE_US", NEVER_US))
            stack.enter_context(patch.object(StateStore, "commit", commit))
            yield

    def _when(self) -> str:
        """Whether the engine ends at this commit, and on which side of it."""
        if self.crash is None:
            return ""
        self.crash = self.crash._replace(commit=self.crash.commit - 1)
        if self.crash.commit or self.crash.when == "gone":
            return ""
        when, self.crash = self.crash.when, None
        return when

    def _start(self) -> None:
        """An engine over the directory; one that ends while it starts is started again."""
        while True:
            self.changes = None
            settings = Settings(seal_age_s=1e12)
            try:
                self.engine = Engine(self.data, self.clock, _never, settings)
            except CrashedError:
                self._after_start()
                continue
            self._after_start()
            return

    def _after_start(self) -> None:
        if self.changes is not None:
            self.time = self.changes.engine_time or self.time
            self._compare(self.model.restart(self.time))

    def _crash_now(self) -> None:
        self.crashes += 1
        self.engine.abort()
        self.provider.cut()
        self._start()

    def _moment(self, moment: Moment) -> None:
        self.clock.at = moment.at
        for post in moment.rows:
            self.log.append(moment.at, post)
        for body in self.provider.due(moment.at):
            self.log.append(moment.at, Post(Lane.URGENT, "receipt", body))
        self.crash = moment.crash
        for _ in range(200):
            if not self._tick(moment.budget):
                break
        else:
            raise DifferenceError(self, "the engine does not come to rest")

    def _tick(self, budget: int) -> bool:
        """One tick and what the model says of it; after a crash another engine goes on."""
        self.changes, crashed, worked = None, False, True
        self.provider.answered.clear()
        try:
            worked = self.engine.tick(budget)
        except CrashedError:
            crashed = True
        if not crashed or self.changes is not None:
            self._hear()
        if crashed or (self.crash and not self.crash.commit):
            self.crash = None
            self._crash_now()
            return True
        return worked

    def _hear(self) -> None:
        """Tells the model what this tick took in, and compares."""
        rows = self._taken()
        unread = self.log.first_unread(Lane.LIVE, self.cursors[Lane.LIVE])
        until = self.clock.at if unread is None else min(self.clock.at, unread - 1)
        self.time = max(self.time, until)
        if self.engine._time != self.time:
            raise DifferenceError(self, f"the engine's time is {self.engine._time}, not {self.time}")
        try:
            expected = self.model.tick(rows, self.provider.answered, self.time)
        except IndexError:
            raise DifferenceError(self, "the engine left out an event which counts") from None
        self._compare(expected)
        if any(row.instants for row in rows):
            raise DifferenceError(self, "the engine folded an event which does not count")

    def _taken(self) -> list[nouns.Row]:
        """The rows that the committed tick took in, with the moments at which it folded their events."""
        if self.changes is None:
            return []
        before = dict(self.cursors)
        self.cursors.update(self.changes.cursors)
        instants = defaultdict(list)
        for event in self.events:
            if event.kind != Kind.FACT and event.name != GROUP_TRAITS:
                instants[row_of(event.seq)].append(event.instant)
        return [
            nouns.Row(row.seq, row.received_at, row.kind, json.loads(row.body), instants[row.seq])
            for lane in Lane
            for row in self.log.rows[before[lane] : self.cursors[lane]]
            if row.lane == lane
        ]

    def _compare(self, expected: list[nouns.Fact]) -> None:
        events = self.events if self.changes else []
        self.told += events
        if self.changes and self.changes.problems:
            raise DifferenceError(self, f"the engine has a problem: {self.changes.problems[0]}")
        compare(self, expected, [one for one in events if one.kind == Kind.FACT])

    def _compare_disk(self) -> None:
        """What stands on the disk is what was told, once each; and what became of each message."""
        with closing(open_reader(self.data)) as reader:
            kept = [event for chunk in reader.recent(0) for event in columns.decode(chunk)]
            outbox = {row.message: row.state for row in reader.outbox(limit=100_000)}
        if kept != self.told:
            raise DifferenceError(self, "the disk holds other events than were committed")
        states = {one.message: one.final for one in self.model.written}
        for message, state in outbox.items():
            if states.get(message) != state:
                raise DifferenceError(self, f"message {message} is {state}, not {states.get(message)}")


def _never(row: OutboxRow) -> Outcome:
    """In place of the deliverer, which no thread calls."""
    raise AssertionError(row)
