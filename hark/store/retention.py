"""How long the log keeps what came in: files of it go whole, once the history has all that is in them."""

from __future__ import annotations

from pathlib import Path

from hark.errors import HarkError
from hark.model import DAY, HOUR, Instant
from hark.store.log import FILE_US, drop_old
from hark.store.state_reader import open_reader

EVERY_S = 600.0
"""Seconds between two looks for what is old."""
_SLACK_US = HOUR


def drop(data: Path, now: Instant, days: int) -> list[Path]:
    """Drops the files of `data`/log that are older than so many days; those dropped, oldest first."""
    state = open_reader(data)
    try:
        return drop_old(data / "log", state.settled(), now - days * DAY)
    except HarkError:  # no engine has run here yet, so nothing is settled
        return []
    finally:
        state.close()


def gone_by(at: Instant, days: int) -> Instant:
    """When a row that arrived at `at` has left the log for certain, if the server runs: its file takes rows
    for a day at most."""
    return at + days * DAY + FILE_US + _SLACK_US
