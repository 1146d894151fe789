"""Where compiled kernels are kept between processes: beside the code, as the compiler does by itself; or in
DIR/run/kernels, where the code cannot be written to (a read-only image, another user's install).

Without a place the compiler refuses to start, and with a new one at each start every first question would
wait for seconds.
"""

from __future__ import annotations

import os
from pathlib import Path

import hark

CHOSEN = "NUMBA_CACHE_DIR"
"""The compiler's own setting; it is read when the compiler is loaded."""


def keep_kernels(data: Path) -> None:
    """Says where, to this process and those it starts; a place that somebody chose already stands."""
    code = Path(hark.__file__).parent
    if CHOSEN not in os.environ and not os.access(code, os.W_OK):
        os.environ[CHOSEN] = str(data.absolute() / "run" / "kernels")
