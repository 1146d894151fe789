"""Real data with published answers, which stands beside the checkout and is never committed."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(name: str) -> Path:
    """The file or folder `name` of ../shared/data; skips the test where that folder is missing."""
    path = ROOT.parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"needs the data folder ../shared/data ({name} is missing)")
    return path
