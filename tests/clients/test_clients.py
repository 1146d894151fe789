"""The published clients, unmodified: what they were told to send is what is stored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import datetime
from typing import Any

import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

from hark.collect.calls import Call
from hark.model import Kind
from hark.restart import restart
from hark.store.locks import holder
from tests.clients.conftest import Proxy, World
from tests.clients.running import CLIENTS, HERE, PROGRAMS, finish, lost, start, stored
from tests.test_supervisor import wait_for

pytestmark = pytest.mark.xdist_group("clients")
STORY: dict[str, Any] = json.loads((HERE / "story.json").read_text())
AT = round(datetime.fromisoformat(STORY["at"]).timestamp() * 1_000_000)


def begin(name: str, world: World, tls: Proxy, *words: str) -> subprocess.Popen[str]:
    made, program = world.keys[name], PROGRAMS / CLIENTS[name]
    if name == "customerio":
        keys = f"{made.write_key}:{made.secret_key}"
        return start(program, tls.url, keys, *words, ca=tls.certificate)
    return start(program, world.url, made.write_key, *words)


@pytest.fixture(scope="module")
def told(world: World, tls: Proxy) -> dict[str, dict[Kind, Call]]:
    """What each client's story left in the log: one call of each kind."""
    running = {name: begin(name, world, tls, "story") for name in CLIENTS}
    for process in running.values():
        finish(process)
    return {name: by_kind(stored(world.data, name, by_row=name == "customerio")) for name in CLIENTS}


def by_kind(calls: list[Call]) -> dict[Kind, Call]:
    found = {call.kind: call for call in calls if not call.device_token}
    assert len(found) == len([call for call in calls if not call.device_token]), calls
    return found


def said(raw: bytes) -> dict[str, Any]:
    """A JSON object without what PostHog's clients add, all of which begins with $."""
    found: dict[str, Any] = msgspec.json.decode(raw)
    return {
        name: value for name, value in found.items() if not name.startswith("$") and name != "distinct_id"
    }


@pytest.mark.parametrize("name", CLIENTS)
def test_identify(told: dict[str, dict[Kind, Call]], name: str) -> None:
    """Who somebody is: the userId, the traits with Unicode and nesting, and the anonymous id where sent."""
    call = told[name][Kind.IDENTIFY]
    assert (call.user_id, msgspec.json.decode(call.traits)) == (STORY["user"], STORY["traits"])
    assert call.anonymous_id == ("" if name.startswith("posthog") else STORY["anonymous"])


@pytest.mark.parametrize("name", CLIENTS)
def test_track(told: dict[str, dict[Kind, Call]], name: str) -> None:
    """The event's name, properties and time come as the caller gave them (Customer.io: whole seconds)."""
    call = told[name][Kind.TRACK]
    assert (call.name, call.user_id) == (STORY["event"], STORY["user"])
    assert said(call.properties) == STORY["properties"]
    assert call.at == (AT // 1_000_000 * 1_000_000 if name == "customerio" else AT)
    assert call.groups == ((("company", STORY["group"]),) if name.startswith("posthog") else ())


@pytest.mark.parametrize("name", [name for name in CLIENTS if name != "customerio"])
def test_group(told: dict[str, dict[Kind, Call]], name: str) -> None:
    """The group and its traits; from PostHog with its type and without a customer."""
    call = told[name][Kind.GROUP]
    posthog = name.startswith("posthog")
    assert (call.group_id, msgspec.json.decode(call.properties)) == (STORY["group"], STORY["group_traits"])
    assert (call.group_type, call.user_id) == (("company", "") if posthog else ("", STORY["user"]))


@pytest.mark.parametrize("name", CLIENTS)
def test_alias(told: dict[str, dict[Kind, Call]], name: str) -> None:
    """Two ids of one customer; Customer.io's merge says that a secret key sent it."""
    call = told[name][Kind.ALIAS]
    other = "b/ö" if name == "customerio" else STORY["anonymous"]
    assert (call.user_id, call.previous_id) == (STORY["user"], other)
    assert call.secret == (name == "customerio")


def test_a_device(told: dict[str, dict[Kind, Call]], world: World) -> None:
    """Customer.io's device is one of the customer's addresses."""
    (device,) = [call for call in stored(world.data, "customerio", by_row=True) if call.device_token]
    assert (device.device_token, device.user_id) == ("token-1", STORY["user"])


def visit(browser: webdriver.Chrome, shop: str, world: World, more: str) -> None:
    key = world.keys["segment_browser"].write_key
    browser.get(f"{shop}/segment_browser.html?url={world.url}&key={key}&{more}")


def test_the_browser(world: World, shop: str, browser: webdriver.Chrome) -> None:
    """Segment's browser client, told only where its settings are: its calls arrive as they were made."""
    visit(browser, shop, world, "mode=story")
    WebDriverWait(browser, 20).until(lambda page: page.title.startswith(("sent", "failed")))
    assert browser.title == "sent"
    wait_for(lambda: len(stored(world.data, "segment_browser")) >= 5, "all five calls are stored")
    calls = by_kind(stored(world.data, "segment_browser"))
    identify, track, group = calls[Kind.IDENTIFY], calls[Kind.TRACK], calls[Kind.GROUP]
    assert (identify.user_id, identify.anonymous_id) == (STORY["user"], STORY["anonymous"])
    assert msgspec.json.decode(identify.traits) == STORY["traits"]
    assert (track.name, msgspec.json.decode(track.properties)) == (STORY["event"], STORY["properties"])
    assert (track.at, track.user_id) == (AT, STORY["user"])
    assert (group.group_id, msgspec.json.decode(group.properties)) == (STORY["group"], STORY["group_traits"])
    assert calls[Kind.ALIAS].previous_id == STORY["anonymous"]
    assert msgspec.json.decode(calls[Kind.PAGE].properties)["name"] == "Home"


def kill_collect(world: World) -> None:
    pid = holder(world.data, "collect")
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: holder(world.data, "collect") not in (None, 0, pid), "collect is back")


MANY = 120


def test_restarts_in_mid_flush(world: World, tls: Proxy, shop: str, browser: webdriver.Chrome) -> None:
    """Over two planned restarts and a kill, while all eight send: each event counts, and counts once."""
    visit(browser, shop, world, f"mode=many&count={MANY}&pause=15")
    running = [begin(name, world, tls, "many", str(MANY), "15") for name in CLIENTS]
    wait_for(lambda: len(stored(world.data, "segment_python")) > 5, "the first events are there")
    restart(world.data, ["collect"])
    kill_collect(world)
    restart(world.data, ["collect"])
    for process in running:
        finish(process, 90)
    for name in CLIENTS:
        assert not lost(stored(world.data, name, by_row=name == "customerio"), MANY), name
    there = "the browser's are there"  # each pause after a failure is twice the last one
    wait_for(lambda: not lost(stored(world.data, "segment_browser"), MANY), there, patience_s=300)


@pytest.mark.torture
@pytest.mark.parametrize("name", ["segment_node", "segment_python"])
def test_a_hundred_thousand_events_over_twenty_restarts(world: World, tls: Proxy, name: str) -> None:
    """Segment's Node and Python clients lose none of 100,000 events over 20 planned restarts."""
    count, pause = 100_000, {"segment_node": "1", "segment_python": "0.5"}[name]
    process = begin(name, world, tls, "many", str(count), pause)
    restarts = 0
    while process.poll() is None and restarts < 20:
        time.sleep(2)
        restart(world.data, ["collect"])
        restarts += 1
    finish(process, 600)
    left = lost(stored(world.data, name), count)
    print(f"{name}: {len(left)} of {count} lost over {restarts} restarts")
    assert restarts == 20
    assert not left
