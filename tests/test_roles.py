"""What the processes of a server load when they start; four of them start with every server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LATER = {"pandas", "scipy.stats", "tea_tasting", "plotly", "duckdb"}
"""What some answers need, and no start."""


@pytest.mark.parametrize("role", ["collect", "engine", "questions"])
def test_a_role_starts_without_what_only_some_answers_need(role: str, tmp_path: Path) -> None:
    """Loading a role, and making an array as it will, loads none of the slow libraries."""
    program = (
        "import json, sys\nfrom hark.role import arguments, prepared\nprepared(arguments())\n"
        "import pyarrow\npyarrow.array([1])\nprint(json.dumps(sorted(sys.modules)))"
    )
    words = [sys.executable, "-c", program, role, "--data", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert f"hark.{role}" in loaded
    assert sorted(loaded & LATER) == []
