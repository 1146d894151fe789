"""The demo over many fixed seeds: `python -m bench.demo [FILE] [SEEDS] [CUSTOMERS]`.

Each seed's result is appended to FILE (JSONL) as soon as it is there, and seeds that are there already are
not run again, so an interrupted bench goes on where it was. Prints how many intervals contain the truth and
exclude 0, and how wide they are. Limits: 90 to 99 of 100 contain it, 80 exclude 0, half-width 0.03.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import msgspec
from msgspec import Struct

from hark.demo.run import DemoResult, demo
from hark.demo.shop import CUSTOMERS

SEEDS = 100
FILE = Path("demo-seeds.jsonl")
CONTAIN_AT_LEAST, CONTAIN_AT_MOST = 0.90, 0.99
EXCLUDE_AT_LEAST = 0.80
HALF_WIDTH_AT_MOST = 0.03


class Row(Struct, frozen=True):
    """One seed's result."""

    seed: int
    customers: int
    estimate: float
    low: float
    high: float
    planted: float
    entered: int
    complete: int
    seconds: float


class Summary(Struct, frozen=True):
    """All seeds together; the first three are counts."""

    seeds: int
    contain_the_truth: int
    exclude_zero: int
    half_width_mean: float
    half_width_largest: float
    error_mean: float
    planted_mean: float
    all_who_should_entered: bool
    seconds_mean: float
    seconds_largest: float

    @property
    def kept(self) -> bool:
        """Whether the limits hold."""
        contain, exclude = self.contain_the_truth / self.seeds, self.exclude_zero / self.seeds
        within = CONTAIN_AT_LEAST <= contain <= CONTAIN_AT_MOST and exclude >= EXCLUDE_AT_LEAST
        return within and self.half_width_largest <= HALF_WIDTH_AT_MOST and self.all_who_should_entered


def row(found: DemoResult) -> Row:
    lift = found.lift
    complete = sum(one.complete for one in found.arms)
    return Row(
        found.seed, found.customers, lift.estimate, lift.low, lift.high, found.planted,
        found.truth.entered, complete, found.seconds,
    )  # fmt: skip


def summary(rows: Sequence[Row]) -> Summary:
    half = [(one.high - one.low) / 2 for one in rows]
    return Summary(
        seeds=len(rows),
        contain_the_truth=sum(one.low <= one.planted <= one.high for one in rows),
        exclude_zero=sum(one.low > 0 or one.high < 0 for one in rows),
        half_width_mean=round(mean(half), 4),
        half_width_largest=round(max(half), 4),
        error_mean=round(mean(one.estimate - one.planted for one in rows), 4),
        planted_mean=round(mean(one.planted for one in rows), 4),
        all_who_should_entered=all(one.entered == one.complete for one in rows),
        seconds_mean=round(mean(one.seconds for one in rows), 1),
        seconds_largest=round(max(one.seconds for one in rows), 1),
    )


def rows_in(file: Path) -> list[Row]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [msgspec.json.decode(line, type=Row) for line in lines]


def run(file: Path, seeds: int, customers: int) -> list[Row]:
    """The rows of seeds 1 to `seeds`, those missing in the file run now."""
    have = {one.seed for one in rows_in(file) if one.customers == customers}
    for seed in sorted(set(range(1, seeds + 1)) - have):
        found = row(demo(None, customers=customers, seed=seed, once=True, quiet=True))
        with file.open("a") as out:
            out.write(msgspec.json.encode(found).decode() + "\n")
        print(f"seed {seed}: {found.estimate:+.4f} for {found.planted:+.4f}", file=sys.stderr)
    return [one for one in rows_in(file) if one.customers == customers and one.seed <= seeds]


def main(words: Sequence[str]) -> int:
    file = Path(words[0]) if words else FILE
    seeds = int(words[1]) if len(words) > 1 else SEEDS
    customers = int(words[2]) if len(words) > 2 else CUSTOMERS
    found = summary(run(file, seeds, customers))
    print(json.dumps(msgspec.to_builtins(found) | {"kept": found.kept}, indent=1))
    return 0 if found.kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
