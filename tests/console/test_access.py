"""Who may see what: nobody sees anything but through an account, and accounts come by one link or by none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from hark.clock import SetClock
from hark.console.accounts.throttle import TRIES, WINDOW_US
from tests.console.conftest import EMAIL, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

LINKS = ("/u/x", "/c/x", "/p/x", "/k/x", "/o/x", "/i/x", "/r/x", "/s/x", "/w/x", "/welcome/x")
PUBLIC = {"/sign-in": 200} | dict.fromkeys(LINKS, 404)
PUBLIC |= {
    "/api/v1/customers/x/arms": 401,
    "/api/v1/campaigns/x/migration": 401,
    "/api/v1/messages": 405,
    "/api/v1/messages/x": 401,
    "/reports/x": 404,
    "/inbound/x": 404,
    "/in-app/messages": 401,
    "/in-app/push": 401,
    "/in-app/answers": 405,
    "/in-app/events": 405,
}
"""What a stranger's GET gets without an account, and how."""


def addresses() -> Iterator[str]:
    """An address for every pattern there is."""
    from hark.console.urls import urlpatterns

    for pattern in urlpatterns:
        filled = re.sub(r"<int:\w+>", "1", str(pattern.pattern))
        yield "/" + re.sub(r"<\w+:\w+>", "x", filled)


def test_a_stranger_sees_only_the_doors(stranger: Client) -> None:
    """Every address there is sends a visitor without an account to sign in, but the few public ones."""
    found = list(addresses())
    assert set(found) > set(PUBLIC), "the walk sees the public pages, and others"
    for address in found:
        answer = stranger.get(address)
        if address in PUBLIC:
            assert answer.status_code == PUBLIC[address], address
        else:
            assert answer.status_code == 302, address
            assert answer["Location"] == f"/sign-in?next={address}"


def test_json_twins_are_behind_the_same_door(stranger: Client) -> None:
    """Asking for JSON opens nothing."""
    assert stranger.get("/customers/1?format=json").status_code == 302
    assert stranger.get("/customers/1", headers={"Accept": "application/json"}).status_code == 302


def test_every_answer_forbids_frames_inline_code_and_caches(stranger: Client, ann: Client) -> None:
    """Pages carry a policy without any exception for inline code, and are kept by no shared cache."""
    for answer in (stranger.get("/sign-in"), ann.get("/"), ann.get("/customers/1"), stranger.get("/u/x")):
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]


def test_signing_in_needs_the_password_and_the_token_of_the_form(stranger: Client) -> None:
    """A wrong password, and a post without the form's CSRF token, sign nobody in; the right ones do."""
    form = {"username": EMAIL.upper(), "password": PASSWORD}
    assert stranger.post("/sign-in", form).status_code == 403
    token = csrf(stranger)
    assert stranger.post("/sign-in", {**form, "password": "wrong", **token}).status_code == 200
    assert stranger.get("/").status_code == 302
    assert stranger.post("/sign-in", {**form, **token}).status_code == 302
    assert stranger.get("/").status_code == 200
    assert stranger.cookies["hark_session"]["httponly"]
    assert stranger.post("/sign-out", csrf(stranger, "/")).status_code == 302
    assert stranger.get("/").status_code == 302


def csrf(client: Client, path: str = "/sign-in") -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(path).content.decode())
    assert found
    return {"csrfmiddlewaretoken": found[1]}


def test_guessing_is_held_back_for_a_while(stranger: Client, clock: SetClock) -> None:
    """After too many failures even the right password is not heard from there, until the time is over."""
    form = {"username": "bob@shop.example", **csrf(stranger)}
    visitor = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(TRIES):
        stranger.post("/sign-in", {**form, "password": "guess"}, headers=visitor)
    right = {**form, "username": EMAIL, "password": PASSWORD}
    held = stranger.post("/sign-in", right, headers=visitor)
    assert b"Too many tries" in held.content
    elsewhere = stranger.post(
        "/sign-in", {**right, "password": "x"}, headers={"X-Forwarded-For": "203.0.113.10"}
    )
    assert b"Too many tries" not in elsewhere.content
    clock.at += WINDOW_US + 1
    try:
        assert stranger.post("/sign-in", right, headers=visitor).status_code == 302
    finally:
        clock.at -= WINDOW_US + 1


def test_next_leads_nowhere_else(stranger: Client) -> None:
    """Signing in never sends anybody to another site."""
    form = {"username": EMAIL, "password": PASSWORD, "next": "https://evil.example/", **csrf(stranger)}
    assert stranger.post("/sign-in", form)["Location"] == "/"


@pytest.fixture
def keys(shop: Path) -> Iterator[tuple[str, str]]:
    """A public and a secret key of a source that is there for one test."""
    from hark.collect.sources import add_source

    file = shop / "log" / "sources.json"
    before = file.read_bytes()
    made = add_source(shop, "other")
    yield made.write_key, made.secret_key
    file.write_bytes(before)


def test_arms_are_told_to_secret_keys_only(stranger: Client, keys: tuple[str, str]) -> None:
    """Without a key 401, with a public one 403; with a secret one whom to leave alone, and 404 for nobody."""
    ask, (public, secret) = "/api/v1/customers/{}/arms".format, keys
    said = {
        key: stranger.get(ask("%231"), headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("wrong", public, secret)
    }
    assert list(said.values()) == [401, 403, 200]
    headers = {"Authorization": f"Bearer {secret}"}
    assert stranger.get(ask("nobody"), headers=headers).status_code == 404
    found = stranger.get(ask("%231"), headers=headers).json()
    assert found["left_alone"] is False
    assert {one["left_alone"] for one in found["campaigns"].values()} <= {True, False}
