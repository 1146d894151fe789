"""A whole server on a disk that fails: the answers of the contract, nothing lost, and recovery."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hark.app import Workspace
from hark.model import Kind
from hark.store.log_files import numbers
from tests.cast import Server, all_read, eventually, hark
from tests.faults.disk import ROLES, SLOW_S, fault

SETTINGS = "seal_events = 40\nseal_age_s = 0.5\ncompact_files = 2\nmin_free_mb = 0\n"


class Faulty(Server):
    """A server on the faulty disk, and the calls it has acknowledged."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.acknowledged: list[str] = []
        self._sent = 0
        self.key = ""

    def start(self) -> Faulty:
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "hark.toml").write_text(SETTINGS)
        words = ["tests.faults.disk", "serve", str(self.data), str(self.port)]
        with (self.data / "serve.out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words], stdout=out, stderr=out, start_new_session=True
            )
        eventually(self.answers, seconds=90, what="it answers")
        self.key = hark(self.data, "source", "add", "shop")["write_key"]
        all_read(self.data)  # the engine has its state: from now on its disk may fail
        return self

    def track(self) -> httpx.Response:
        """One call, whose id is remembered if it was acknowledged."""
        self._sent += 1
        message = f"m{self._sent}"
        call = {"userId": "ada", "event": "Opened", "messageId": message}
        answer = self.post("/v1/track", call, self.key)
        if answer.status_code == 200:
            self.acknowledged.append(message)
        return answer

    def is_refused(self, code: str) -> bool:
        """Whether a call is answered by 503, this code and a time to come again."""
        answer = self.track()
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            return False
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["code"] == code, answer.text
        return True

    def ready(self) -> httpx.Response:
        return httpx.get(self.url + "/health/ready", timeout=30, trust_env=False, verify=False)

    def reasons(self) -> set[str]:
        return {red["reason"] for red in self.ready().json()["reasons"]}

    def pids(self) -> dict[str, int | None]:
        return {role: self.pid(role) for role in ROLES}

    def answers(self) -> bool:
        return all(self.pids().values()) and self.ready().status_code == 200

    def is_well(self) -> bool:
        return self.track().status_code == 200 and self.ready().status_code == 200

    def assert_kept(self) -> None:
        """Every acknowledged call is in the history once, and nothing twice."""
        state = Workspace(self.data).state()
        end = self.track()
        assert end.status_code == 200
        eventually(lambda: self.acknowledged[-1] in self._history(), what=f"{state.cursors()} moves on")
        history = self._history()
        assert len(history) == len(set(history))
        assert set(self.acknowledged) <= set(history)

    def _history(self) -> list[str]:
        events = Workspace(self.data).snapshot().events(facts=True)
        return [event.message_id for event in events if event.kind == Kind.TRACK]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    running = Faulty(tmp_path_factory.mktemp("faults") / "data").start()
    yield running
    running.stop()


def test_a_failed_fsync_of_the_log_is_final_for_its_file(server: Faulty) -> None:
    """503 and the end of the process; the next goes on in a new file; all that was acknowledged is kept."""
    assert server.track().status_code == 200
    before, files = server.pids(), numbers(server.data / "log")
    with fault(server.data, "sync-fails", "/log/"):
        assert server.is_refused("log_broken")
        eventually(lambda: server.pid("collect") != before["collect"], what="it ends")
    eventually(server.is_well, what="a new process takes calls")
    assert server.pids()["engine"] == before["engine"]
    assert max(numbers(server.data / "log")) > max(files)
    server.assert_kept()


@pytest.mark.parametrize("kind", ["sync-fails", "full"])
def test_a_state_that_cannot_be_written_stops_no_call(server: Faulty, kind: str) -> None:
    """Calls are acknowledged and kept in the log, the failing tick is named, then the engine catches up."""
    before = server.pids()
    with fault(server.data, kind, "state.db"):
        assert server.track().status_code == 200
        eventually(lambda: "tick_fails" in server.reasons(), what="the tick fails")
        assert server.track().status_code == 200
    assert server.pid("collect") == before["collect"]
    eventually(server.is_well, what="the engine is well")
    server.assert_kept()


def test_a_full_disk_under_the_log_needs_no_restart(server: Faulty) -> None:
    """503 while it is full, 200 as soon as there is room, by the same processes."""
    before = server.pids()
    with fault(server.data, "full", "/log/"):
        assert server.is_refused("disk_full")
        assert server.is_refused("disk_full")
    eventually(server.is_well, what="calls are taken again")
    assert server.pids() == before
    server.assert_kept()


def test_a_slow_fsync_delays_only_those_who_wait_for_it(server: Faulty) -> None:
    """With an fsync of two seconds calls are acknowledged after it; others are answered meanwhile."""
    before = server.pids()
    answers: list[int] = []

    def call() -> None:
        answers.append(server.track().status_code)

    with fault(server.data, "slow", "/log/"):
        callers = [threading.Thread(target=call) for _ in range(20)]
        began = time.monotonic()
        for caller in callers:
            caller.start()
        live = httpx.get(server.url + "/health/live", timeout=30, trust_env=False, verify=False)
        assert live.status_code == 200 and answers == []
        for caller in callers:
            caller.join()
    assert answers == [200] * 20
    assert time.monotonic() - began >= SLOW_S
    assert server.pids() == before
    server.assert_kept()
