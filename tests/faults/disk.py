"""A disk that misbehaves on command: an SQLite file system between every role and the real one.

`python -m tests.faults.disk ROLE ...` is `hark.role` on it. The command lies in the file `fault` beside the
data directory: "FAULT NAME", for files whose path holds NAME. FAULT is `sync-fails` (EIO), `full` or `slow`
(an fsync takes 2 s).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from hark import role
from hark.supervisor import Place, role_commands, supervise

SLOW_S = 2.0
ROLES = ("collect", "engine")


class FaultyDisk(apsw.VFS):
    def __init__(self, command: Path) -> None:
        self._command = command
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:
        return FaultyFile(name, flags, self._command)


class FaultyFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: Any, command: Path) -> None:
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._command = command
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:
        fault = self._fault()
        if fault == "sync-fails":
            raise apsw.IOError("fsync failed")
        if fault == "slow":
            time.sleep(SLOW_S)
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._fault() == "full":
            raise apsw.FullError("no space left")
        super().xWrite(data, offset)

    def _fault(self) -> str:
        """What is to go wrong with this file now."""
        try:
            fault, _, name = self._command.read_text().partition(" ")
        except FileNotFoundError:
            return ""
        return fault if name in self._name else ""


@contextmanager
def fault(data: Path, kind: str, name: str) -> Iterator[None]:
    """The disk of the server on `data` has this fault, for files whose path holds `name`."""
    command = data.parent / "fault"
    temporary = data.parent / "fault.new"
    temporary.write_text(f"{kind} {name}")
    temporary.replace(command)
    try:
        yield
    finally:
        command.unlink()


def commands(place: Place) -> dict[str, list[str]]:
    """The command lines of the roles that write into SQLite on the way of an event, on the faulty disk."""
    lines = role_commands(place)
    return {name: [*lines[name][:2], "tests.faults.disk", *lines[name][3:]] for name in ROLES}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        supervise(Path(sys.argv[2]), int(sys.argv[3]), "127.0.0.1", None, commands)
    else:
        data = Path(sys.argv[sys.argv.index("--data") + 1])
        disk = FaultyDisk(data.parent / "fault")
        role.main()
