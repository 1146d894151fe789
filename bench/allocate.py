"""Learning allocation over many runs: `python -m bench.allocate [--runs 1000]`.

50,000 customers over 120 days in batches of five, outcomes known after three batches. Prints the regret
against equal shares (arms of 3 % and 4 %; at most 60 %), how often two equal arms are called different while
the base rate drifts from 3 to 6 % (at most 6 %), and the inverse-propensity estimate of an arm of 4 % with
its standard error.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from hark.learn.allocate import within_batches
from tests.learn.test_allocate import BATCHES, SIZE, learned

REGRET, FALSE = 0.6, 0.06


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=1000)
    runs = options.parse_args(arguments).runs
    chance = np.random.default_rng(20261127)
    unlike = [learned((0.03, 0.04), chance) for _ in range(runs)]
    alike = [within_batches(learned((0.03, 0.03), chance, drift=2.0)[1]) for _ in range(runs)]
    people = BATCHES * SIZE
    values = [sum(goals / share for share, _, goals in kept) / people for _, _, kept in unlike]
    found = {
        "runs": runs,
        "regret": float(np.mean([worse for worse, _, _ in unlike])) / (people / 2),
        "called_different": sum(one is not None and one.excludes_zero for one in alike) / runs,
        "inverse_propensity": float(np.mean(values)),
        "standard_error": float(np.std(values) / runs**0.5),
    }
    print(json.dumps(found | {"limits": {"regret": REGRET, "called_different": FALSE}}))
    return int(found["regret"] > REGRET or found["called_different"] > FALSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
