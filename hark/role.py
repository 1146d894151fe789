"""One process of the four: `python -m hark.role ROLE --data DIR ...`, started by the supervisor."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from hark.clock import open_clock
from hark.errors import HarkError
from hark.settings import read
from hark.store.locks import hold

STOP_ALL = 78
"""Exit code that means: starting me again will not help."""


def collect(given: argparse.Namespace) -> None:
    from hark.collect.serve import serve

    serve(given.data, given.host, given.port, open_clock(given.clock), read(given.data), given.fd)


def engine(given: argparse.Namespace) -> None:
    from hark.app import live_engine

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    live_engine(given.data, open_clock(given.clock), given.url).run(stop)


def console(given: argparse.Namespace) -> None:
    from hark.console import serve

    serve(given.data, open_clock(given.clock), read(given.data).base_url or given.url)


def questions(given: argparse.Namespace) -> None:
    from hark.questions.process import serve

    serve(given.data, open_clock(given.clock))


ROLES = {"collect": collect, "engine": engine, "console": console, "questions": questions}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hark.role")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--fd", type=int)
    return parser.parse_args()


def main() -> None:
    """Run the role under its lock; a mistake that a restart cannot mend ends with STOP_ALL."""
    given = arguments()
    try:
        with hold(given.data, given.role):
            ROLES[given.role](given)
    except HarkError as error:
        print(error, file=sys.stderr)
        sys.exit(STOP_ALL)


if __name__ == "__main__":
    main()
