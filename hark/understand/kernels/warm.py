"""Compiles what questions will need before anybody asks one."""

from __future__ import annotations

from threading import Event

from hark.understand.kernels import funnel, instead, pace, paths, retention, rows, sequence, unordered
from hark.understand.kernels.compiled import Kernel


def warm(stop: Event) -> None:
    """Compile every kernel, or read it from disk, the most asked first; between two, look whether to stop."""
    for module in (rows, funnel, retention, instead, paths, pace, sequence, unordered):
        for kernel in vars(module).values():
            if isinstance(kernel, Kernel) and not stop.is_set():
                kernel.compile()
