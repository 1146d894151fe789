"""The suppression list: an address that left stays away, whoever has it, whatever is imported or erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from hark.model import DAY, Lane, Outcome, Record
from hark.store.contracts import OutboxRow, Suppression
from tests.engine.world import RECEIPTS, World

ADDRESS = "family@example.com"
TOPIC = "topic: news\ndefault: in\nopt_in: single\n"


def record(world: World, user: str) -> Record:
    subject = world.reader.find(user)
    assert subject is not None
    found = world.reader.record(subject)
    assert found
    return found


def answers(world: World, user: str) -> dict[str, str]:
    return {key: one.state for key, one in record(world, user).consents.items()}


def listed(world: World) -> list[tuple[str | None, str, str]]:
    return [(one.address, one.why, one.topic) for one in entries(world)]


def entries(world: World) -> list[Suppression]:
    return world.reader.suppressions()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada and Ben share an address; the topic is in by default."""
    made = World(tmp_path)
    made.define(TOPIC + "---" + RECEIPTS)
    made.identify("ada", email=ADDRESS)
    made.identify("ben", email=ADDRESS.upper())
    made.catch_up()
    return made


def test_who_leaves_leaves_for_everybody_with_the_address(world: World) -> None:
    """Of one topic, and also for who states the address only later."""
    world.unsubscribe("ada")
    world.identify("cleo", email=ADDRESS)
    world.identify("dan", email="dan@example.com")
    world.catch_up()
    assert [answers(world, one) for one in ("ada", "ben", "cleo")] == [{"news/email": "out"}] * 3
    assert not answers(world, "dan")
    assert listed(world) == [(ADDRESS, "unsubscribed", "news")]


def test_the_address_outlives_its_customer_as_a_hash(world: World) -> None:
    """After an erasure no file row has the address, and a new customer with it is out all the same."""
    world.unsubscribe("ada")
    world.catch_up()
    for user in ("ada", "ben"):
        world.post("command", Lane.URGENT, name="erase", customer=user)
    world.catch_up()
    assert {one.address for one in entries(world)} == {None}
    assert ADDRESS.encode() not in (world.data / "state.db").read_bytes()
    world.clock.at += DAY
    world.identify("eve", email=ADDRESS)
    world.catch_up()
    assert answers(world, "eve")["news/email"] == "out"


def test_a_suppressed_customer_stays_suppressed_by_the_address(world: World) -> None:
    """Whom the team suppressed is not written to after an erasure either."""
    world.post("command", Lane.URGENT, name="suppress", customer="ada")
    world.post("command", Lane.URGENT, name="erase", customer="ada")
    world.catch_up()
    world.clock.at += DAY
    world.identify("ada", email=ADDRESS)
    world.catch_up()
    assert record(world, "ada").barred == {ADDRESS: "team"}


def test_a_lasting_failure_suppresses_the_address_for_all(world: World) -> None:
    """What the provider says of ada's address holds for ben, with the provider's words in the list."""
    world.track("ada", "Order Completed", order="o1")

    def gone(row: OutboxRow) -> Outcome:
        return Outcome(row.subject, 0, row.message, "failed", "550 5.1.1 no such user", permanent=True)

    engine = world.engine(gone)
    while world.reader.outbox_counts().get("failed") != 1:
        engine.tick()
    engine.close()
    assert record(world, "ben").barred == {ADDRESS: "bounced"}
    (one,) = entries(world)
    assert (one.why, one.detail) == ("bounced", "550 5.1.1 no such user")


def test_the_team_may_suppress_and_release_an_address(world: World) -> None:
    """Before anybody has it, and for all who have it."""
    world.post("command", Lane.URGENT, name="suppress", address=ADDRESS.title(), why="bounced", author="ann")
    world.post("command", Lane.URGENT, name="suppress", address="later@example.com", author="ann")
    world.identify("fay", email="later@example.com")
    world.catch_up()
    assert [set(record(world, one).suppressed) for one in ("ada", "ben", "fay")] == [
        {ADDRESS},
        {ADDRESS},
        {"later@example.com"},
    ]
    world.post("command", Lane.URGENT, name="unsuppress", address=ADDRESS, author="ann")
    world.identify("gus", email=ADDRESS)
    world.catch_up()
    assert [record(world, one).suppressed for one in ("ada", "ben", "gus")] == [{}, {}, {}]
    assert listed(world) == [("later@example.com", "team", "")]


def test_what_is_no_address_is_refused(world: World) -> None:
    """The command is named among the problems and changes nothing."""
    world.post("command", Lane.URGENT, name="suppress", address="nobody")
    world.catch_up()
    assert [one.reason for one in world.reader.problems()] == ["suppress.address"]
    assert not listed(world)


def test_coming_back_by_ones_own_will_takes_the_entry_back(world: World) -> None:
    """Ada subscribes again; ben, who reads the same mail, was out and stays so until he says otherwise."""
    world.unsubscribe("ada")
    world.track("ada", "Subscription Requested", topic="news", channel="email")
    world.catch_up()
    assert answers(world, "ada") == {"news/email": "in"}
    assert answers(world, "ben") == {"news/email": "out"}
    assert not listed(world)


def test_a_restart_changes_nothing(world: World) -> None:
    """What the list knows is told again after a start, and makes neither a fact nor another answer."""
    world.unsubscribe("ada")
    world.catch_up()
    before, facts = record(world, "ada").consents, world.names().count("Address Suppressed")
    world.identify("ada", email=ADDRESS, plan="pro")
    world.catch_up()
    assert record(world, "ada").consents == before
    assert world.names().count("Address Suppressed") == facts
