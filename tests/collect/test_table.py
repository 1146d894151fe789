"""Each row of the answers table, at each endpoint: exact status and code, and that nothing was stored."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from hark.clock import WallClock
from hark.collect.counts import Counts
from hark.collect.dispatch import Collect as App
from hark.collect.hooks.known import Hooks
from hark.collect.queue import Appender
from hark.collect.rate import Rate
from hark.collect.routes import OURS, ROUTES
from hark.collect.sources import Source, Sources, write_sources
from hark.collect.steps import Context
from hark.model import Lane
from hark.store.contracts import Place
from hark.store.log import LogReader, LogStore
from tests.collect.conftest import held, map_hooks, serving
from tests.collect.endpoints import CALL, ENDPOINTS, HOOK, SEGMENT, Endpoint
from tests.collect.runner import Collect

at_each = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
BATCHED = [endpoint for endpoint in ENDPOINTS if endpoint.batched]
SINGLE = [endpoint for endpoint in ENDPOINTS if not endpoint.batched and endpoint is not HOOK]
HUGE = "x" * 512_000


@pytest.fixture(scope="module")
def line(collect: Collect) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collect.url, trust_env=False, timeout=30, verify=False) as client:
        yield client


def send(
    line: httpx.Client, endpoint: Endpoint, body: bytes | None = None, key: str | None = None, **headers: str
) -> httpx.Response:
    key = endpoint.key if key is None else key
    body = endpoint.sent() if body is None else body
    auth = (key, "") if key else None
    return line.request(endpoint.method, endpoint.path, content=body, auth=auth, headers=headers)


def ends(collect: Collect) -> dict[Lane, int]:
    reader = LogReader(collect.data / "log")
    try:
        return reader.ends()
    finally:
        reader.close()


@contextmanager
def nothing_stored(collect: Collect) -> Iterator[None]:
    before = ends(collect)
    yield
    assert ends(collect) == before


def test_every_route_is_held_against_the_table() -> None:
    """No endpoint that takes something is left out."""
    own = [route for route in ROUTES if route.path.startswith(("/v1/", "/batch", "/api/v1/", "/hooks/"))]
    own = [route for route in own if route.path not in ("/v1/m", "/v1/projects/{key}/settings")]
    assert len(own) == len(ENDPOINTS)
    for route in own:
        path = re.sub(r"\{\w+\}", "x", route.path)
        assert any(route.method == one.method and _same(one.path, path) for one in ENDPOINTS), route.path


def _same(path: str, pattern: str) -> bool:
    mine, theirs = path.split("/"), pattern.split("/")
    return len(mine) == len(theirs) and all(b in (a, "x") for a, b in zip(mine, theirs, strict=True))


@at_each
def test_valid(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """200 `{"success": true}`, and one row more is in the log of its lane."""
    before = ends(collect)
    answer = send(line, endpoint)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["access-control-allow-origin"] == "*"
    lane = Lane.URGENT if endpoint.urgent else Lane.LIVE
    assert ends(collect)[lane] == max(before.values()) + 1


@at_each
def test_repeated(line: httpx.Client, endpoint: Endpoint) -> None:
    """What comes again is answered by 200 again: it is the engine that stores it once."""
    assert [send(line, endpoint).status_code for _ in range(2)] == [200, 200]


BROKEN: dict[str, tuple[Callable[[Endpoint], bytes], str]] = {
    "broken JSON": (lambda one: one.sent()[:-1], "broken_json"),
    "not an object": (lambda one: b"[" + one.sent() + b"]", "not_an_object"),
    "NaN": (lambda one: one.sent("NaN"), "broken_json"),
    "Infinity": (lambda one: one.sent("-Infinity"), "broken_json"),
    "depth over 64": (lambda one: one.sent("[" * 65 + "]" * 65), "too_deep"),
    "invalid UTF-8": (lambda one: one.sent('"\udcff"'), "invalid_utf8"),
    "lone surrogate": (lambda one: one.sent('"\\ud800"'), "lone_surrogate"),
    "over 500 KB": (lambda one: one.sent(f'"{HUGE}"'), "body_too_large"),
}


@at_each
@pytest.mark.parametrize("row", BROKEN)
def test_broken(collect: Collect, line: httpx.Client, endpoint: Endpoint, row: str) -> None:
    """400 with the code and a message."""
    make, code = BROKEN[row]
    if (endpoint, row) == (HOOK, "not an object"):
        pytest.skip("services send JSON of any shape")
    with nothing_stored(collect):
        answer = send(line, endpoint, make(endpoint))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"]


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.stored], ids=str)
def test_a_number_no_double_can_hold(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """400 wherever it would be stored."""
    with nothing_stored(collect):
        answer = send(line, endpoint, endpoint.with_stored("1e999"))
        assert (answer.status_code, answer.json()["code"]) == (400, "number_out_of_range")
    assert send(line, endpoint, endpoint.with_stored("1e99")).status_code == 200


@pytest.mark.parametrize("endpoint", SINGLE, ids=str)
def test_a_single_call_over_32_kb(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """400; up to that size it is taken."""
    with nothing_stored(collect):
        answer = send(line, endpoint, endpoint.sent('"' + "x" * 32 * 1024 + '"'))
        assert (answer.status_code, answer.json()["code"]) == (400, "call_too_large")
    assert send(line, endpoint, endpoint.sent('"' + "x" * 30_000 + '"')).status_code == 200


@pytest.mark.parametrize("endpoint", BATCHED, ids=str)
def test_over_2500_events(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """400 for one more than 2,500."""
    many = Endpoint(endpoint.method, endpoint.path, {"batch": endpoint.body["batch"] * 2_501})
    with nothing_stored(collect):
        answer = send(line, many)
        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_events")


@pytest.mark.parametrize("endpoint", BATCHED, ids=str)
def test_some_members_invalid(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """200, the good are stored, the bad listed and in the reject log; strict: 400 and nothing stored."""
    good = endpoint.body["batch"][0]
    big = {**good, "properties": {"a": "x" * 32 * 1024}}
    mixed = Endpoint(endpoint.method, endpoint.path, {"batch": [good, {}, big]})
    answer = send(line, mixed)
    refused = [(one["index"], one["code"]) for one in answer.json()["refused"]]
    no_type = "unknown_type" if endpoint in SEGMENT else "no_id"
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert refused == [(1, no_type), (2, "too_large")]
    newest = collect.rejects()[:2]
    assert sorted((one.index, one.reason) for one in newest) == refused
    with nothing_stored(collect):
        answer = send(line, mixed, key="wk_strict")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_members")


@at_each
def test_packed(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """gzip is unpacked; truncated it is 400, a bomb is 400, an unknown encoding is 415."""
    packed = gzip.compress(endpoint.sent(), mtime=0)
    how = {"Content-Encoding": "gzip"}
    assert send(line, endpoint, packed, **how).status_code == 200
    with nothing_stored(collect):
        cut = send(line, endpoint, packed[:-6], **how)
        assert (cut.status_code, cut.json()["code"]) == (400, "broken_gzip")
        bomb = send(line, endpoint, BOMB, **how)
        assert (bomb.status_code, bomb.json()["code"]) == (400, "body_too_large")
        unknown = send(line, endpoint, packed, **{"Content-Encoding": "br"})
        assert (unknown.status_code, unknown.json()["code"]) == (415, "unknown_encoding")


BOMB = gzip.compress(b" " * 50_000_000, 6)


@at_each
@pytest.mark.parametrize(
    ("key", "code"), [("", "key_missing"), ("wk_nobody", "key_unknown"), ("wk_old", "key_disabled")]
)
def test_keys(collect: Collect, line: httpx.Client, endpoint: Endpoint, key: str, code: str) -> None:
    """Missing, unknown and disabled keys are 401."""
    with nothing_stored(collect):
        answer = send(line, endpoint, key=key)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.secret], ids=str)
def test_what_a_public_key_may_not(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """403."""
    with nothing_stored(collect):
        answer = send(line, endpoint, key="wk_web")
        assert (answer.status_code, answer.json()["code"]) == (403, "needs_secret_key")


PROTECTED = [
    Endpoint("POST", "/v1/track", {"userId": "a", "event": "Paid"}),
    Endpoint("POST", "/v1/t", {"userId": "a", "event": "Paid"}),
    Endpoint("POST", "/api/v1/customers/a/events", {"name": "Paid"}),
    Endpoint("POST", "/api/v1/events", {"name": "Paid", "anonymous_id": "a"}),
]


@pytest.mark.parametrize("endpoint", PROTECTED, ids=str)
def test_protected_events(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """A protected event is 403 from a public key, 200 from a secret one."""
    with nothing_stored(collect):
        answer = send(line, endpoint, key="wk_guarded")
        assert (answer.status_code, answer.json()["code"]) == (403, "needs_secret_key")
    assert send(line, endpoint, key="sk_guarded").status_code == 200


@pytest.mark.parametrize("endpoint", BATCHED, ids=str)
def test_protected_events_in_a_batch(line: httpx.Client, endpoint: Endpoint) -> None:
    """In a batch a protected event is an invalid member."""
    paid = {**endpoint.body["batch"][0], "event": "Paid"}
    answer = send(line, Endpoint("POST", endpoint.path, {"batch": [paid]}), key="wk_guarded")
    assert answer.status_code == 200
    assert [one["code"] for one in answer.json()["refused"]] == ["needs_secret_key"]


@at_each
def test_an_unknown_path(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """404 in JSON below our prefixes."""
    path = endpoint.path.rstrip("/") + "/no/such/path"
    if not path.startswith(OURS):
        pytest.skip("a path beside PostHog's belongs to the console")
    with nothing_stored(collect):
        answer = send(line, Endpoint(endpoint.method, path, endpoint.body))
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_path")


@at_each
def test_a_wrong_method(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """405, and Allow names the right ones."""
    with nothing_stored(collect):
        answer = send(line, Endpoint("PATCH", endpoint.path, endpoint.body))
        assert (answer.status_code, answer.json()["code"]) == (405, "wrong_method")
    assert endpoint.method in answer.headers["allow"].split(", ")


@at_each
def test_a_preflight(collect: Collect, line: httpx.Client, endpoint: Endpoint) -> None:
    """A browser may send the method, JSON and an Authorization header from any page."""
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "authorization"}
    answer = line.options(endpoint.path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert endpoint.method in answer.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )


def head(endpoint: Endpoint, length: int, more: bytes = b"") -> bytes:
    start = f"{endpoint.method} {endpoint.path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    key = f"Authorization: Bearer {endpoint.key}\r\nContent-Length: {length}\r\n"
    return (start + key).encode() + more + b"\r\n"


@pytest.fixture(scope="module")
def slow(collect: Collect) -> dict[str, bytes]:
    """What each endpoint says to a body that stops half-way, all asked at once."""
    lines = {}
    for one in ENDPOINTS:
        body = one.sent('"slow"')
        lines[str(one)] = socket.create_connection(("127.0.0.1", collect.port), timeout=15)
        lines[str(one)].sendall(head(one, len(body)) + body[:-3])
    time.sleep(1.5)
    return {name: rest_of(line) for name, line in lines.items()}


def rest_of(line: socket.socket) -> bytes:
    with line:
        return b"".join(iter(lambda: line.recv(65536), b""))


@at_each
def test_a_slow_body(slow: dict[str, bytes], endpoint: Endpoint) -> None:
    """408 after the time that a body may take (here one second)."""
    assert slow[str(endpoint)].startswith(b"HTTP/1.1 408 ")
    assert b'"body_timeout"' in slow[str(endpoint)]


@at_each
def test_a_body_cut_short(collect: Collect, endpoint: Endpoint) -> None:
    """The end of the connection is not the end of the body: 400 or nobody to answer, and nothing stored."""
    body = endpoint.sent()
    with nothing_stored(collect):
        answer = collect.raw(head(endpoint, len(body) + 20) + body, cut=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        time.sleep(0.02)


@at_each
def test_large_headers(collect: Collect, endpoint: Endpoint) -> None:
    """431 from 16 KB on."""
    body = endpoint.sent()
    with nothing_stored(collect):
        answer = collect.raw(head(endpoint, len(body), b"X-Much: " + b"x" * 17_000 + b"\r\n") + body)
        assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """A server whose keys have used up their rate."""
    with serving(tmp_path_factory.mktemp("rate"), "rate_per_s = 0.001\n") as running:
        for key in ("wk_web", "sk_web"):
            assert running.post("/v1/track", CALL, key).status_code == 200
        yield running


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """A server whose disk has less free space than it is told to leave."""
    with serving(tmp_path_factory.mktemp("full"), "min_free_mb = 1000000000\n") as running:
        yield running


@at_each
def test_the_rate_passed(limited: Collect, endpoint: Endpoint) -> None:
    """429 and Retry-After."""
    with httpx.Client(base_url=limited.url, trust_env=False, verify=False) as line, nothing_stored(limited):
        answer = send(line, endpoint)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_passed")
        assert int(answer.headers["retry-after"]) >= 1


@at_each
def test_a_full_disk(full: Collect, endpoint: Endpoint) -> None:
    """503 and Retry-After."""
    with httpx.Client(base_url=full.url, trust_env=False, verify=False) as line, nothing_stored(full):
        answer = send(line, endpoint)
        assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
        assert int(answer.headers["retry-after"]) >= 1


BUSY = {
    "draining": (lambda context, _: setattr(context, "draining", True), "draining"),
    "overload": (lambda _, appender: setattr(appender, "_most", 0), "overload"),
    "a failed fsync": (lambda _, appender: fail(appender), "log_broken"),
}


def fail(appender: Appender) -> None:
    appender._store.file.set_authorizer(lambda *_: apsw.SQLITE_DENY)  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", BUSY)
def test_what_is_for_now_only(tmp_path: Path, row: str) -> None:
    """Draining, overloaded, or with a log that can't be written: 503 and Retry-After at every endpoint."""
    write_sources(tmp_path, [Source("web", held("wk_web", "sk_web"))])
    map_hooks(tmp_path)
    spoil, code = BUSY[row]
    answers = asyncio.run(busy(tmp_path, spoil))
    assert {(status, said) for status, said, _ in answers} == {(503, code)}
    assert len(answers) == len(ENDPOINTS)
    assert all(int(after) >= 1 for _, _, after in answers)
    reader = LogReader(tmp_path / "log")
    assert set(reader.ends().values()) == {0}
    reader.close()


async def busy(data: Path, spoil: Any) -> list[tuple[int, str, str]]:
    """(status, code, Retry-After) of each endpoint of an application in this process, once it is spoiled."""
    store = LogStore(data / "log")
    clock = WallClock()
    appender = Appender(store, lambda: None)
    context = Context(Sources(data), Rate(0.0), Hooks(data))
    nobody: Any = None
    app = App(context, appender, clock, Counts(clock, Place(), {}), nobody, nobody)
    spoil(context, appender)
    transport = httpx.ASGITransport(app=app)
    found = []
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as line:
        for one in ENDPOINTS:
            auth = (one.key, "")
            answer = await line.request(one.method, one.path, content=one.sent(), auth=auth)
            found.append((answer.status_code, answer.json()["code"], answer.headers["retry-after"]))
    await appender.close()
    return found
