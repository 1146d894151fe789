"""Static files: ours, htmx and plotly, from the packages that ship them."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import plotly
from django.conf import settings
from whitenoise import WhiteNoise

from hark.console.config import FOLDERS

YEAR_S = 365 * 24 * 3600


def with_files(application: Any, data: Path) -> Any:
    """The WSGI application with the static files before it; their address changes when they do."""
    made = WhiteNoise(application, max_age=YEAR_S, immutable_file_test=lambda *_: True)
    prefix = settings.STATIC_URL
    for name, folder in FOLDERS.items():
        made.add_files(str(_packed(data) if name == "plotly" else folder), prefix=f"{prefix}{name}/")
    return made


def _packed(data: Path) -> Path:
    """plotly's JavaScript with its gzip beside it (4.8 MB become 1.4), made once for each release."""
    folder = data / "run" / "static" / f"plotly-{plotly.__version__}"
    packed = folder / "plotly.min.js.gz"
    if not packed.exists():
        folder.mkdir(parents=True, exist_ok=True)
        source = FOLDERS["plotly"] / "plotly.min.js"
        shutil.copyfile(source, folder / "plotly.min.js")
        fresh = packed.with_suffix(".new")
        fresh.write_bytes(gzip.compress(source.read_bytes(), 6, mtime=0))
        fresh.replace(packed)
    return folder
