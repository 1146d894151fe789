"""The answers table of the HTTP contract: one case per row and way of meeting it."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from hark.collect.sources import Made
from hark.model import ConsentName, FactName
from tests.cast import eventually
from tests.collect.runner import Collect

CALL = {"userId": "ada", "event": "Opened"}
TRACK = {"type": "track", **CALL}
KEY = "wk_web"
DEEP = b'{"userId":"a","event":"x","properties":' + b'{"a":' * 64 + b"1" + b"}" * 64 + b"}"


def batch(*members: Any, **more: Any) -> dict[str, Any]:
    return {"batch": list(members), **more}


def big(size: int) -> dict[str, Any]:
    return {**TRACK, "properties": {"text": "x" * size}}


BROKEN = {
    "no JSON": (b"{userId}", "broken_json"),
    "nothing": (b"", "broken_json"),
    "cut JSON": (b'{"userId":"a","event":"x"', "broken_json"),
    "a trailing comma inside properties": (
        b'{"userId":"a","event":"x","properties":{"a":1,}}',
        "broken_json",
    ),
    "broken after a key of another type": (b'{"batch":5,"writeKey":[],"a" "b"}', "broken_json"),
    "NaN": (b'{"userId":"a","event":"x","properties":{"a":NaN}}', "broken_json"),
    "Infinity": (b'{"userId":"a","event":"x","properties":{"a":-Infinity}}', "broken_json"),
    "a number which is infinite": (
        b'{"userId":"a","event":"x","properties":{"a":1e999}}',
        "number_out_of_range",
    ),
    "a list": (b'[{"userId":"a","event":"x"}]', "not_an_object"),
    "a text": (b'"hello"', "not_an_object"),
    "no UTF-8": (b'{"userId":"a","event":"x","properties":{"a":"\xff"}}', "invalid_utf8"),
    "half a surrogate pair": (b'{"userId":"a","event":"x","properties":{"a":"\\ud800"}}', "lone_surrogate"),
    "a surrogate in raw bytes": (b'{"userId":"a","event":"\xed\xa0\x80"}', "invalid_utf8"),
    "depth 65": (DEEP, "too_deep"),
    "depth 65 beside strings with brackets": (DEEP.replace(b"1", b'"}}\\"}}"'), "too_deep"),
    "endless brackets": (b'{"a":' + b"[" * 30_000, "too_deep"),
    "a call over 32 KB": (json.dumps(big(32 * 1024)).encode(), "call_too_large"),
    "a body over 500 KB": (b'{"a":"' + b"x" * 512_000 + b'"}', "body_too_large"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_a_broken_body_is_400_and_nothing_is_stored(collect: Collect, path: str, case: str) -> None:
    """Whatever is wrong with a body as a whole is answered by 400, a code and a message, and not stored."""
    body, code = BROKEN[case]
    if path == "/v1/batch" and code in ("call_too_large", "number_out_of_range"):
        code = "no_batch"
    answer = collect.post(path, body, KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"]
    assert body not in [row.body for row in collect.rows()]


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "1" * 400 + ".5", "1" * 5_000])
@pytest.mark.parametrize("place", ["properties", "context", "traits"])
def test_a_number_out_of_range_inside_a_batch_is_400(collect: Collect, place: str, number: str) -> None:
    """No stored object holds a number that would break whoever decodes it; near misses are taken."""
    kind = "identify" if place == "traits" else "track"
    member = f'{{"type":"{kind}","userId":"a","event":"e",' + '"%s":{"a":%s,"b":"1e999"}}'
    answer = collect.post("/v1/batch", b'{"batch":[%s]}' % (member % (place, number)).encode(), KEY)
    assert (answer.status_code, answer.json().get("code")) == (400, "number_out_of_range")
    taken = b'{"batch":[%s]}' % (member % (place, "1e300")).encode()
    assert collect.post("/v1/batch", taken, KEY).json() == {"success": True}


def test_depth_64_is_taken(collect: Collect) -> None:
    """Exactly 64 levels are allowed."""
    body = DEEP.replace(b'{"a":' * 64, b'{"a":' * 63).replace(b"}" * 65, b"}" * 64)
    assert collect.post("/v1/track", body, KEY).status_code == 200


@pytest.mark.parametrize("path", ["track", "t", "identify", "i", "page", "p", "screen", "s"])
def test_a_valid_call_is_200_success(collect: Collect, path: str) -> None:
    """Every call and its short form is answered by 200 and a JSON object, and is in the log as it came."""
    body = json.dumps({**CALL, "messageId": f"one {path}"}).encode()
    answer = collect.post(f"/v1/{path}", body, KEY)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    kinds = {"t": "track", "i": "identify", "p": "page", "s": "screen"}
    assert [(row.kind, row.source) for row in collect.rows() if row.body == body] == [
        (kinds.get(path, path), "web")
    ]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("pack", [None, gzip.compress, zlib.compress])
def test_a_valid_batch_is_200_success(collect: Collect, kind: str, pack: Any) -> None:
    """A batch is taken whatever its content type, packed or not."""
    body = json.dumps(batch(TRACK, {**TRACK, "event": "Closed"})).encode()
    headers = {"Content-Type": kind} if kind else {}
    if pack:
        body = pack(body)
        headers["Content-Encoding"] = "gzip" if pack is gzip.compress else "deflate"
    answer = collect.post("/v1/batch", body, KEY, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_an_empty_batch_is_200(collect: Collect) -> None:
    """A batch of nothing is valid."""
    assert collect.post("/v1/batch", batch(), KEY).json() == {"success": True}


def test_invalid_members_are_listed_and_the_good_are_stored(collect: Collect) -> None:
    """200 lists index and reason of each refused member; the row names them and the reject log shows them."""
    members = [
        TRACK,
        {"type": "track", "event": "x"},
        {"type": "dance", "userId": "a"},
        {"type": "track", "userId": "a"},
        {**TRACK, "timestamp": "yesterday"},
        {**TRACK, "timestamp": "2026-01-01T00:00:00"},
        {**TRACK, "properties": [1]},
        {**TRACK, "userId": {"a": 1}},
        "text",
        big(32 * 1024),
        {**TRACK, "event": "the last good one"},
    ]
    answer = collect.post("/v1/batch", batch(*members), KEY)
    reasons = ["no_id", "unknown_type", "no_event", "bad_time", "bad_time"]
    reasons += ["wrong_type", "wrong_type", "wrong_type", "too_large"]
    assert answer.status_code == 200
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == list(enumerate(reasons, 1))
    row = next(row for row in collect.rows() if b"the last good one" in row.body)
    assert json.loads(row.refused) == list(range(1, 10))
    shown = {(one.index, one.reason): one for one in collect.rejects() if one.received_at == row.received_at}
    assert set(shown) == set(enumerate(reasons, 1))
    assert shown[1, "no_id"].excerpt == json.dumps(members[1]).encode()


def test_a_strict_source_refuses_the_whole_batch(collect: Collect) -> None:
    """In strict mode one invalid member is 400 and nothing is stored."""
    body = json.dumps(batch({**TRACK, "event": "strictly"}, {"type": "track"})).encode()
    answer = collect.post("/v1/batch", body, "wk_strict")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_members")
    assert body not in [row.body for row in collect.rows()]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"event": "x"}, "no_id"),
        ({"userId": None, "anonymousId": "", "event": "x"}, "no_id"),
        ({"userId": "a"}, "no_event"),
        ({"userId": "a", "event": ""}, "no_event"),
        ({"userId": "a", "event": 5}, "wrong_type"),
        ({**CALL, "timestamp": "soon"}, "bad_time"),
        ({**CALL, "properties": "text"}, "wrong_type"),
    ],
)
def test_an_invalid_single_call_is_400(collect: Collect, body: Any, code: str) -> None:
    """A single invalid call is refused by the reason it would have as a member."""
    answer = collect.post("/v1/track", body, KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("name", [*FactName, ConsentName.CONFIRMED])
def test_reserved_names_are_refused(collect: Collect, name: str) -> None:
    """No client can write a fact of Hark's own, alone or in a batch; also not with a secret key."""
    alone = collect.post("/v1/track", {**CALL, "event": name}, "sk_web")
    assert (alone.status_code, alone.json()["code"]) == (400, "reserved_name")
    together = collect.post("/v1/batch", batch({**TRACK, "event": name}, TRACK), KEY)
    assert together.json()["refused"][0]["code"] == "reserved_name"


def test_too_many_events(collect: Collect) -> None:
    """2,500 calls in a batch are taken, one more is 400."""
    member = {"type": "track", "userId": "a", "event": "x"}
    assert collect.post("/v1/batch", batch(*[member] * 2_500), KEY).status_code == 200
    answer = collect.post("/v1/batch", batch(*[member] * 2_501), KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_events")


@pytest.mark.parametrize("body", [{"a": 1}, {"batch": {}}, {"batch": None}])
def test_a_batch_without_a_list(collect: Collect, body: Any) -> None:
    """A batch needs its list of calls."""
    answer = collect.post("/v1/batch", body, KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_batch")


def test_a_gzip_bomb_is_refused_in_bounded_memory(collect: Collect) -> None:
    """400 KB that unpack to 400 MB are refused, and the process grew by no more than a few bodies."""
    bomb = gzip.compress(b" " * 400_000_000, 1)
    bomb = gzip.compress(b" " * 100_000_000, 9) if len(bomb) > 500_000 else bomb
    before = resident_bytes(collect)
    for _ in range(5):
        answer = collect.post("/v1/batch", bomb, KEY, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
    assert resident_bytes(collect) - before < 8_000_000


def resident_bytes(collect: Collect) -> int:
    return int(Path(f"/proc/{collect.process.pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("body", [gzip.compress(b'{"batch":[]}', mtime=0)[:-9], b"\x1f\x8b", b"no gzip"])
def test_truncated_gzip(collect: Collect, body: bytes) -> None:
    """A packed body that is cut short or no gzip at all is 400."""
    answer = collect.post("/v1/batch", body, KEY, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_gzip")


def test_an_unknown_content_encoding(collect: Collect) -> None:
    """What we can't unpack is 415."""
    answer = collect.post("/v1/batch", b"x", KEY, headers={"Content-Encoding": "br"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unknown_encoding")


def test_the_key_is_found_wherever_clients_put_it(collect: Collect) -> None:
    """Basic user name, bearer, writeKey (top level, first member), api_key; a second key opens too."""
    basic = {"Authorization": "Basic " + b64encode(b"wk_web:").decode()}
    bearer = {"Authorization": "Bearer wk_web_2"}
    ways: list[tuple[Any, dict[str, str]]] = [
        (batch(TRACK), basic),
        (batch(TRACK), bearer),
        (batch(TRACK, writeKey=KEY), {}),
        (batch({**TRACK, "writeKey": KEY}), {}),
        (batch(TRACK, api_key=KEY), {}),
        (batch(TRACK, writeKey="sk_web"), {}),
    ]
    for body, headers in ways:
        assert collect.post("/v1/batch", body, headers=headers).status_code == 200, (body, headers)


@pytest.mark.parametrize(
    ("key", "code"), [("", "key_missing"), ("wk_nobody", "key_unknown"), ("wk_old", "key_disabled")]
)
def test_a_wrong_key_is_401(collect: Collect, key: str, code: str) -> None:
    """Missing, unknown and disabled keys are 401, and nothing is stored."""
    body = json.dumps(batch({**TRACK, "event": f"with {code}"})).encode()
    answer = collect.post("/v1/batch", body, key)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert body not in [row.body for row in collect.rows()]


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer", "Negotiate abc", "Basic " + "A" * 999])
def test_a_broken_authorization_header_is_401(collect: Collect, header: str) -> None:
    """An Authorization header that says nothing is a missing key."""
    answer = collect.post("/v1/track", CALL, headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_protected_event_needs_the_secret_key(collect: Collect) -> None:
    """From a public key a protected event is 403 (an invalid member in a batch), from a secret key 200."""
    paid = {"userId": "a", "event": "Paid"}
    answer = collect.post("/v1/track", paid, "wk_guarded")
    assert (answer.status_code, answer.json()["code"]) == (403, "needs_secret_key")
    assert collect.post("/v1/track", paid, "sk_guarded").status_code == 200
    mixed = collect.post("/v1/batch", batch({"type": "track", **paid}, TRACK), "wk_guarded")
    assert [one["code"] for one in mixed.json()["refused"]] == ["needs_secret_key"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/track/more", "/control/nothing"])
def test_an_unknown_path_is_404(collect: Collect, path: str) -> None:
    """Under our own prefixes what is not there is 404, with a JSON object."""
    answer = collect.post(path, CALL, KEY)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_path")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_405(collect: Collect, method: str) -> None:
    """Only POST collects, and the answer says so."""
    request = f"{method} /v1/track HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
    answer = collect.raw(request)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"allow: POST, OPTIONS" in answer


def test_a_browsers_preflight_is_allowed(collect: Collect) -> None:
    """OPTIONS allows any origin to send JSON with an Authorization header."""
    answer = collect.raw(b"OPTIONS /v1/t HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"access-control-allow-origin: *" in answer
    assert b"access-control-allow-headers: authorization" in answer


def head(length: int, more: bytes = b"") -> bytes:
    lines = b"POST /v1/track HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer wk_web\r\n"
    return lines + more + b"Content-Length: " + str(length).encode() + b"\r\n\r\n"


def test_a_slow_body_is_408(collect: Collect) -> None:
    """A body that does not arrive in time (here one second) is 408, and nothing is stored."""
    body = b'{"userId":"slow","event":"x"}'
    answer = collect.raw(head(len(body)) + body[:10], pause_s=1.5)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body_timeout" in answer
    assert body not in [row.body for row in collect.rows()]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_cut_short_is_never_stored(collect: Collect, chunked: bool) -> None:
    """The end of the connection is not the end of the body, also where what came is a whole call."""
    body = b'{"userId":"cut","event":"whole JSON %d"}' % chunked
    length = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)
    request = head(0).partition(b"Content-Length")[0] + length if chunked else head(len(body) + 20) + body
    answer = collect.raw(request, cut=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert body not in [row.body for row in collect.rows()]


def test_a_chunked_body_is_taken(collect: Collect) -> None:
    """A body in chunks is the same body."""
    body = b'{"userId":"a","event":"in chunks"}'
    start = head(0).partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    chunks = b"10\r\n" + body[:16] + b"\r\n" + b"%x\r\n" % len(body[16:]) + body[16:] + b"\r\n0\r\n\r\n"
    assert collect.raw(start, chunks, pause_s=0.1).startswith(b"HTTP/1.1 200 ")
    assert body in [row.body for row in collect.rows()]


@pytest.mark.parametrize(("size", "status"), [(15_000, b"200"), (17_000, b"431"), (100_000, b"431")])
def test_large_headers_are_431(collect: Collect, size: int, status: bytes) -> None:
    """16 KB of headers are taken, more is 431: ours up to the server's read buffer, the server's beyond."""
    body = json.dumps(CALL).encode()
    answer = collect.raw(head(len(body), b"X-Much: " + b"x" * size + b"\r\n") + body)
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_many_headers_are_431(collect: Collect) -> None:
    """So are headers in great number."""
    body = json.dumps(CALL).encode()
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(500))
    assert collect.raw(head(len(body), many) + body).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"POST /v1/track HTTP/9.9\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/track HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/%ff%fe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"POST /v1/track?a=%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ],
)
def test_nothing_a_client_sends_is_a_500(collect: Collect, request_bytes: bytes) -> None:
    """Broken HTTP gets 4xx or the end of the connection; and the server lives on."""
    answer = collect.raw(request_bytes, cut=True)
    assert answer == b"" or answer[9:10] == b"4"
    assert collect.post("/v1/track", CALL, KEY).status_code == 200


def test_a_refused_body_leaves_the_connection_usable(collect: Collect) -> None:
    """On one connection a refused and a good call follow each other."""
    bad = head(3).replace(b"Connection: close\r\n", b"") + b"{]}"
    body = json.dumps({**CALL, "event": "after a refusal"}).encode()
    answers = collect.raw(bad, head(len(body)) + body, pause_s=0.2)
    assert answers.count(b"HTTP/1.1 400 ") == 1
    assert answers.count(b"HTTP/1.1 200 ") == 1


def counted(collect: Collect, received: int) -> Any:
    """The status once so many calls are counted: a request refused as a whole is counted when it is kept."""
    status = collect.control("/control/status").json()
    return status if status["received"] >= received else None


def test_counts_name_every_refusal(collect: Collect, keys: Made) -> None:
    """`/control/status` counts accepted and refused calls by source and reason."""
    before = collect.control("/control/status").json()
    collect.post("/v1/batch", batch(TRACK, {"type": "track"}), keys.write_key)
    collect.post("/v1/track", CALL, "wk_nobody")
    after = eventually(
        lambda: counted(collect, before["received"] + 3), what="what nobody waits for is counted"
    )
    assert after["received"] - before["received"] == 3
    assert after["refused"] - before["refused"] == 2
    assert after["sources"][""]["refused"]["key_unknown"] >= 1
    assert after["end"]["live"] > 0
