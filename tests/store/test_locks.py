"""One process for each role on a data directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hark.errors import HarkError
from hark.store.locks import ROLES, claim, hold, holder, refuse_in_use

HOLDER = """
import sys, time
from pathlib import Path
from hark.store.locks import hold
lock = hold(Path(sys.argv[1]), "engine")
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_held_once(tmp_path: Path, role: str) -> None:
    """A second holder is told who holds it, with a hint; after the first lets go it may."""
    with hold(tmp_path, role):
        assert holder(tmp_path, role) == os.getpid()
        with pytest.raises(HarkError) as error:
            hold(tmp_path, role)
        assert error.value.id == "data.in-use"
        assert f"process {os.getpid()} is its {role}" in error.value.message
        with pytest.raises(HarkError):
            refuse_in_use(tmp_path)
    assert holder(tmp_path, role) is None
    hold(tmp_path, role).release()


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """kill -9 frees a role at once; nothing has to be cleaned up."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    assert holder(tmp_path, "engine") == process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert holder(tmp_path, "engine") is None
    hold(tmp_path, "engine").release()


def test_roles_don_t_exclude_each_other(tmp_path: Path) -> None:
    """One process may be the engine while another collects."""
    with hold(tmp_path, "collect"), hold(tmp_path, "engine"):
        assert holder(tmp_path, "console") is None


def test_a_foreign_directory_is_refused(tmp_path: Path) -> None:
    """A directory with somebody else's files, and a file, are refused; nothing is put there."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "note.txt").touch()
    for path in (tmp_path, tmp_path / "note.txt"):
        with pytest.raises(HarkError) as error:
            claim(path)
        assert error.value.id == "data.foreign"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("names", [[], ["serve.out"], ["hark.toml", "notes"], ["state.db"]])
def test_a_new_or_own_directory_is_claimed(tmp_path: Path, names: list[str]) -> None:
    """An empty directory, one with redirected output only, and one with our files are ours."""
    for name in names:
        (tmp_path / name).touch()
    claim(tmp_path)
    claim(tmp_path / "new" / "deeper")
    assert (tmp_path / "run").is_dir()
