"""A file into the log's bulk lane, no faster than the engine folds it.

What waits is bounded, so that an import of any size takes neither the disk nor the moment of a live event.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, field

from hark.app import Appender, Workspace
from hark.errors import HarkError
from hark.imports.chunks import Chunk, Format, Problem, chunks, digest
from hark.model import JSON, Lane
from hark.store.contracts import Reject

SOURCE = "import"
AHEAD = 32
"""Rows of the log that an import may be ahead of the engine."""
STUCK_S = 60.0
"""An engine that folds nothing of a lane for so long is not coming."""
_LOOK_S = 0.02


class Imported(Struct):
    """What became of a file's rows."""

    rows: int = 0
    imported: int = 0
    before: int = 0
    """Calls of chunks that an earlier import of the same file had brought."""
    suppressed: int = 0
    """Addresses for the suppression list."""
    problems: int = 0
    by_reason: dict[str, int] = field(default_factory=Counter)
    first_calls: list[JSON] = field(default_factory=list)
    first_problems: list[Problem] = field(default_factory=list)

    def count(self, chunk: Chunk, shown: int) -> None:
        """Take a chunk into account; the first `shown` calls and problems are kept."""
        self.rows += chunk.rows
        self.problems += len(chunk.problems)
        self.suppressed += len(chunk.suppressions)
        for one in chunk.problems:
            self.by_reason[_short(one)] = self.by_reason.get(_short(one), 0) + 1
        self.first_calls += chunk.calls[: shown - len(self.first_calls)]
        self.first_problems += chunk.problems[: shown - len(self.first_problems)]


def _short(problem: Problem) -> str:
    """What problems of one sort have in common: the message up to the value it complains of."""
    return problem.message.partition(": ")[0]


def tried(path: Path, format: Format, now: int, told: Callable[[float], None], shown: int = 5) -> Imported:
    """What an import would bring, without bringing it. Raises HarkError for a file it cannot read."""
    found = Imported()
    for chunk in chunks(path, format, digest(path, format), now):
        found.count(chunk, shown)
        found.imported += len(chunk.calls)
        told(chunk.share)
    return found


def imported(
    workspace: Workspace, path: Path, format: Format, told: Callable[[float], None], shown: int = 5
) -> tuple[Imported, int]:
    """Bring a file's events; what they became, and the last row of the log that holds any (0: none).

    A chunk is on disk before the next is read. The engine counts each chunk of a file once, so whatever ends
    this early, doing it again goes on where it stopped. Raises HarkError.
    """
    name, found, last = digest(path, format), Imported(), 0
    have = workspace.state().imported(name)
    waiting = _Waiting(workspace)
    with workspace.appending() as log:
        for chunk in chunks(path, format, name, workspace.clock.now()):
            found.count(chunk, shown)
            if chunk.number <= have:
                found.before += len(chunk.calls)
            else:
                waiting.room()
                last = _append(log, chunk, path.name, workspace.clock.now())
                waiting.added(last)
                found.imported += len(chunk.calls)
            told(chunk.share)
    return found, last


def _append(log: Appender, chunk: Chunk, file: str, now: int) -> int:
    rejects = [
        Reject(now, SOURCE, one.line, one.reason, f"{file}, line {one.line}: {one.message}", one.excerpt)
        for one in chunk.problems
    ]
    if chunk.suppressions:
        said = {"name": "suppress", "entries": chunk.suppressions, "author": f"import of {file}"}
        log.append(Lane.URGENT, "command", SOURCE, msgspec.json.encode(said))
    return log.append(Lane.BULK, "import", SOURCE, chunk.body(), rejects)


def folding(workspace: Workspace, last: int) -> Iterator[int]:
    """The bulk lane's cursor, again and again, until the engine has folded row `last`; then ends.

    HarkError `engine.slow` where the engine folds nothing for a minute; nothing is lost by that.
    """
    reader, stuck = workspace.state(), _Stuck()
    while (at := reader.cursors().get(Lane.BULK, 0)) < last:
        stuck.check(at)
        yield at
        time.sleep(_LOOK_S)
    yield at


class _Stuck:
    """Whether the engine still moves."""

    def __init__(self) -> None:
        self._at, self._since = -1, time.monotonic()

    def check(self, at: int) -> None:
        if at != self._at:
            self._at, self._since = at, time.monotonic()
        elif time.monotonic() - self._since > STUCK_S:
            message = f"the engine has folded nothing of the import for {STUCK_S:.0f} s"
            hint = "what was appended is kept; look at `hark check`, then import the file again to go on"
            raise HarkError(message, hint=hint, id="engine.slow")


class _Waiting:
    """The import's rows that a running server's engine has not folded yet."""

    def __init__(self, workspace: Workspace) -> None:
        self._reader = workspace.state() if workspace.server else None
        self._rows: deque[int] = deque()

    def added(self, row: int) -> None:
        if self._reader:
            self._rows.append(row)

    def room(self) -> None:
        """Returns once fewer than AHEAD rows wait."""
        stuck = _Stuck()
        while self._reader and len(self._rows) >= AHEAD:
            at = self._reader.cursors().get(Lane.BULK, 0)
            while self._rows and self._rows[0] <= at:
                self._rows.popleft()
            if len(self._rows) >= AHEAD:
                stuck.check(at)
                time.sleep(_LOOK_S)
