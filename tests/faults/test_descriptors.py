"""No descriptors left, and bodies that are torn at any place."""

from __future__ import annotations

import random
import resource
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest

from hark.collect import serve
from hark.collect.sources import Made, add_source
from tests.cast import eventually
from tests.collect.runner import Collect, collecting

CALL = {"userId": "ada", "event": "Opened"}
SPARE = 12


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collect, Made]]:
    data = tmp_path_factory.mktemp("descriptors") / "data"
    source = add_source(data, "web")
    with collecting(data) as running:
        yield running, source


def status(collect: Collect, key: str) -> int:
    """Of one call; 0 if nobody answers in time."""
    url, auth = collect.url + "/v1/track", (key, "")
    try:
        return httpx.post(url, json=CALL, auth=auth, timeout=1, trust_env=False, verify=False).status_code
    except httpx.TimeoutException:
        return 0


def open_files(home: Path) -> int:
    return sum(1 for _ in home.iterdir())


def test_without_descriptors_clients_wait_and_then_all_goes_on(own: tuple[Collect, Made]) -> None:
    """While connections take all descriptors others wait, none is refused; then the same process goes on."""
    collect, source = own
    assert status(collect, source.write_key) == 200
    home = Path(f"/proc/{collect.process.pid}/fd")
    eventually(
        lambda: httpx.get(collect.url + "/health/ready", timeout=5, trust_env=False, verify=False),
        what="it looks",
    )
    limits = resource.prlimit(collect.process.pid, resource.RLIMIT_NOFILE)
    few = open_files(home) + SPARE
    resource.prlimit(collect.process.pid, resource.RLIMIT_NOFILE, (few, limits[1]))
    lines = [socket.create_connection(("127.0.0.1", collect.port), timeout=5) for _ in range(4 * SPARE)]
    eventually(lambda: open_files(home) >= few, what="none is left")
    assert status(collect, source.write_key) == 0
    for line in lines:
        line.close()
    eventually(lambda: status(collect, source.write_key) == 200, what="calls are taken again")
    resource.prlimit(collect.process.pid, resource.RLIMIT_NOFILE, limits)
    assert collect.process.poll() is None


def test_connections_leave_room_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never so many that the log could not open its next file; enough descriptors allow 2,048."""
    for allowed, most in ((1_000, 744), (100_000, 2_048), (100, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, allowed=allowed: (100, allowed))
        monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
        assert serve.most_connections() == most


def test_a_body_torn_anywhere_stores_nothing(own: tuple[Collect, Made]) -> None:
    """Cut at any byte of head or body, no call is stored; whole it is."""
    collect, source = own
    before = len(collect.rows())
    body = msgspec.json.encode({"batch": [{"type": "track", **CALL}], "writeKey": source.write_key})
    whole = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    chance = random.Random(7)
    for cut in sorted(chance.sample(range(1, len(whole)), 40)):
        with closing(socket.create_connection(("127.0.0.1", collect.port), timeout=5)) as line:
            line.sendall(whole[:cut])
    assert collect.post("/v1/batch", body).status_code == 200
    assert len(collect.rows()) == before + 1
