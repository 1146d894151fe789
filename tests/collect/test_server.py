"""A collect process over its life: keys made while it runs, faults of the disk, kills, and an orderly end."""

from __future__ import annotations

import signal
import stat
import threading
from pathlib import Path

import httpx
import pytest

from hark.collect.rate import Rate
from hark.collect.sources import Made, Sources, add_source
from hark.errors import HarkError
from hark.model import SECOND, Lane
from tests.collect.runner import PATIENCE_S, Collect, collecting

CALL = {"userId": "ada", "event": "Opened"}
Own = tuple[Collect, Made]


def test_a_failed_fsync_is_503_and_the_end(own: Own) -> None:
    """A failed fsync is answered by 503, nothing is acknowledged after it, and the process ends."""
    collect, source = own
    assert collect.post("/v1/track", CALL, source.write_key).status_code == 200
    (collect.data / "fail").touch()
    answer = collect.post("/v1/track", CALL, source.write_key)
    assert (answer.status_code, answer.json()["code"]) == (503, "log_broken")
    assert int(answer.headers["retry-after"]) > 0
    (collect.data / "fail").unlink()
    assert collect.process.wait(timeout=PATIENCE_S) == 74
    with collecting(collect.data) as again:
        assert again.post("/v1/track", CALL, source.write_key).status_code == 200
        assert again.rows()[-1].seq == len(again.rows()) >= 2


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Over eight kills under load every event answered with 200 is in the log exactly once."""
    source = add_source(tmp_path, "web")
    acknowledged: set[str] = set()
    for cycle in range(8):
        with collecting(tmp_path) as collect:
            acknowledged |= load_until_killed(collect, source.write_key, cycle)
            bodies = [row.body.decode() for row in collect.rows()]
    assert len(acknowledged) > 100
    assert len(bodies) == len(set(bodies))
    assert acknowledged <= set(bodies)


def load_until_killed(collect: Collect, key: str, cycle: int) -> set[str]:
    """The bodies that were answered with 200 before the process was killed."""
    done: set[str] = set()
    enough = threading.Event()

    def send(number: int) -> None:
        with httpx.Client(base_url=collect.url, auth=(key, ""), trust_env=False, verify=False) as client:
            for count in range(10_000):
                body = f'{{"userId":"{cycle}-{number}","event":"e","messageId":"{count}"}}'
                try:
                    if client.post("/v1/track", content=body).status_code == 200:
                        done.add(body)
                except httpx.HTTPError:
                    return
                if len(done) > 30:
                    enough.set()

    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    enough.wait(PATIENCE_S)
    collect.stop(signal.SIGKILL)
    for sender in senders:
        sender.join()
    return done


def test_a_full_disk_is_503_and_nothing_breaks(tmp_path: Path) -> None:
    """With less free space than the setting asks for, 503 and Retry-After; the process stays."""
    (tmp_path / "hark.toml").write_text("min_free_mb = 1000000000\n")
    source = add_source(tmp_path, "web")
    with collecting(tmp_path) as collect:
        for _ in range(2):
            answer = collect.post("/v1/track", CALL, source.write_key)
            assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
            assert int(answer.headers["retry-after"]) > 0
        assert collect.process.poll() is None
        assert collect.rows() == []


def test_a_keys_rate_is_429_for_that_key_only(tmp_path: Path) -> None:
    """Past its rate a key gets 429 and Retry-After; another key goes on."""
    (tmp_path / "hark.toml").write_text("rate_per_s = 2.0\n")
    web, app = add_source(tmp_path, "web"), add_source(tmp_path, "app")
    with collecting(tmp_path) as collect:
        answers = [collect.post("/v1/track", CALL, web.write_key) for _ in range(5)]
        late = [answer for answer in answers if answer.status_code == 429]
        assert late
        assert all(
            answer.json()["code"] == "rate_passed" and answer.headers["retry-after"] for answer in late
        )
        assert collect.post("/v1/track", CALL, app.write_key).status_code == 200


def test_the_rate_refills() -> None:
    """A bucket of 2 a second allows 2 at once and one more each half second; 0 is no limit."""
    rate = Rate(2.0)
    assert [rate.wait_s("a", 0) for _ in range(3)] == [0, 0, 1]
    assert [rate.wait_s("a", SECOND // 2), rate.wait_s("a", SECOND // 2)] == [0, 1]
    assert Rate(0.0).wait_s("a", 0) == 0


def test_sigterm_answers_what_has_begun(own: Own) -> None:
    """On SIGTERM requests under way are answered 200 or 503, then the process ends with 0, nothing lost."""
    collect, source = own
    answers: list[int] = []

    def send() -> None:
        with httpx.Client(auth=(source.write_key, ""), trust_env=False, verify=False) as client:
            try:
                while True:
                    answers.append(client.post(collect.url + "/v1/track", json=CALL).status_code)
            except httpx.HTTPError:
                return

    sender = threading.Thread(target=send)
    sender.start()
    assert collect.stop(signal.SIGTERM) == 0
    sender.join()
    assert set(answers) <= {200, 503}
    assert len(collect.rows()) == answers.count(200)


def test_a_source_made_while_running_opens_at_once(own: Own) -> None:
    """`/control/sources` makes a source with two keys that open from the next request on."""
    collect, _ = own
    made = collect.control("/control/sources", {"do": "add", "name": "app"}).json()
    assert set(made) == {"source", "write_key", "secret_key"}
    for key in (made["write_key"], made["secret_key"]):
        assert collect.post("/v1/track", CALL, key).status_code == 200
    assert [row.source for row in collect.rows()] == ["app", "app"]
    again = collect.control("/control/sources", {"do": "add", "name": "app"})
    assert (again.status_code, again.json()["code"]) == (400, "source.exists")


def test_control_appends_to_every_lane(own: Own) -> None:
    """`/control/append` puts rows into their lanes, durably, and refuses the members that HTTP would."""
    collect, _ = own
    imported = {"batch": [{"type": "track", **CALL}, {"type": "track", **CALL, "event": "Goal Reached"}]}
    rows = [
        {"lane": 0, "kind": "command", "source": "hark", "body": {"name": "define", "documents": []}},
        {"lane": "bulk", "kind": "import", "source": "files", "body": imported},
    ]
    assert collect.control("/control/append", {"rows": rows}).json() == {"rows": [1, 2], "refused": 1}
    assert [row.kind for row in collect.rows(Lane.URGENT)] == ["command"]
    assert [(row.kind, row.refused) for row in collect.rows(Lane.BULK)] == [("import", b"[1]")]
    assert [one.reason for one in collect.rejects()] == ["reserved_name"]
    assert collect.control("/control/append", rows).json()["rows"] == [3, 4]
    assert collect.control("/control/append", {"rows": [{"lane": 9}]}).status_code == 400


@pytest.mark.parametrize("token", ["wrong", "Basic", "ct_" + "x" * 32])
def test_control_is_not_there_without_its_token(own: Own, token: str) -> None:
    """A wrong or missing token gets the same 404 as a path that does not exist; so does a source's key."""
    collect, source = own
    for word in (token, source.secret_key):
        answer = collect.control("/control/status", token=word)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_path")
    assert collect.control("/control/status").status_code == 200


def test_the_address_is_for_its_owner_only(own: Own) -> None:
    """serve.json and sources.json hold secrets: only their owner may read them."""
    collect, _ = own
    for name in ("run/serve.json", "log/sources.json"):
        assert stat.S_IMODE((collect.data / name).stat().st_mode) == 0o600


def test_a_second_collect_on_the_directory_is_refused(own: Own) -> None:
    """Two collectors never write one log."""
    collect, _ = own
    with pytest.raises(AssertionError, match="ended at once"):
        Collect(collect.data)
    assert collect.control("/control/status").status_code == 200


def test_sources_keep_several_keys(tmp_path: Path) -> None:
    """Write and secret keys are told apart, and a broken file of sources is a clear error."""
    made = add_source(tmp_path, "web")
    sources = Sources(tmp_path)
    write, secret = sources.find(made.write_key), sources.find(made.secret_key)
    assert write and secret and (write.secret, secret.secret) == (False, True)
    assert sources.find("nobody's") is None
    (tmp_path / "log" / "sources.json").write_text("{")
    with pytest.raises(HarkError) as error:
        Sources(tmp_path)
    assert error.value.id == "sources.broken"
