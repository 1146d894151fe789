"""Putting a folder in the place of another so that a crash leaves one of the two, whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from hark.store.log_files import sync_directory


def swap(folder: Path, fresh: Path) -> None:
    """`fresh`, whose files are on disk, becomes `folder`; what was there is deleted.

    Between the two renames only `finish` can tell: whoever opens the folder for writing calls it first.
    """
    ready, old = _ready(folder), folder.with_name(f"{folder.name}.before")
    fresh.rename(ready)
    sync_directory(folder.parent)
    if folder.exists():
        folder.rename(old)
    ready.rename(folder)
    sync_directory(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def finish(folder: Path) -> None:
    """Ends a swap that a crash interrupted: with the new folder if the old one was moved away already."""
    ready = _ready(folder)
    if ready.exists() and not folder.exists():
        ready.rename(folder)
        sync_directory(folder.parent)
    for left in (ready, folder.with_name(f"{folder.name}.before")):
        if folder.exists():
            shutil.rmtree(left, ignore_errors=True)


def _ready(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.ready")
