"""What the server's processes use of the machine, from /proc (Linux; elsewhere nothing is known)."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from hark.store.locks import ROLES


class Process(Struct, frozen=True):
    """One role's process."""

    pid: int
    resident_bytes: int
    cpu_s: float
    open_files: int
    threads: int


def processes(data: Path) -> dict[str, Process]:
    """By role; who is not there is left out."""
    found = {role: _process(data / "run" / f"{role}.lock", role) for role in ROLES}
    return {role: process for role, process in found.items() if process}


def _process(lock: Path, role: str) -> Process | None:
    """The lock names it; the number may be another's by now, so its command line is looked at."""
    try:
        pid = int(lock.read_text())
        home = Path("/proc") / str(pid)
        if role.encode() not in (home / "cmdline").read_bytes().split(b"\0"):
            return None
        # After the name in brackets; fields 14 and 15 are user and system time, 20 threads, 24 pages.
        fields = (home / "stat").read_text().rpartition(")")[2].split()
        ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        cpu_s = (int(fields[11]) + int(fields[12])) / ticks
        files = len(os.listdir(home / "fd"))  # noqa: PTH208 (only counted)
        return Process(pid, int(fields[21]) * page, cpu_s, files, int(fields[17]))
    except (OSError, ValueError, IndexError):
        return None
