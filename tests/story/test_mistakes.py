"""What goes wrong answers in one line with a hint, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hark.app import Workspace
from tests.cast import Server, eventually, hark, hark_process, serving
from tests.data import ROOT

SEGMENT = """
segment: buyers
where: {did: {event: Order Completed, times: {gte: 2}}}
"""


def one_line(error: str, *says: str) -> None:
    """The error is one line, `hark: ... (hint) [id]`, and says what it should."""
    assert len(error.splitlines()) == 1, error
    assert error.startswith("hark: ")
    assert "(" in error
    assert error.rstrip().endswith("]")
    for word in says:
        assert word in error


def count(data: Path) -> int:
    """Events in the history now."""
    Workspace(data).settle()
    return sum(1 for _ in Workspace(data).snapshot().events())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("segment: lapsed\nwhere: {did: [", "lapsed.yaml:"),
        ("segment: lapsed\nwhere: {did: {event: A, tmes: {gte: 2}}}", "times"),
        ("segment: lapsed\nwher: {did: A}", "where"),
        ("template: hello\nchannel: whatsapp\ntext: Hello", "not yet"),
    ],
)
def test_a_wrong_definition_is_refused_whole(tmp_path: Path, wrong: str, says: str) -> None:
    """Each problem is one line with file, line and hint; nothing is applied, not even of the right file."""
    data = tmp_path / "data"
    (tmp_path / "buyers.yaml").write_text(SEGMENT)
    (tmp_path / "lapsed.yaml").write_text(wrong)
    error = hark(data, "apply", str(tmp_path / "buyers.yaml"), str(tmp_path / "lapsed.yaml"), fails=True)
    assert error.startswith("hark: ")
    assert error.endswith("[definitions.refused]")
    assert all(f"{tmp_path / 'lapsed.yaml'}:" in line for line in error.splitlines())
    assert says in error
    Workspace(data).settle()
    assert Workspace(data).state().documents() == []


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    """A second server on the same directory names the first one's process and leaves it alone."""
    with serving(tmp_path) as server:
        assert server.process
        error = hark_process(tmp_path, "serve", "--port", str(Server(tmp_path).port), fails=True)
        one_line(error, str(tmp_path))
        assert server.answers()


def test_a_log_of_another_epoch_is_refused(tmp_path: Path) -> None:
    """State of one log with another log beside it: the engine refuses, and the right log works again."""
    for name in ("one", "other"):
        data = tmp_path / name
        (tmp_path / "buyers.yaml").write_text(SEGMENT)
        hark(data, "apply", str(tmp_path / "buyers.yaml"))
    shutil.move(tmp_path / "one" / "log", tmp_path / "kept")
    shutil.copytree(tmp_path / "other" / "log", tmp_path / "one" / "log")
    one_line(hark(tmp_path / "one", "funnel", "A", "B", fails=True), "log")
    shutil.rmtree(tmp_path / "one" / "log")
    shutil.move(tmp_path / "kept", tmp_path / "one" / "log")
    assert hark(tmp_path / "one", "segment", "buyers")["count"] == 0


def test_a_server_with_another_log_stops_with_that_error(tmp_path: Path) -> None:
    """`hark serve` does not go on restarting an engine that cannot start: it stops and says why."""
    for name in ("one", "other"):
        (tmp_path / "buyers.yaml").write_text(SEGMENT)
        with serving(tmp_path / name):
            hark(tmp_path / name, "apply", str(tmp_path / "buyers.yaml"))
    shutil.rmtree(tmp_path / "one" / "log")
    shutil.copytree(tmp_path / "other" / "log", tmp_path / "one" / "log")
    error = hark_process(tmp_path / "one", "serve", "--port", str(Server(tmp_path).port), fails=True)
    assert "log" in error
    assert "[epoch" in error


def test_a_wrong_python_is_named(tmp_path: Path) -> None:
    """Make with a Python that is too old says which is needed and how to name another."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = -V ] && echo 'Python 3.9.2' && exit 0\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "-s", "test", f"PYTHON={old}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "Python 3.9.2" in done.stderr
    assert "Hark needs Python 3.11 or newer" in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "hark-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a small tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing_acknowledged(small_disk: Path) -> None:
    """On a full disk clients are told 503; what had a 200 is in the history once there is room again."""
    data = small_disk / "data"
    data.mkdir()
    (data / "hark.toml").write_text("min_free_mb = 0\n")
    accepted = 0
    with serving(data) as server:
        key = hark(data, "source", "add", "shop")["write_key"]
        filler = small_disk / "filler"
        filler.write_bytes(b"")
        event = {"type": "track", "userId": "u", "event": "A", "properties": {"text": "x" * 20_000}}
        for number in range(3000):
            answer = server.post("/v1/batch", {"batch": [event | {"messageId": f"m{number}"}] * 1}, key)
            assert answer.status_code in (200, 503), answer.text
            accepted += answer.status_code == 200
            if answer.status_code == 503:
                assert answer.headers["Retry-After"]
                break
        else:
            pytest.fail("the disk never became full")
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    assert eventually(lambda: count(data) == accepted)
