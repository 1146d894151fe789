"""Readiness by named reasons, metrics in Prometheus' text, and 503 before queues, memory or disk are full."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hark.clock import SetClock, WallClock
from hark.collect.readiness import LAG_S, RedReason, reds
from hark.collect.sources import Made, add_source
from hark.engine.loop import Engine
from hark.model import SECOND, Lane
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.standing import Standing
from hark.store.vitals import Pulse, Vitals
from tests.collect.runner import Collect, collecting

CALL = {"userId": "ada", "event": "Opened"}
MB = 1 << 20
NOW_S = 1_000_000.0
WELL = Standing(
    seen_s=NOW_S,
    free_bytes=1 << 40,
    ends=dict.fromkeys(Lane, 5),
    cursors=dict.fromkeys(Lane, 5),
    oldest=None,
    unread_bytes=0,
    vitals=Vitals(at_s=NOW_S),
    outbox={},
    processes={},
)
Own = tuple[Collect, Made]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"oldest": int((NOW_S - LAG_S - 1) * SECOND)}, RedReason.ENGINE_LAG),
        ({"vitals": Vitals(at_s=NOW_S - LAG_S - 1)}, RedReason.ENGINE_SILENT),
        ({"vitals": None}, RedReason.ENGINE_SILENT),
        ({"vitals": Vitals(at_s=NOW_S, failure="KeyError: 'x'")}, RedReason.TICK_FAILS),
        ({"vitals": Vitals(at_s=NOW_S, seal_failure="OSError: full")}, RedReason.SEAL_FAILS),
        ({"vitals": Vitals(at_s=NOW_S, fenced="it was copied")}, RedReason.FENCED),
        ({"free_bytes": 511 * MB}, RedReason.DISK_LOW),
        ({"unread_bytes": 101 * MB}, RedReason.LOG_UNREAD),
        ({"oldest": int((NOW_S - LAG_S + 1) * SECOND)}, None),
        ({"vitals": Vitals(at_s=NOW_S - LAG_S + 1)}, None),
        ({"free_bytes": 513 * MB, "unread_bytes": 99 * MB}, None),
    ],
)
def test_each_reason_stands_for_one_thing(change: dict[str, Any], reason: RedReason | None) -> None:
    """Past its limit each thing is red under its own name and says something, and just before it is not."""
    settings = Settings(min_free_mb=256, unread_log_mb=100)
    found = reds(msgspec.structs.replace(WELL, **change), settings, int(NOW_S * SECOND), up_s=LAG_S + 1)
    assert [red.reason for red in found] == ([reason] if reason else [])
    assert all(red.message for red in found)


def test_a_server_that_has_just_begun_waits_for_its_engine() -> None:
    """In the first half minute a silent engine is not red."""
    silent = msgspec.structs.replace(WELL, vitals=None)
    assert reds(silent, Settings(), int(NOW_S * SECOND), up_s=LAG_S) == []


def ready(collect: Collect) -> httpx.Response:
    return httpx.get(collect.url + "/health/ready", timeout=10, trust_env=False, verify=False)


def until(true: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
    return found


def reasons(collect: Collect) -> set[str]:
    return {red["reason"] for red in ready(collect).json()["reasons"]}


def test_a_lagging_engine_and_a_failing_tick_are_red(tmp_path: Path) -> None:
    """An old unread row and a tick that failed are both named with 503; once the engine is well, 200."""
    with LogStore(tmp_path / "log") as log:
        early = WallClock().now() - 40 * SECOND
        log.append([NewRow(Lane.LIVE, early, "web", "track", b'{"userId":"a","event":"e"}')])
    Pulse(tmp_path).failed("KeyError: 'x'")
    with collecting(tmp_path) as collect:
        until(lambda: reasons(collect) == {"engine_lag", "tick_fails"})
        answer = ready(collect)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert 40 <= answer.json()["lag_s"] < 60
        assert "KeyError: 'x'" in answer.text
        Engine(tmp_path, SetClock(WallClock().now())).catch_up()
        Pulse(tmp_path).ticked(0.01, 1, "")
        until(lambda: ready(collect).status_code == 200)
        assert ready(collect).json() == {"ready": True, "reasons": [], "lag_s": 0.0}
        live = httpx.get(collect.url + "/health/live", trust_env=False, verify=False)
        assert (live.status_code, live.json()) == (200, {"live": True})


def scraped(collect: Collect, **headers: str) -> httpx.Response:
    return httpx.get(collect.url + "/metrics", headers=headers, timeout=20, trust_env=False, verify=False)


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name and labels' values, as Prometheus' own parser reads them."""
    families = text_string_to_metric_families(text)
    return {
        (one.name, tuple(one.labels[label] for label in sorted(one.labels))): one.value
        for family in families
        for one in family.samples
    }


def test_metrics_count_what_happened(own: Own) -> None:
    """Prometheus' parser reads the calls by source and reason, and a histogram of the log's commits."""
    collect, source = own
    for call in (CALL, CALL, {"event": "Opened"}):  # the last lacks an id
        collect.post("/v1/track", dict(call), source.write_key)
    until(lambda: samples(scraped(collect).text).get(("hark_log_end_row", ("live",))) == 2)
    found = samples(scraped(collect).text)
    assert found["hark_calls_accepted_total", ("web",)] == 2
    assert found["hark_calls_refused_total", ("no_id", "web")] == 1
    assert found["hark_log_write_seconds_count", ()] >= 3
    assert found["hark_log_write_seconds_bucket", ("+Inf",)] == found["hark_log_write_seconds_count", ()]
    assert found["hark_log_end_row", ("live",)] == 2
    assert found["hark_not_ready", ("engine_silent",)] == 0
    assert found["hark_requests_inside", ()] == 1


def test_metrics_are_for_this_machine_or_the_token(tmp_path: Path) -> None:
    """Through a proxy they are not there; a wrong token does not open them, the right one does."""
    (tmp_path / "hark.toml").write_text('metrics_token = "let me see"\n')
    with collecting(tmp_path) as collect:
        assert scraped(collect).status_code == 200
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        assert scraped(collect, **forwarded).status_code == 404
        assert scraped(collect, **forwarded, Authorization="Bearer let me in").status_code == 404
        assert scraped(collect, Authorization="Bearer let me in").status_code == 404
        assert scraped(collect, **forwarded, Authorization="Bearer let me see").status_code == 200


def test_too_much_unread_log_is_503_until_the_engine_has_read_it(tmp_path: Path) -> None:
    """Past `unread_log_mb` calls get 503, imports already past half of it; once it is read all goes on."""
    (tmp_path / "hark.toml").write_text("unread_log_mb = 2\n")
    source = add_source(tmp_path, "web")
    batch = {"batch": [{"type": "track", **CALL, "properties": {"text": "x" * 30_000}} for _ in range(2)]}
    imported = {"rows": [{"lane": "bulk", "kind": "import", "source": "f", "body": batch}]}
    with collecting(tmp_path) as collect:
        order: list[str] = []

        def refused() -> bool:
            if "import" not in order and collect.control("/control/append", imported).status_code == 503:
                order.append("import")
            answer = collect.post("/v1/batch", batch, source.write_key)
            if answer.status_code == 503:
                assert answer.json()["code"] == "overload"
                assert int(answer.headers["retry-after"]) > 0
                order.append("live")
            time.sleep(0.1)
            return "live" in order

        until(refused)
        assert order == ["import", "live"]
        assert reasons(collect) == {"log_unread"}
        urgent = {"rows": [{"lane": "urgent", "kind": "consent", "source": "hark", "body": {}}]}
        assert collect.control("/control/append", urgent).status_code == 200
        Engine(tmp_path, SetClock(WallClock().now())).catch_up()
        until(lambda: collect.post("/v1/batch", batch, source.write_key).status_code == 200)


def test_memory_is_bounded_when_many_bodies_come_at_once(tmp_path: Path) -> None:
    """Of 150 slow bodies those beyond `queue_mb` get 503 and memory stays small; then all is well again."""
    (tmp_path / "hark.toml").write_text("queue_mb = 4\n")
    source = add_source(tmp_path, "web")
    batch = {"batch": [{"type": "track", **CALL, "properties": {"text": "x" * 30_000}} for _ in range(15)]}
    body = msgspec.json.encode(batch | {"writeKey": source.write_key})
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    statuses: Counter[int] = Counter()
    with collecting(tmp_path) as collect:
        until(lambda: "hark_disk_free_bytes" in scraped(collect).text)  # all that is loaded later is there
        before = resident(collect)
        gate = threading.Barrier(151)

        def send() -> None:
            with socket.create_connection(("127.0.0.1", collect.port), timeout=15) as line:
                line.sendall(head + body[:-1])
                gate.wait()
                line.sendall(body[-1:])
                statuses[int(line.recv(4096).split()[1])] += 1

        senders = [threading.Thread(target=send) for _ in range(150)]
        for sender in senders:
            sender.start()
        gate.wait()
        most = resident(collect)
        for sender in senders:
            sender.join()
        assert set(statuses) <= {200, 408, 503}  # 408: on a slow machine a body takes over a second
        assert statuses[503] > 0 and statuses[200] <= 4 * MB // len(body)
        assert most - before < 45 * MB  # connections and what is let in; the bodies alone are 68 MB
        assert collect.post("/v1/batch", body).status_code == 200


def resident(collect: Collect) -> int:
    """Bytes of memory that the process has."""
    return int(Path(f"/proc/{collect.process.pid}/statm").read_text().split()[1]) * 4096
