"""What people see: a Django project behind a local socket, one process."""

from __future__ import annotations

from pathlib import Path

from hark.clock import Clock

__all__ = ["serve"]


def serve(data: Path, clock: Clock, url: str) -> None:
    """Answer on DIR/run/console.sock until SIGTERM; `url` is the public address (see `console.server`)."""
    from hark.console.server import serve as run

    run(data, clock, url)
