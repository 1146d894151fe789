"""The real server, in processes of its own, on a clock that the demo moves."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from hark.app import server
from hark.collect.address import Address
from hark.errors import HarkError
from hark.loopback import Caller
from hark.store.locks import ROLES, holder
from hark.store.state import open_reader

PATIENCE_S = 120.0
PAUSE_S = 0.05
PR_SET_PDEATHSIG = 1
"""Linux: the signal a process gets when its parent ends, so that no server outlives its demo."""


class DemoServer:
    """`hark serve` with a shared clock; stopped at the end of the `with`."""

    def __init__(self, data: Path, port: int, clock: Path) -> None:
        self.data = data
        self.log = data / "serve.log"
        words = [sys.executable, "-m", "hark.demo.server", str(data), str(port), str(clock)]
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)

    def __enter__(self) -> Self:
        try:
            self.address = self._ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def said(self, words: str) -> str | None:
        """The first line with these words that the server has printed."""
        lines = self.log.read_text(errors="replace").splitlines()
        return next((line for line in lines if words in line), None)

    def runs(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line that the server has printed; "" if none."""
        return "".join(self.log.read_text(errors="replace").strip().splitlines()[-1:])

    def _ready(self) -> Address:
        """Waits until every role is there and collect answers."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.runs():
            found = server(self.data)
            if found and all(holder(self.data, role) for role in ROLES) and self._folds() and answers(found):
                return found
            time.sleep(PAUSE_S)
        raise HarkError("the server did not start", hint=self.last_words(), id="demo.server")

    def _folds(self) -> bool:
        """Whether the engine has made its state."""
        try:
            open_reader(self.data).cursors()
        except HarkError:
            return False
        return True


def answers(found: Address) -> bool:
    """Whether collect answers."""
    headers = {"Authorization": f"Bearer {found.token}"}
    try:
        with Caller(found.url, 5) as caller:
            return caller.ask("GET", "/control/status", headers=headers)[0] == 200
    except OSError:
        return False


def main() -> None:
    """`python -m hark.demo.server DATA PORT CLOCK`: a process without other threads, as supervising needs."""
    from hark.supervisor import supervise

    data, port, clock = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        supervise(Path(data), int(port), "127.0.0.1", Path(clock))
    except HarkError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
