"""`hark check`: is what is on disk whole, and does it fit together?"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from msgspec import Struct
from pyarrow import compute

from hark.app import Workspace
from hark.collect.readiness import lag_s, reds
from hark.definitions.parse import definition, read
from hark.errors import HarkError
from hark.model import Lane
from hark.store.log import LogReader
from hark.store.standing import Observer


class Finding(Struct, frozen=True):
    """One thing that was looked at, whether it is well, and what was found."""

    ok: bool
    name: str
    found: str


def check(workspace: Workspace) -> list[Finding]:
    """Looks at every part of the data directory; a part that breaks is a finding, not an end."""
    return [_looked(name, look, workspace) for name, look in LOOKS.items()]


def check_files(files: list[Path]) -> list[Finding]:
    """Whether definition files would be accepted, each by itself."""
    return list(_each_file(files))


def _each_file(files: list[Path]) -> Iterator[Finding]:
    for file in files:
        try:
            found = read([(str(file), file.read_text(encoding="utf-8"))])
        except (HarkError, OSError, UnicodeDecodeError) as error:
            yield Finding(False, str(file), str(error))
        else:
            yield Finding(True, str(file), ", ".join(f"{one.kind} {one.name}" for one in found))


def _looked(name: str, look: Callable[[Workspace], str], workspace: Workspace) -> Finding:
    try:
        return Finding(True, name, look(workspace))
    except (HarkError, OSError, pa.ArrowException) as error:
        return Finding(False, name, str(error))


def _server(workspace: Workspace) -> str:
    found = workspace.server
    return f"runs at {found.url}, process {found.pid}" if found else "none runs"


def _disk(workspace: Workspace) -> str:
    free = shutil.disk_usage(workspace.data).free // 1_000_000
    if free < workspace.settings.min_free_mb:
        hint = f"nothing is accepted under {workspace.settings.min_free_mb} MB (min_free_mb)"
        raise HarkError(f"{free:,} MB free", hint=hint, id="disk.full")
    return f"{free:,} MB free"


def _log(workspace: Workspace) -> str:
    log = LogReader(workspace.data / "log")
    state = workspace.state()
    if state.epoch() != log.epoch:
        message = f"the state belongs to log {state.epoch()}, but the log here is {log.epoch}"
        raise HarkError(message, hint="restore log/ and state.db from one backup", id="epoch.differs")
    unread = {lane: log.ends()[lane] - state.cursors().get(lane, 0) for lane in Lane}
    waits = ", ".join(f"{lane.name.lower()} {rows:,}" for lane, rows in unread.items() if rows > 0)
    return f"{log.end():,} rows; rows that the engine has not read: {waits or 'none'}"


def _ready(workspace: Workspace) -> str:
    """The same reasons as /health/ready gives."""
    if not workspace.server:
        return "no server runs"
    with closing(Observer(workspace.data)) as observer:
        standing = observer.look()
    watched_s = math.inf if standing.vitals else 0.0
    found = reds(standing, workspace.settings, workspace.clock.now(), watched_s)
    if found:
        message = "; ".join(f"{red.reason}: {red.message}" for red in found)
        raise HarkError(message, hint="docs/operations.md says what to do", id="server.red")
    return f"ready, {lag_s(standing, workspace.clock.now()):.1f} s behind"


def _problems(workspace: Workspace) -> str:
    found = workspace.state().problems(1)
    if found:
        last = found[0]
        hint = "the row is kept in the log; everything after it was read"
        raise HarkError(f"row {last.row} could not be folded: {last.reason}", hint=hint, id="engine.problem")
    return "every row of the log could be read"


def _history(workspace: Workspace) -> str:
    rows = workspace.snapshot().table(None, ["subject", "seq"])
    pairs = rows.group_by(["subject", "seq"]).aggregate([([], "count_all")])
    doubled = compute.sum(compute.greater(pairs["count_all"], 1)).as_py() or 0
    if doubled:
        hint = "please report this; `hark check` of a copy made before helps to find when"
        raise HarkError(f"{doubled:,} events stand in it twice", hint=hint, id="history.doubled")
    return f"{rows.num_rows:,} events, none doubled"


def _definitions(workspace: Workspace) -> str:
    documents = workspace.state().documents()
    for document in documents:
        definition(document)
    return f"{len(documents)} in force"


def _outbox(workspace: Workspace) -> str:
    counts = workspace.state().outbox_counts()
    return ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "no messages"


LOOKS: dict[str, Callable[[Workspace], str]] = {
    "server": _server,
    "ready": _ready,
    "disk": _disk,
    "log and state": _log,
    "rows read": _problems,
    "history": _history,
    "definitions": _definitions,
    "outbox": _outbox,
}
