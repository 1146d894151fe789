"""Simulate: `python -m tests.simulate [--seed N] [--days D] [--worlds K]`.

K worlds of D days each, from seed N on; the same seed lives the same days again. Prints a line for each
world, or the first difference with what led to it; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.simulate.difference import DifferenceError
from tests.simulate.world import World


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate")
    parser.add_argument("--seed", type=int, default=1, help="the first world's")
    parser.add_argument("--days", type=int, default=50, help="of each world")
    parser.add_argument("--worlds", type=int, default=1)
    given = parser.parse_args()
    began, failed = time.process_time(), 0
    for seed in range(given.seed, given.seed + given.worlds):
        failed += not simulated(seed, given.days)
    days = given.days * given.worlds
    print(f"{days} days, {failed} of {given.worlds} worlds differ, {time.process_time() - began:.1f} s")
    return 1 if failed else 0


def simulated(seed: int, days: int) -> bool:
    """Whether engine and model agreed on this world's every fact."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as data:
        world = World(seed, Path(data))
        try:
            world.live(days)
        except DifferenceError as difference:
            print(difference, flush=True)
            return False
        print(
            f"seed {seed}: {days} days, {len(world.told)} events and facts, {world.crashes} crashes",
            flush=True,
        )
        return True


if __name__ == "__main__":
    sys.exit(main())
