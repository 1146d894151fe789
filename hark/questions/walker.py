"""A process that walks one part of a back-test: a job on standard input, what was found on standard output.

It runs at low priority, and for as long as its job takes: whoever asked may be gone by then.
"""

from __future__ import annotations

import gc
import os
import sys

import msgspec

from hark.questions.backtest import Job, walk_part

NICE = 5


def main() -> None:
    """One job. What a record holds is in no cycle, so that collecting garbage would only cost time."""
    gc.disable()
    os.nice(NICE)
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(walk_part(job)))


if __name__ == "__main__":
    main()
