"""One command, four processes: started again when they die, ended together, never two on one directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from hark.collect.address import Address, read_address
from hark.collect.sources import add_source
from hark.store.locks import ROLES, holder
from hark.store.log import LogReader

PATIENCE_S = 30.0
CALL = {"userId": "ada", "event": "Opened"}

SERVE = """
import sys
from pathlib import Path
from hark.errors import HarkError
from hark.supervisor import Place, role_commands, supervise

ROLE = '''
import sys, time
from pathlib import Path
from hark.store.locks import hold, succeed
data, role = Path(sys.argv[1]), sys.argv[2]
with (succeed if "--succeed" in sys.argv else hold)(data, role):
    while not (data / (role + ".stop")).exists():
        time.sleep(0.05)
    sys.exit(int((data / (role + ".stop")).read_text()))
'''

def commands(place):
    others = {role: [sys.executable, "-c", ROLE, str(place.data), role] for role in role_commands(place)}
    return others | {"collect": role_commands(place)["collect"]}

try:
    supervise(Path(sys.argv[1]), int(sys.argv[2]), "127.0.0.1", None, commands)
except HarkError as error:
    sys.exit(str(error))
"""


class Served:
    """A supervisor with a real collect process and three small stand-ins for the other roles."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = start(data)
        wait_for(self._up, "all roles hold their locks and collect answers")
        address = read_address(data)
        assert address
        self.address: Address = address

    def _up(self) -> bool:
        address = read_address(self.data)
        if address is None or not all(holder(self.data, role) for role in ROLES):
            return False
        return httpx.get(address.url + "/v1/x", timeout=10, trust_env=False, verify=False).status_code == 404

    def pids(self) -> dict[str, int | None]:
        return {role: holder(self.data, role) for role in ROLES}


def has_changed(served: Served, role: str, pid: int) -> bool:
    return holder(served.data, role) not in (None, 0, pid)


def start(data: Path, port: int = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SERVE, str(data), str(port)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(true: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "data")
    yield running
    running.process.kill()
    running.process.communicate()


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_comes_back(served: Served, role: str) -> None:
    """After kill -9 of any process a new one has its role; the others were not touched."""
    before = served.pids()
    for _ in range(2):
        pid = holder(served.data, role)
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_for(partial(has_changed, served, role, pid), f"{role} is back")
    after = served.pids()
    assert {other for other in ROLES if after[other] != before[other]} == {role}


def test_no_client_is_turned_away_while_collect_changes(served: Served) -> None:
    """A request sent while collect is dead waits for the new one and is answered."""
    source = add_source(served.data, "web")
    pid = holder(served.data, "collect")
    assert pid
    os.kill(pid, signal.SIGKILL)
    answer = httpx.post(
        served.address.url + "/v1/track",
        json=CALL,
        auth=(source.write_key, ""),
        timeout=PATIENCE_S,
        trust_env=False,
        verify=False,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_in_order(served: Served, number: int) -> None:
    """SIGTERM and Ctrl-C end every role, free every lock, take serve.json away, and end with 0."""
    served.process.send_signal(number)
    assert served.process.wait(PATIENCE_S) == 0
    assert set(served.pids().values()) == {None}
    assert read_address(served.data) is None


def test_no_role_outlives_a_killed_supervisor(served: Served) -> None:
    """kill -9 of the supervisor ends all its processes; the next start finds everything free."""
    served.process.kill()
    wait_for(lambda: set(served.pids().values()) == {None}, "all roles are gone")
    again = Served(served.data)
    again.process.terminate()
    assert again.process.wait(PATIENCE_S) == 0


def test_a_role_that_cant_go_on_stops_all(served: Served) -> None:
    """A role that ends with 78 is not started again: all stop, and the command fails."""
    (served.data / "engine.stop").write_text("78")
    assert served.process.wait(PATIENCE_S) == 1
    assert served.process.stderr
    assert "[serve.stopped]" in served.process.stderr.read()
    assert set(served.pids().values()) == {None}


def test_a_role_that_fails_is_tried_again(served: Served) -> None:
    """Any other exit is answered by a new start."""
    before = holder(served.data, "questions")
    (served.data / "questions.stop").write_text("1")
    wait_for(lambda: holder(served.data, "questions") is None, "it ended")
    (served.data / "questions.stop").unlink()
    wait_for(lambda: holder(served.data, "questions") not in (None, 0, before), "it is back")


def test_a_second_server_on_the_directory_is_one_clear_line(served: Served) -> None:
    """It names the process that is in the way and what to do, and leaves the first alone."""
    second = start(served.data)
    _, said = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 1
    assert said.count("\n") == 1
    assert f"process {holder(served.data, 'collect')} is its collect" in said
    assert "--data" in said and "[data.in-use]" in said
    assert served.process.poll() is None
    assert read_address(served.data) == served.address


def test_a_taken_port_is_one_clear_line(served: Served, tmp_path: Path) -> None:
    """A port somebody has is an error that says which, and nothing is left running."""
    port = int(served.address.url.rpartition(":")[2])
    second = start(tmp_path / "other", port)
    _, said = second.communicate(timeout=PATIENCE_S)
    assert (second.returncode, said.count("\n")) == (1, 1)
    assert f"port {port}" in said and "[serve.port]" in said


def test_a_fresh_token_for_every_start(served: Served) -> None:
    """serve.json names this supervisor; the log is there before any role needs it."""
    assert served.address.pid == served.process.pid
    assert LogReader(served.data / "log").end() == 0
    body = {
        "rows": [
            {
                "lane": "live",
                "kind": "track",
                "source": "web",
                "body": json.loads('{"userId":"a","event":"b"}'),
            }
        ]
    }
    headers = {"Authorization": f"Bearer {served.address.token}"}
    answer = httpx.post(
        served.address.url + "/control/append",
        json=body,
        headers=headers,
        trust_env=False,
        verify=False,
        timeout=10,
    )
    assert answer.json() == {"rows": [1], "refused": 0}
