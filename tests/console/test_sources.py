"""Sources, rejected calls and the catalogue in the console, over a collector that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hark.clock import WallClock
from hark.collect.sources import Made, add_source
from hark.engine import Engine
from tests.collect.runner import Collect, collecting

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

CALL = {"userId": "ada", "event": "Order Completed", "properties": {"revenue": 20}}


@pytest.fixture(scope="module")
def running(application: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collect, Made]]:
    """A collector with one source, and the console over its directory."""
    from django.conf import settings

    from hark.console.source import Source

    data, before = tmp_path_factory.mktemp("sources") / "data", settings.HARK_SOURCE
    made = add_source(data, "web")
    with collecting(data) as collect:
        collect.post("/v1/batch", {"batch": [{"type": "track", **CALL}, {"type": "track"}]}, made.write_key)
        Engine(data, WallClock()).catch_up()
        settings.HARK_SOURCE = Source(data, WallClock(), "https://hark.example")
        yield collect, made
        settings.HARK_SOURCE = before


def told(client: Client, path: str) -> Any:
    answer = client.get(path + ("&" if "?" in path else "?") + "format=json")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content)


def test_a_source_is_made_and_its_keys_work(ann: Client, running: tuple[Collect, Made]) -> None:
    """The page that follows shows both keys; the secret one is on no page after it."""
    page = ann.post("/sources", {"name": "app"}).content.decode()
    write, secret = re.search(r"wk_[\w-]+", page), re.search(r"sk_[\w-]{32}", page)
    assert write and secret
    for key in (write[0], secret[0]):
        assert running[0].post("/v1/track", CALL, key).status_code == 200
    later = ann.get("/sources/app").content.decode()
    assert write[0] in later
    assert secret[0] not in later


def test_a_wrong_name_is_said_and_kept_in_the_form(ann: Client, running: tuple[Collect, Made]) -> None:
    """400 with the reason; what was typed stands there still."""
    answer = ann.post("/sources", {"name": "My Shop"})
    assert answer.status_code == 400
    assert 'value="My Shop"' in answer.content.decode()
    assert "small letters" in answer.content.decode()


def test_settings_hold_for_the_next_request(ann: Client, running: tuple[Collect, Made]) -> None:
    """What the form saves is what collect does from then on."""
    collect, _ = running
    key = re.search(r"wk_[\w-]+", ann.post("/sources", {"name": "shop"}).content.decode())
    assert key
    form = {
        "do": "settings",
        "strict": "yes",
        "body_kb": "64",
        "rate_per_s": "",
        "dedupe_days": "7",
        "protected": "Order Completed\nRefunded",
        "origins": "",
    }
    assert ann.post("/sources/shop", form).status_code == 200
    kept = told(ann, "/sources/shop")["source"]
    assert (kept["strict"], kept["body_bytes"], kept["dedupe_days"]) == (True, 65_536, 7.0)
    assert kept["protected"] == ["Order Completed", "Refunded"]
    assert collect.post("/v1/track", CALL, key[0]).status_code == 403
    wrong = ann.post("/sources/shop", form | {"dedupe_days": "40"})
    assert wrong.status_code == 400
    assert "1d to 28d" in wrong.content.decode()


def test_keys_are_added_and_closed(ann: Client, running: tuple[Collect, Made]) -> None:
    """A new key works beside the old one until that is closed."""
    collect, _ = running
    old = re.search(r"wk_[\w-]+", ann.post("/sources", {"name": "keys"}).content.decode())
    shown = ann.post("/sources/keys", {"do": "add_key", "sort": "write"}).content.decode()
    assert old
    new = next(key for key in re.findall(r"wk_[\w-]+", shown) if not key.startswith(old[0][:9]))
    assert [collect.post("/v1/track", CALL, key).status_code for key in (old[0], new)] == [200, 200]
    ann.post("/sources/keys", {"do": "expire_key", "key": old[0][:9]})
    assert [collect.post("/v1/track", CALL, key).status_code for key in (old[0], new)] == [401, 200]
    ann.post("/sources/keys", {"do": "disable"})
    assert collect.post("/v1/track", CALL, new).status_code == 401


def test_the_reject_log_is_searched(ann: Client, running: tuple[Collect, Made]) -> None:
    """Source, reason and text narrow it; what does not fit is not there."""
    found = told(ann, "/rejects?source=web")["rows"]
    assert [(one["reason"], one["index"], one["excerpt"]) for one in found] == [
        ("no_id", 1, '{"type": "track"}')
    ]
    for fits, query in (
        (1, "reason=no_id&source=web"),
        (1, "text=ANONYMOUSID&source=web"),
        (0, "text=nothing"),
    ):
        assert len(told(ann, f"/rejects?{query}")["rows"]) == fits, query
    assert ann.get("/rejects?since=soon").status_code == 400


def test_events_and_their_properties_are_listed(ann: Client, running: tuple[Collect, Made]) -> None:
    """The catalogue names the event, its page each property with type and example."""
    assert "Order Completed" in ann.get("/events").content.decode()
    found = told(ann, "/events/Order%20Completed")
    assert [(one["name"], one["types"], one["example"]) for one in found["properties"]] == [
        ("revenue", {"number": 1}, "20")
    ]
    assert ann.get("/events/Nothing").status_code == 404


def test_live_shows_one_source(ann: Client, running: tuple[Collect, Made]) -> None:
    """A filter by source leaves out the others."""
    assert {one["source"] for one in told(ann, "/live?source=web")["rows"]} == {"web"}
    assert told(ann, "/live?source=hark&name=Order")["rows"] == []


def test_a_stranger_sees_and_changes_nothing(stranger: Client, running: tuple[Collect, Made]) -> None:
    """Without an account every page leads to signing in, and a POST changes nothing."""
    for path in ("/sources", "/sources/web", "/rejects", "/events", "/events/Order%20Completed"):
        assert stranger.get(path).status_code == 302
    assert stranger.post("/sources", {"name": "theirs"}).status_code in (302, 403)
    assert "theirs" not in Path(running[0].data / "log" / "sources.json").read_text()
