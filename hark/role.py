"""One process of the four: `python -m hark.role ROLE --data DIR ...`, started by the supervisor."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from hark.clock import open_clock
from hark.errors import HarkError
from hark.kernels import keep_kernels
from hark.settings import read
from hark.store.locks import hold, succeed
from hark.without import without_pandas

STOP_ALL = 78
"""Exit code that means: starting me again will not help."""

SUCCEED = "--succeed"
"""Says to a new process that it takes the role over from the one which has it."""


Run: TypeAlias = Callable[[], None]


def collect(given: argparse.Namespace) -> Run:
    from hark.collect.serve import serve

    clock, settings = open_clock(given.clock), read(given.data)
    return lambda: serve(given.data, given.host, given.port, clock, settings, given.fd)


def engine(given: argparse.Namespace) -> Run:
    import hark.engine.loop  # noqa: F401 (all of it, before the lock is asked for)
    from hark.app import live_engine

    clock = open_clock(given.clock)
    read(given.data)
    return lambda: live_engine(given.data, clock, given.url).run(_stopped())


def _stopped() -> threading.Event:
    """Set by SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def console(given: argparse.Namespace) -> Run:
    from hark.console import serve

    clock, settings = open_clock(given.clock), read(given.data)
    return lambda: serve(given.data, clock, settings.base_url or given.url)


def questions(given: argparse.Namespace) -> Run:
    from hark.questions.process import serve

    clock = open_clock(given.clock)
    return lambda: serve(given.data, clock)


ROLES: dict[str, Callable[[argparse.Namespace], Run]] = {
    "collect": collect,
    "engine": engine,
    "console": console,
    "questions": questions,
}
"""Each loads what it needs and gives what to run once its lock is held."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hark.role")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--fd", type=int)
    parser.add_argument(SUCCEED, action="store_true", help="take the role over from the process that has it")
    return parser.parse_args()


def prepared(given: argparse.Namespace) -> Run:
    """Everything loaded that the role needs, and nothing that only some of its answers do."""
    keep_kernels(given.data)
    without_pandas()
    return ROLES[given.role](given)


def main() -> None:
    """Run the role under its lock; a mistake that a restart cannot mend ends with STOP_ALL.

    A process that succeeds another loads everything first, so that the role is nobody's for as short as
    possible, and not at all if the new process can't start.
    """
    given = arguments()
    try:
        run = prepared(given)
        with (succeed if given.succeed else hold)(given.data, given.role):
            run()
    except HarkError as error:
        print(error, file=sys.stderr)
        sys.exit(STOP_ALL)


if __name__ == "__main__":
    main()
