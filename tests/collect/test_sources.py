"""Sources: keys that change without a gap, settings that hold at once, counts that outlive the process."""

from __future__ import annotations

import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hark.clock import WallClock
from hark.collect.source_changes import AddKey, ExpireKey, Set, apply
from hark.collect.sources import Made, Sources, add_source
from hark.connected import SourceView, source_view
from hark.errors import HarkError
from hark.model import DAY, SECOND
from tests.collect.runner import Collect, collecting

CALL = {"userId": "ada", "event": "Opened"}
TRACK = {"type": "track", **CALL}
NOW = WallClock().now()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """One server for all tests here; each makes sources of its own."""
    with collecting(tmp_path_factory.mktemp("sources") / "data") as running:
        yield running


def change(collect: Collect, **what: object) -> Made:
    answer = collect.control("/control/sources", what)
    assert answer.status_code == 200, answer.text
    return msgspec.convert(answer.json(), Made)


def eventually(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_key_is_changed_without_a_gap(served: Collect) -> None:
    """With a new key the old one is good until its end, then 401; a revoked key is 401 at once."""
    old = change(served, do="add", name="rotated").write_key
    until = WallClock().now() + 2 * SECOND
    new = change(served, do="add_key", name="rotated", others_expire_at=until).write_key
    assert [served.post("/v1/track", CALL, key).status_code for key in (old, new)] == [200, 200]
    eventually(lambda: served.post("/v1/track", CALL, old).status_code == 401)
    assert WallClock().now() >= until
    assert served.post("/v1/track", CALL, new).status_code == 200
    change(served, do="expire_key", name="rotated", key=new)
    answer = served.post("/v1/track", CALL, new)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_disabled")


def test_a_secret_key_is_in_no_file(served: Collect) -> None:
    """Of a secret key only a hash is kept, in a file for its owner only; the write key stands there."""
    made = change(served, do="add", name="hidden")
    kept = served.data / "log" / "sources.json"
    assert made.write_key in kept.read_text()
    assert made.secret_key not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert served.post("/v1/track", CALL, made.secret_key).status_code == 200


def test_a_disabled_source_takes_nothing(served: Collect) -> None:
    """All keys of a disabled source get 401 from the next request on, and are good again once enabled."""
    made = change(served, do="add", name="paused")
    keys = (made.write_key, made.secret_key)
    change(served, do="set", name="paused", disabled=True)
    assert [served.post("/v1/track", CALL, key).status_code for key in keys] == [401, 401]
    change(served, do="set", name="paused", disabled=False)
    assert [served.post("/v1/track", CALL, key).status_code for key in keys] == [200, 200]


def test_protected_events_need_a_secret_key(served: Collect) -> None:
    """Alone a protected event is 403 by a public key; in a batch it is refused and the others are stored."""
    made = change(served, do="add", name="money")
    change(served, do="set", name="money", protected=["Paid"])
    paid = {**CALL, "event": "Paid"}
    alone = served.post("/v1/track", paid, made.write_key)
    assert (alone.status_code, alone.json()["code"]) == (403, "needs_secret_key")
    batch = served.post("/v1/batch", {"batch": [TRACK, {"type": "track", **paid}]}, made.write_key)
    assert [(one["index"], one["code"]) for one in batch.json()["refused"]] == [(1, "needs_secret_key")]
    assert served.post("/v1/track", paid, made.secret_key).status_code == 200


def test_only_pages_of_allowed_origins_may_send(served: Collect) -> None:
    """A page of another origin gets 403; pages of an allowed one, and servers, which name none, get 200."""
    key = change(served, do="add", name="pages").write_key
    change(served, do="set", name="pages", origins=["https://shop.example"])
    sent = {
        origin: served.post("/v1/track", CALL, key, headers={"origin": origin} if origin else {}).status_code
        for origin in ("https://shop.example", "https://evil.example", "")
    }
    assert sent == {"https://shop.example": 200, "https://evil.example": 403, "": 200}


def test_a_preflight_names_origins_that_some_source_takes(tmp_path: Path) -> None:
    """A preflight has no key: it is told no only where no source at all takes pages of its origin."""
    add_source(tmp_path, "web")
    sources = Sources(tmp_path)
    assert sources.allows("https://any.example")
    apply(tmp_path, Set("web", origins=("https://shop.example",)), NOW)
    sources = Sources(tmp_path)
    found = [sources.allows(origin) for origin in ("https://shop.example", "https://any.example")]
    assert found == [True, False]


def test_size_and_rate_are_each_sources_own(served: Collect) -> None:
    """One source takes larger bodies and fewer requests than another at the same moment."""
    small, large = (change(served, do="add", name=name).write_key for name in ("small", "large"))
    change(served, do="set", name="small", body_bytes=40_000, rate_per_s=2)
    change(served, do="set", name="large", body_bytes=2_000_000)
    body = {"batch": [{**TRACK, "properties": {"pad": "x" * 30_000}}] * 20}
    answers = [served.post("/v1/batch", body, key) for key in (small, large)]
    assert [one.status_code for one in answers] == [400, 200]
    assert answers[0].json()["code"] == "body_too_large"
    assert [served.post("/v1/track", CALL, small).status_code for _ in range(4)].count(429) >= 1
    assert [served.post("/v1/track", CALL, large).status_code for _ in range(4)] == [200] * 4


def test_strictness_is_a_setting(served: Collect) -> None:
    """From strict on one bad call refuses its batch, and no longer once the source is lenient again."""
    key = change(served, do="add", name="exact").write_key
    batch = {"batch": [TRACK, {"type": "track"}]}
    found = []
    for strict in (False, True, False):
        change(served, do="set", name="exact", strict=strict)
        found.append(served.post("/v1/batch", batch, key).status_code)
    assert found == [200, 400, 200]


def test_whole_requests_are_in_the_reject_log(served: Collect) -> None:
    """A body that is no JSON and an unknown key stand there with reason and beginning, index -1."""
    key = change(served, do="add", name="broken").write_key
    served.post("/v1/batch", b'{"batch": [', key)
    served.post("/v1/track", CALL, "wk_of_nobody")

    def found() -> dict[tuple[str, str], bytes]:
        return {(one.source, one.reason): one.excerpt for one in served.rejects() if one.index == -1}

    eventually(lambda: {("broken", "broken_json"), ("", "key_unknown")} <= found().keys())
    assert found()["broken", "broken_json"] == b'{"batch": ['


def test_counts_outlive_the_process_however_it_ends(tmp_path: Path) -> None:
    """After a kill, and after an orderly end, each source's counts are those of the calls sent."""
    made = add_source(tmp_path, "web")
    sent = 0
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        with collecting(tmp_path) as collect:
            for _ in range(7):
                collect.post("/v1/batch", {"batch": [TRACK, TRACK, {"type": "track"}]}, made.write_key)
                sent += 1
            assert collect.post("/v1/track", {"event": "x"}, made.write_key).status_code == 400
            collect.stop(number)
    with collecting(tmp_path) as collect:
        eventually(lambda: web(collect).accepted == 2 * sent)
        said = collect.control("/control/status").json()["sources"]["web"]
        assert web(collect).refused == said["refused"] == {"no_id": sent + 3}
        assert said["accepted"] == 2 * sent


def web(collect: Collect) -> SourceView:
    return source_view(collect.data, "web", NOW)


@pytest.mark.parametrize(
    "settings, id",
    [
        ({"dedupe_us": DAY - 1}, "source.dedupe"),
        ({"dedupe_us": 28 * DAY + 1}, "source.dedupe"),
        ({"body_bytes": 1}, "source.size"),
        ({"rate_per_s": -2.0}, "source.rate"),
        ({"origins": ("shop.example",)}, "source.origin"),
        ({"protected": ("",)}, "source.protected"),
    ],
)
def test_a_wrong_setting_changes_nothing(tmp_path: Path, settings: dict[str, object], id: str) -> None:
    """It is refused with an id, and the source stays as it was."""
    add_source(tmp_path, "web")
    before = Sources(tmp_path).all
    with pytest.raises(HarkError) as error:
        apply(tmp_path, msgspec.convert({"do": "set", "name": "web", **settings}, Set), NOW)
    assert error.value.id == id
    assert Sources(tmp_path).all == before


@pytest.mark.parametrize("name", ["", "Web", "my shop", "hark", "import", "1st", "a" * 64, "a-b"])
def test_names_are_snake_case(tmp_path: Path, name: str) -> None:
    """A source's name is snake_case, and none that Hark uses itself."""
    with pytest.raises(HarkError) as error:
        add_source(tmp_path, name)
    assert error.value.id == "source.name"


def test_an_unknown_source_or_key_is_named(tmp_path: Path) -> None:
    """The error names what there is."""
    made = add_source(tmp_path, "web")
    for wrong in (AddKey("app"), ExpireKey("web", "wk_nobodys")):
        with pytest.raises(HarkError) as error:
            apply(tmp_path, wrong, NOW)
        assert error.value.hint.endswith("web") or made.write_key[:9] in error.value.hint
