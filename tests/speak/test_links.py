"""Signed links: ours are read, nobody else's are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.speak.keyfile import open_keys, read_keys
from hark.speak.links import Confirm, Key, Link, Links, Unsubscribe
from tests.speak.letters import LINKS

LEAVE = Unsubscribe(12, "news", "email", "0" * 32)
links_of_any_kind = st.builds(
    lambda kind, *parts: kind(*parts),
    st.sampled_from([Unsubscribe, Confirm]),
    st.integers(0, 2**63 - 1),
    st.text(max_size=40),
    st.sampled_from(["email", "push"]),
    st.text("0123456789abcdef", min_size=32, max_size=32),
)


@given(links_of_any_kind)
def test_what_was_signed_is_read_back(link: Link) -> None:
    """Purpose, subject, topic, channel and message come back as they went in, from a URL-safe token."""
    token = LINKS.token(link)
    assert LINKS.read(token) == link
    assert not set(token) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert LINKS.url(link) == f"https://hark.example{link.path}{token}"


@given(links_of_any_kind, st.data())
def test_no_changed_token_is_read(link: Link, data: st.DataObject) -> None:
    """A token with any one character changed, dropped or added says nothing."""
    token = LINKS.token(link)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.=+/ é\0").filter(lambda c: c != token[at]))
    for forged in (token[:at] + other + token[at + 1 :], token[:at] + token[at + 1 :], token + other):
        assert LINKS.read(forged) is None


@given(st.text(max_size=60))
def test_no_text_that_is_not_ours_is_read(text: str) -> None:
    """Whatever is sent as a token, the answer is None, never an exception."""
    assert LINKS.read(text) is None
    assert LINKS.read(f"k1.{text}.{text}") is None


def test_the_signature_is_an_hmac_anybody_with_the_key_can_recompute() -> None:
    """The token equals the documented construction, computed here by hand."""
    payload = msgspec.msgpack.encode(["u", 12, "news", "email", "0" * 32])
    tag = hmac.new(LINKS.keys[0].secret.encode(), b"hark link\0k1\0" + payload, hashlib.sha256).digest()[:16]
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (payload, tag)]
    assert LINKS.token(LEAVE) == ".".join(["k1", *parts])


def test_an_unsubscribe_link_confirms_nothing() -> None:
    """The purpose is signed: a token's payload cannot be moved to another purpose."""
    token = LINKS.token(LEAVE)
    confirm = LINKS.token(Confirm(*msgspec.structs.astuple(LEAVE)))
    key, _, tag = token.split(".")
    assert LINKS.read(f"{key}.{confirm.split('.')[1]}.{tag}") is None


def test_old_links_stay_alive_when_keys_change() -> None:
    """After a new key is added it signs, and links of the old key still work; unknown keys do not."""
    rotated = Links(LINKS.base, (*LINKS.keys, Key("k2", "a-newer-secret-of-thirty-two-chars")))
    assert rotated.read(LINKS.token(LEAVE)) == LEAVE
    assert rotated.token(LEAVE).startswith("k2.")
    assert LINKS.read(rotated.token(LEAVE)) is None
    assert (
        Links(LINKS.base, (Key("k1", "somebody-elses-secret-of-32-chars"),)).read(LINKS.token(LEAVE)) is None
    )


def test_keys_are_made_once_and_only_for_us(tmp_path: Path) -> None:
    """The key file is made at the first start, readable by its owner only, and kept after that."""
    keys = open_keys(tmp_path)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert open_keys(tmp_path) == keys
    assert keys[0].secret not in repr(keys)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert open_keys(tmp_path / "other") != keys


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    """Of several processes that make the key at the same time one wins, and all use its key."""
    code = (
        "import sys; from pathlib import Path; from hark.speak.keyfile import open_keys;"
        "sys.stdin.read(1); print(open_keys(Path(sys.argv[1]))[0].secret)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    assert len({process.communicate()[0] for process in started}) == 1


@pytest.mark.parametrize("text", ["", "k1", "k1_short", "_" + "x" * 32, "k1_" + "x" * 32 + "\nbroken"])
def test_a_damaged_key_file_is_an_error(text: str) -> None:
    """A key file that lost its content stops the start instead of signing with a weak key."""
    with pytest.raises(ValueError, match="damaged"):
        read_keys(text)
