"""Compiled kernels are kept on disk, wherever Hark is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hark
from hark.kernels import CHOSEN, keep_kernels

FOLD = """
import sys
from pathlib import Path
from hark.kernels import keep_kernels
keep_kernels(Path(sys.argv[1]))
from hark.kernel import twice
assert twice(21) == 42
"""
KERNEL = """
from numba import njit
@njit(cache=True)
def twice(number):
    return 2 * number
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount the code read-only")
def test_a_read_only_install_keeps_kernels_in_the_data_directory(tmp_path: Path) -> None:
    """Where neither the code nor a home can be written to, kernels work and the next process finds them."""
    code, data = tmp_path / "code", tmp_path / "data"
    (code / "hark").mkdir(parents=True)
    for name in ("__init__.py", "kernels.py"):
        shutil.copy(Path(hark.__file__).parent / name, code / "hark" / name)
    (code / "hark" / "kernel.py").write_text(KERNEL)
    mount = ["unshare", "-m", "sh", "-c", 'mount --bind -o ro "$0" "$0" && exec "$@"', str(code)]
    if subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    environment = {"PYTHONPATH": str(code), "HOME": "/dev/null", "PATH": os.environ["PATH"]}
    command = [*mount, sys.executable, "-c", FOLD, str(data)]
    kept = []
    for _ in range(2):
        subprocess.run(command, env=environment, cwd=tmp_path, check=True)
        kept.append(sorted(path.name for path in (data / "run" / "kernels").rglob("*.nbc")))
    assert kept[0] and kept[1] == kept[0]


def test_a_place_that_somebody_chose_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's own setting is not overruled."""
    monkeypatch.setenv(CHOSEN, "/chosen")
    keep_kernels(tmp_path)
    assert os.environ[CHOSEN] == "/chosen"
