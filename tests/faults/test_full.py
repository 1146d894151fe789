"""A file system that is really full under every file that Hark writes: a small tmpfs, where it can be had."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hark.app import Workspace
from hark.model import Kind
from tests.cast import ROLES, Server, eventually, hark

SETTINGS = "min_free_mb = 0\nseal_events = 100\nseal_age_s = 0.5\ncompact_files = 2\nlog_file_mb = 1\n"
SIZE_MB = 96
CALL = {"type": "track", "event": "Seen"}


@pytest.fixture(scope="module")
def mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("small")
    tool = shutil.which("mount")
    command = [str(tool), "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "none", str(place)]
    if not tool or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can't be mounted here (needs root)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def filled(mount: Path) -> Iterator[None]:
    """Not a byte is free."""
    ballast = mount / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 65_536):
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


class Shop:
    """A server on the small disk, and the calls that it acknowledged."""

    def __init__(self, mount: Path) -> None:
        data = mount / "data"
        data.mkdir()
        (data / "hark.toml").write_text(SETTINGS)
        self.server = Server(data).start()
        self.key = hark(data, "source", "add", "shop")["write_key"]
        self.acknowledged: set[str] = set()
        self._batches = 0

    def post(self) -> httpx.Response:
        """Fifty calls, whose ids are remembered if they were acknowledged."""
        self._batches += 1
        ids = [f"m{self._batches}-{number}" for number in range(50)]
        noise = os.urandom(100).hex()
        calls = [{**CALL, "userId": f"c{one}", "messageId": one, "properties": {"a": noise}} for one in ids]
        answer = self.server.post("/v1/batch", {"batch": calls}, self.key)
        if answer.status_code == 200:
            self.acknowledged |= set(ids)
        return answer

    def ready(self) -> httpx.Response:
        return httpx.get(self.server.url + "/health/ready", timeout=20, trust_env=False, verify=False)

    def reasons(self) -> set[str]:
        return {red["reason"] for red in self.ready().json()["reasons"]}

    def pids(self) -> dict[str, int | None]:
        return {role: self.server.pid(role) for role in ROLES}

    def history(self) -> list[str]:
        events = Workspace(self.server.data).snapshot().events(facts=True)
        return [event.message_id for event in events if event.kind == Kind.TRACK]


@pytest.fixture(scope="module")
def shop(mount: Path) -> Iterator[Shop]:
    running = Shop(mount)
    yield running
    running.server.stop()


@pytest.mark.torture
def test_everything_on_a_full_disk(shop: Shop, mount: Path) -> None:
    """503 for calls, a named reason, an error for commands, pages that stand; once there is room all goes on
    by itself, collect and console in the same processes, and no call is lost or doubled."""
    for _ in range(10):
        assert shop.post().status_code == 200
    before = shop.pids()
    data = shop.server.data
    sources = (data / "log" / "sources.json").read_bytes()
    with filled(mount):
        full_at = time.monotonic()
        while time.monotonic() - full_at < 3:  # long enough for ticks, seals and checkpoints to come by
            answer = shop.post()
            assert answer.status_code in (200, 503)
        assert answer.status_code == 503 and answer.json()["code"] == "disk_full"
        assert int(answer.headers["retry-after"]) > 0
        eventually(lambda: "disk_low" in shop.reasons(), what="it is red")
        said = hark(data, "source", "add", "other", fails=True)
        assert "disk_full" in said or "free some space" in said
        assert (data / "log" / "sources.json").read_bytes() == sources
        page = httpx.get(
            shop.server.url + "/", timeout=20, trust_env=False, verify=False, follow_redirects=True
        )
        assert page.status_code == 200
    eventually(lambda: shop.post().status_code == 200, what="calls are taken again")
    eventually(lambda: shop.ready().status_code == 200, what="it is green again")
    after = shop.pids()
    assert (after["collect"], after["console"]) == (before["collect"], before["console"])
    eventually(lambda: shop.acknowledged <= set(shop.history()), what="all is in the history")
    assert len(shop.history()) == len(set(shop.history()))
    assert hark(data, "source", "add", "other")["source"] == "other"
    with sqlite3.connect(data / "config.db") as config:
        assert config.execute("PRAGMA integrity_check").fetchone() == ("ok",)
