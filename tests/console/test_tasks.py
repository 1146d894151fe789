"""A task from the campaign's step to what came of it, in the customer's history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from django.test import override_settings

from hark.clock import moment
from hark.console.source import Source
from hark.model import DAY, Lane
from hark.speak.deliver import Deliverer
from hark.store.contracts import NewRow
from tests.console.collector import Collector
from tests.console.conftest import EMAIL
from tests.engine.world import World
from tests.speak.letters import LINKS

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

CALLS = """
topic: news
default: in
---
campaign: call_them
trigger: {event: Asked To Be Called}
goal: {event: Order Completed, within: 14d}
control: none
why: everybody who asks is called
topic: news
steps: [{task: {for: support, says: "Call {{ customer.first_name }}: {{ event.about }}"}}]
---
campaign: visit_them
trigger: {event: Asked For A Visit}
reenter: always
goal: {event: Order Completed, within: 14d}
control: none
why: everybody who asks is visited
topic: news
steps: [{task: {for: sales, says: Visit, assignee: event.seller, due: 2d}}]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada asked to be called, and the task waits."""
    world = World(tmp_path)
    world.define(CALLS)
    world.identify("ada", first_name="Ada", phone="+447700900123")
    world.track("ada", "Asked To Be Called", about="prices <b>")
    fold(world)
    return world


def fold(world: World) -> None:
    deliver = Deliverer(world.reader.documents, LINKS, world.clock)
    engine = world.engine(deliver)
    while engine.tick():
        pass
    engine.close()
    world.engine(deliver).catch_up()


@pytest.fixture
def here(ann: Client, world: World, collector: Collector) -> Iterator[Client]:
    from django.conf import settings

    shop = settings.HARK_SOURCE
    found = Source(world.data, world.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield ann


def test_a_task_waits_until_somebody_says_what_came_of_it(
    here: Client, world: World, collector: Collector
) -> None:
    """It is listed with the customer's values; its end is an inactive event, and it is off the list."""
    (task,) = here.get("/tasks?format=json").json()["rows"]
    assert (task["who"], task["team"], task["campaign"]) == ("ada", "support", "call_them")
    assert task["says"] == "Call Ada: prices <b>"
    assert "prices &lt;b&gt;" in here.get("/tasks").content.decode()

    told = {"message": task["message"], "outcome": "done", "note": "wants a quote"}
    assert here.post("/tasks", told)["Location"] == f"/tasks?handed={task['message']}"
    assert [row["kind"] for row in collector.rows] == ["response", "receipt"]
    for row in collector.rows:
        body = msgspec.json.encode(row["body"])
        world.log.append([NewRow(Lane(row["lane"]), world.clock.now(), row["source"], row["kind"], body)])
    fold(world)
    (event,) = [one for one in world.events() if one.name == "Task Ended"]
    said = json.loads(event.properties)
    assert not event.active
    assert (said["outcome"], said["note"], said["by"]) == ("done", "wants a quote", EMAIL)
    assert here.get("/tasks?format=json").json()["rows"] == []
    assert "Nothing to do" in here.get("/tasks").content.decode()


def test_whose_a_task_is_and_until_when(here: Client, world: World, collector: Collector) -> None:
    """The soonest due stands first, what has no date last; what is overdue is marked, and its
    end says that it was late; each sees their own; where nobody is known it stays with the team."""
    world.track("ada", "Asked For A Visit", seller="bo@shop.example")
    world.clock.at += DAY
    world.track("ada", "Asked For A Visit", seller=EMAIL)
    world.track("ada", "Asked For A Visit")
    fold(world)
    world.clock.at += 3 * DAY // 2
    rows = here.get("/tasks?format=json").json()["rows"]
    assert [(one["team"], one["assignee"], one["unknown"], one["overdue"]) for one in rows] == [
        ("sales", "", "bo@shop.example (event.seller) has no account here", True),
        ("sales", EMAIL, "", False),
        ("sales", "", "event.seller names nobody", False),
        ("support", "", "", False),
    ]
    shown = here.get("/tasks").content.decode()
    assert "has no account here: it stays with sales" in shown and shown.count(">overdue<") == 1
    (mine,) = here.get("/tasks?whose=mine&format=json").json()["rows"]
    assert mine == rows[1]

    for one in (rows[0], mine):
        here.post("/tasks", {"message": one["message"], "outcome": "not_reached"})
    late, early = (row["body"]["properties"] for row in collector.rows if row["kind"] == "response")
    assert (late["for"], late["assignee"], late["late"]) == ("sales", "bo@shop.example", True)
    assert (early["assignee"], early["late"], early["due"]) == (EMAIL, False, moment(mine["due"]).isoformat())


def test_what_is_no_task_cannot_be_ended(here: Client, collector: Collector) -> None:
    """An unknown message, and an outcome that there is not, are not found and write nothing."""
    (task,) = here.get("/tasks?format=json").json()["rows"]
    assert here.post("/tasks", {"message": "nobody", "outcome": "done"}).status_code == 404
    assert here.post("/tasks", {"message": task["message"], "outcome": "maybe"}).status_code == 404
    assert collector.rows == []
    collector.fails = True
    assert here.post("/tasks", {"message": task["message"], "outcome": "done"}).status_code == 503
