"""`python -m bench [NAME ...]`: run the benchmarks one after the other and print what each found.

Every benchmark is a module of this folder that prints one JSON document. Figures mean something only as
ratios to the limit or rival measured in the same run, on an otherwise quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BY_NAME = {"demo"}
"""The demo over 100 seeds takes the better part of an hour: `python -m bench demo`."""


def names() -> list[str]:
    found = {path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_")}
    return sorted(found - BY_NAME)


def main(wanted: list[str]) -> int:
    failed = 0
    for name in wanted or names():
        print(f"\n{name}", file=sys.stderr)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
