"""What a process of Hark's own does not load although something in it would."""

from __future__ import annotations

import sys


class Without:
    """Makes a package absent to this process."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == self._package:
            raise ModuleNotFoundError(f"no process of hark loads {fullname}", name=fullname)


def without_pandas() -> None:
    """Where pandas is installed pyarrow loads it at the first array, unasked: half a second of each start and
    40 MB of each process, for conversions that neither roles nor commands make."""
    sys.meta_path.insert(0, Without("pandas"))
