"""The call that sends a transactional message: what is taken, once, and what is refused."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hark.clock import SetClock
from hark.collect.sources import add_source
from hark.model import DAY
from hark.speak.attachments import Attachments
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
FILE = {"name": "a.pdf", "type": "application/pdf", "content": b64encode(b"%PDF").decode()}


@pytest.fixture(scope="module")
def secrets(shop: Path) -> Iterator[tuple[str, str]]:
    """The secret keys of two sources; the shop's only for this module."""
    before = (shop / "log" / "sources.json").read_bytes()
    yield add_source(shop, "billing").secret_key, add_source(shop, "signup").secret_key
    (shop / "log" / "sources.json").write_bytes(before)


@pytest.fixture(autouse=True)
def _forgotten(application: object) -> Iterator[None]:
    yield
    from hark.console.requests.models import Kept

    Kept.objects.all().delete()


def post(client: Client, secret: str, key: str = "k1", **body: Any) -> Any:
    asked = {"template": "whats_new", "customer": "customer-3", **body}
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
    return client.post("/api/v1/messages", json.dumps(asked), "application/json", headers=headers)


def test_the_same_call_has_the_same_answer_and_one_row(
    secrets: tuple[str, str], stranger: Client, collector: Collector
) -> None:
    """Ten times the same call: ten times 200 and the same id; the log has it once. Another body: 409."""
    answers = [post(stranger, secrets[0], data={"a": 1, "b": 2}) for _ in range(9)]
    answers.append(post(stranger, secrets[0], data={"b": 2, "a": 1}))
    assert {(one.status_code, one.content) for one in answers} == {(200, answers[0].content)}
    (row,) = collector.rows
    assert (row["kind"], row["source"]) == ("message", "billing")
    assert row["body"]["id"] == json.loads(answers[0].content)["message"]
    other = post(stranger, secrets[0], data={"a": 2})
    assert (other.status_code, json.loads(other.content)["code"]) == (409, "idempotency_key_used")


def test_keys_are_each_sources_own(secrets: tuple[str, str], stranger: Client, collector: Collector) -> None:
    """Two sources may use the same key for two messages."""
    answers = [post(stranger, secret) for secret in secrets]
    assert [one.status_code for one in answers] == [200, 200]
    assert len({one.content for one in answers}) == len(collector.rows) == 2


def test_what_was_not_kept_may_come_again(
    secrets: tuple[str, str], stranger: Client, collector: Collector
) -> None:
    """503 while the log cannot take it, and the same call is taken afterwards."""
    collector.fails = True
    refused = post(stranger, secrets[0])
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    collector.fails = False
    assert post(stranger, secrets[0]).status_code == 200
    assert len(collector.rows) == 1


def test_an_old_key_is_forgotten(
    secrets: tuple[str, str], stranger: Client, collector: Collector, clock: SetClock
) -> None:
    """After thirty days the key's print goes; the message's id does not change, so that it goes out once."""
    first = post(stranger, secrets[0])
    clock.at += 31 * DAY
    try:
        post(stranger, secrets[0], key="k2")
        again = post(stranger, secrets[0])
    finally:
        clock.at -= 31 * DAY
    assert again.content == first.content
    assert [row["body"]["id"] for row in collector.rows].count(json.loads(first.content)["message"]) == 2


def test_files_lie_beside_the_state_before_the_row_is_in_the_log(
    secrets: tuple[str, str], stranger: Client, collector: Collector, shop: Path
) -> None:
    """The log has their names only; what they hold is there by the message's id."""
    answer = post(stranger, secrets[0], attachments=[FILE])
    message = json.loads(answer.content)["message"]
    (kept,) = Attachments(shop).of(message)
    assert (kept.name, kept.content) == ("a.pdf", b"%PDF")
    assert collector.rows[0]["body"]["attachments"] == ["a.pdf"]
    Attachments(shop).drop([message])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"template": "whats_now"}, "unknown_template"),
        ({"customer": " "}, "customer"),
        ({"customer": 7}, "body"),
        ({"unheard": "of"}, "body"),
        ({"to": "no address"}, "to"),
        ({"to": "a@b.example\r\nBcc: c@d.example"}, "to"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "31d"}, "expires"),
        ({"data": {"long": "x" * 40_000}}, "data"),
        ({"attachments": [FILE] * 11}, "attachments"),
        ({"attachments": [FILE | {"name": "../a"}]}, "attachments"),
        ({"attachments": [FILE | {"name": "a\r\nBcc: x"}]}, "attachments"),
        ({"attachments": [FILE | {"type": "text"}]}, "attachments"),
        ({"attachments": [FILE | {"content": "%%%"}]}, "attachments"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    body: dict[str, Any], code: str, secrets: tuple[str, str], stranger: Client, collector: Collector
) -> None:
    """400 with a code and words, and nothing is kept: the key is as free as before."""
    refused = post(stranger, secrets[0], **body)
    assert (refused.status_code, json.loads(refused.content)["code"]) == (400, code)
    assert collector.rows == []
    assert post(stranger, secrets[0]).status_code == 200


def test_who_may_not_send_is_told_so(secrets: tuple[str, str], stranger: Client, shop: Path) -> None:
    """Without a key of ours 401, with a public one 403, without an Idempotency-Key 400."""
    assert post(stranger, "nobody").status_code == 401
    made = add_source(shop, "page")
    assert post(stranger, made.write_key).status_code == 403
    for key in ("", "two\nlines", "x" * 256):
        refused = post(stranger, secrets[0], key=key)
        assert (refused.status_code, json.loads(refused.content)["code"]) == (400, "idempotency_key")
