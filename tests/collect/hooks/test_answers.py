"""What a webhook is answered, beyond the rows that it shares with every endpoint (test_table.py, one up).

Status and code are those of docs/hooks.md; the log, and the calls in the reject log, grow only where it says.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hark.collect.refusals import MemberReason
from hark.collect.sources import HookSecret, Source, write_sources
from hark.store.contracts import Reject
from tests.collect.conftest import held, map_hooks
from tests.collect.runner import Collect, collecting

SECRETS = (HookSecret("s1", "the-newer"), HookSecret("s2", "the-older"))
RULES = """
mapping:
  - {when: "body.type == 'ping'", ignore: true}
  - {when: "body.type == 'paid'", event: Paid, user: body.user}
  - {when: "body.type == 'many'", each: body.of, event: Opened, user: item}
  - {when: "body.type == 'opened'", event: Opened, user: body.user, time: body.at}
"""
TIMED = "signature: {scheme: stripe}"
SIGNED = ["shop", "strict", "bare", "off"]
DOCUMENTS = "---".join(
    [
        *(f"\nsource: {name}\nsignature: {{scheme: github}}\n{RULES}" for name in SIGNED),
        f"\nsource: timed\n{TIMED}\n{RULES}",
        *(f"\nsource: {name}\n{RULES}" for name in ("form", "careful")),
    ]
)
OPENED = {"type": "opened", "user": "ada"}


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """A server of signed sources (of one of them the mapping alone is there), and of two that a key opens."""
    data = tmp_path_factory.mktemp("hooked")
    guarded = ("Paid",)
    sources = [
        Source("shop", hook_secrets=SECRETS, protected=guarded),
        Source("strict", hook_secrets=SECRETS, strict=True),
        Source("timed", hook_secrets=SECRETS),
        Source("off", hook_secrets=SECRETS, disabled=True),
        Source("bare"),
        Source("plain", held("wk_plain")),
        Source("form", held("wk_form", "sk_form"), protected=guarded),
        Source("careful", held("wk_careful", "sk_careful"), strict=True, protected=guarded),
    ]
    write_sources(data, sources)
    map_hooks(data, DOCUMENTS)
    with collecting(data) as running:
        yield running


def tag(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def call(
    hooked: Collect, source: str, body: Any, secret: str = "the-newer", key: str = "", **headers: str
) -> httpx.Response:
    """A webhook as a service sends it: signed, unless there is no secret or headers of its own."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if secret and not headers:
        headers = {"X-Hub-Signature-256": f"sha256={tag(content, secret)}"}
    return hooked.post(f"/hooks/{source}", content, key, headers=headers)


class Kept:
    """What was stored and noted since it was made.

    A request that is refused whole is noted after its answer, so only calls are counted here.
    """

    def __init__(self, hooked: Collect) -> None:
        self.hooked, self.rows, self.rejects = hooked, len(hooked.rows()), len(calls_refused(hooked))

    def __call__(self) -> tuple[int, int]:
        """(rows more in the log, calls more in the reject log)."""
        return len(self.hooked.rows()) - self.rows, len(calls_refused(self.hooked)) - self.rejects


def calls_refused(hooked: Collect) -> list[Reject]:
    """Newest first."""
    return [one for one in hooked.rejects() if one.reason in set(MemberReason)]


@pytest.fixture
def kept(hooked: Collect) -> Kept:
    return Kept(hooked)


@pytest.mark.parametrize("secret", ["the-newer", "the-older"])
def test_what_was_signed_is_stored(hooked: Collect, kept: Kept, secret: str) -> None:
    """200 `{"success": true}` by either of two secrets, as calls under the source's name."""
    answer = call(hooked, "shop", OPENED, secret)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert kept() == (1, 0)
    row = hooked.rows()[-1]
    (stored,) = json.loads(row.body)["batch"]
    assert (row.source, row.kind) == ("shop", "hook")
    assert (stored["type"], stored["event"], stored["userId"]) == ("track", "Opened", "ada")


NOT_BELIEVED: dict[str, tuple[str, dict[str, str], int, str]] = {
    "another secret": ("shop", {"secret": "a-guess"}, 401, "signature_wrong"),
    "the signature of another body": (
        "shop",
        {"X-Hub-Signature-256": f"sha256={tag(b'{}', 'the-newer')}"},
        401,
        "signature_wrong",
    ),
    "no signature": ("shop", {"secret": ""}, 401, "signature_missing"),
    "no signature but a key": ("shop", {"secret": "", "key": "sk_form"}, 401, "signature_missing"),
    "no secret kept": ("bare", {}, 401, "signature_unknown"),
    "a disabled source": ("off", {}, 401, "key_disabled"),
    "an unknown source": ("nobody", {}, 404, "unknown_hook"),
    "a source without a mapping": ("plain", {"secret": "", "key": "wk_plain"}, 404, "unknown_hook"),
    "no key": ("form", {"secret": ""}, 401, "key_missing"),
    "an unknown key": ("form", {"secret": "", "key": "wk_nobody"}, 401, "key_unknown"),
    "another source's key": ("form", {"secret": "", "key": "wk_plain"}, 401, "key_unknown"),
}


@pytest.mark.parametrize("case", NOT_BELIEVED)
def test_what_is_not_believed_is_not_stored(hooked: Collect, kept: Kept, case: str) -> None:
    """401 (404 where nothing is set up) with the reason, and nothing of it is stored."""
    source, how, status, code = NOT_BELIEVED[case]
    answer = call(hooked, source, OPENED, **how)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert kept() == (0, 0)


@pytest.mark.parametrize(("ago_s", "found"), [(0, 200), (3_600, 401), (-3_600, 401)])
def test_an_old_signature_is_a_replay(hooked: Collect, kept: Kept, ago_s: int, found: int) -> None:
    """Signed an hour ago, or in an hour: 401 `signature_old`."""
    content = json.dumps(OPENED).encode()
    at = str(int(time.time()) - ago_s)
    signed = f"t={at},v1={tag(at.encode() + b'.' + content, 'the-newer')}"
    answer = call(hooked, "timed", content, **{"Stripe-Signature": signed})
    assert (answer.status_code, answer.json().get("code")) == (found, "signature_old" if ago_s else None)
    assert kept() == (0 if ago_s else 1, 0)


@pytest.mark.parametrize(
    ("source", "how"),
    [("shop", {}), ("strict", {}), ("form", {"key": "wk_form"}), ("careful", {"key": "wk_careful"})],
)
def test_a_payload_without_a_rule_stands_in_the_reject_log(
    hooked: Collect, kept: Kept, source: str, how: dict[str, str]
) -> None:
    """200 with `ignored`, also of a strict source; nothing stored, the first 500 bytes can be looked at."""
    body = {"type": "a-new-kind", "text": "x" * 2_000}
    answer = call(hooked, source, body, secret="" if how else "the-newer", **how)
    assert answer.status_code == 200
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [(-1, "ignored")]
    assert kept() == (0, 1)
    newest = calls_refused(hooked)[0]
    assert (newest.source, newest.reason) == (source, "ignored")
    assert newest.excerpt == json.dumps(body).encode()[:500]


def test_what_a_rule_passes_over_is_noted_nowhere(hooked: Collect, kept: Kept) -> None:
    """200, nothing stored and nothing noted."""
    answer = call(hooked, "shop", {"type": "ping"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert kept() == (0, 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"type": "opened"}, "no_id"), ({"type": "opened", "user": "ada", "at": "soon"}, "bad_time")],
)
def test_a_call_that_cannot_be_taken(hooked: Collect, kept: Kept, body: Any, code: str) -> None:
    """200 with `refused`, and in the reject log; a strict source answers 400, the log has it too."""
    answer = call(hooked, "shop", body)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [(0, code)]
    assert kept() == (0, 1)
    answer = call(hooked, "strict", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_members")
    assert kept() == (0, 2)
    assert [(one.source, one.reason) for one in calls_refused(hooked)[:2]] == [
        ("strict", code),
        ("shop", code),
    ]


def test_the_good_calls_of_a_payload_are_stored(hooked: Collect, kept: Kept) -> None:
    """Of three calls the one of nobody is refused by its index; of a strict source none is stored."""
    body = {"type": "many", "of": ["ada", None, "bob"]}
    answer = call(hooked, "shop", body)
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [(1, "no_id")]
    assert kept() == (1, 1)
    row = hooked.rows()[-1]
    assert json.loads(row.refused) == [1]
    assert call(hooked, "strict", body).status_code == 400
    assert kept() == (1, 2)


PAID = {"type": "paid", "user": "ada"}


def test_a_protected_event_takes_a_signature_or_a_secret_key(hooked: Collect, kept: Kept) -> None:
    """From a write key it is refused as a call; signed, or with the secret key, it is stored."""
    answer = call(hooked, "form", PAID, secret="", key="wk_form")
    assert answer.status_code == 200
    assert [one["code"] for one in answer.json()["refused"]] == ["needs_secret_key"]
    answer = call(hooked, "careful", PAID, secret="", key="wk_careful")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_members")
    assert kept() == (0, 2)
    assert call(hooked, "form", PAID, secret="", key="sk_form").json() == {"success": True}
    assert call(hooked, "shop", PAID).json() == {"success": True}
    assert kept() == (2, 2)


def test_a_key_in_the_address(hooked: Collect, kept: Kept) -> None:
    """A form of a web page has no header for its key."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hooked.post("/hooks/form?key=wk_form", b"type=opened&user=ada", headers=form)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert kept() == (1, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"type": "opened"', "broken_json"),
        (b"[" * 65 + b"]" * 65, "too_deep"),
        (b"[" * 400_000, "too_deep"),
        (b'{"type": "\xff"}', "invalid_utf8"),
        (b'"' + b"x" * 512_000 + b'"', "body_too_large"),
        (b"", "broken_json"),
    ],
    ids=["broken", "deep", "very deep", "no UTF-8", "large", "empty"],
)
def test_a_signed_body_that_cannot_be_read(hooked: Collect, kept: Kept, content: bytes, code: str) -> None:
    """400 with the code: a right signature makes no body right."""
    answer = call(hooked, "shop", content)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert kept() == (0, 0)


def test_files_are_not_taken(hooked: Collect, kept: Kept) -> None:
    """A multipart form is 400 and not a guess at what it holds."""
    content = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nopened\r\n--b--\r\n'
    answer = call(
        hooked, "form", content, key="wk_form", **{"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_json")
    assert kept() == (0, 0)


def test_a_fsync_that_failed(tmp_path: Path) -> None:
    """503 `log_broken` and Retry-After, and nothing was stored."""
    write_sources(tmp_path, [Source("shop", hook_secrets=SECRETS)])
    map_hooks(tmp_path, DOCUMENTS)
    with collecting(tmp_path) as running:
        (tmp_path / "fail").touch()
        answer = call(running, "shop", OPENED)
        assert (answer.status_code, answer.json()["code"]) == (503, "log_broken")
        assert int(answer.headers["retry-after"]) >= 1
        assert Kept(running).rows == 0
