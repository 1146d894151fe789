"""Messages that a product asks for by a call, and what providers report, through the real log and engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hark.clock import derived_id
from hark.decide.why import explain
from hark.model import MINUTE, FactName, Lane, Outcome
from hark.store.contracts import OutboxRow
from tests.engine.test_handoff import until
from tests.engine.world import RECEIPTS, World, sent

ID = derived_id("api message", "shop", "order-1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data")
    made.define(RECEIPTS)
    yield made
    made.log.close()


def ask(world: World, customer: str = "ada", **more: Any) -> None:
    body = {"id": ID, "customer": customer, "template": "receipt", "channel": "email", **more}
    world.raw("message", json.dumps(body).encode())


def report(world: World, what: str, message: str = ID, **more: Any) -> None:
    body = {"message": message, "what": what, "provider": "mailgun", **more}
    world.raw("receipt", json.dumps(body).encode(), Lane.URGENT)


def run(world: World, ticks: int = 6) -> list[OutboxRow]:
    """Ticks of an engine whose provider takes everything; what was handed to it."""
    handed: list[OutboxRow] = []

    def take(row: OutboxRow) -> Outcome:
        handed.append(row)
        return sent(row)

    engine = world.engine(take)
    for _ in range(ticks):
        engine.tick()
    engine.close()
    return handed


def state(world: World) -> str:
    found = world.reader.message(ID)
    return found.state if found else ""


def told(world: World, name: FactName) -> list[dict[str, Any]]:
    return [json.loads(event.properties) for event in world.events() if event.name == name]


def test_a_call_makes_one_message_however_often_it_comes(world: World) -> None:
    """In one tick, in another, after a restart: one message, to the address of now, with the call's data."""
    world.identify("ada", email="ada@shop.example")
    for _ in range(2):
        ask(world, data={"order": 7})
    (row,) = run(world)
    ask(world, data={"order": 7})
    assert run(world) == []
    assert (row.message, row.content["to"], row.content["data"]) == (ID, "ada@shop.example", {"order": 7})
    assert state(world) == "sent"
    assert len(told(world, FactName.MESSAGE_WANTED)) == 1


def test_who_is_not_known_yet_becomes_a_customer(world: World) -> None:
    """A first receipt may come before any event: to the address that the call names."""
    ask(world, "new", to="new@shop.example")
    (row,) = run(world)
    assert row.content["to"] == "new@shop.example"
    assert world.reader.find("new") == row.subject


def test_an_address_on_the_suppression_list_gets_none(world: World) -> None:
    """Also one that only the call names: withheld, with the reason and its sentence."""
    world.post("command", Lane.URGENT, name="suppress", address="gone@shop.example", why="bounced")
    ask(world, "ada", to="Gone@shop.example")
    assert run(world) == []
    assert state(world) == "withheld"
    (withheld,) = told(world, FactName.MESSAGE_WITHHELD)
    assert withheld["reason"] == "suppressed"
    assert "gone@shop.example must not be written to" in explain(world.events())[-1].sentence.lower()


def test_without_any_address_it_is_withheld_and_after_its_expiry_too(world: World) -> None:
    """A call about somebody without an address, and one that comes too late."""
    ask(world, "nobody")
    assert run(world) == []
    assert [one["reason"] for one in told(world, FactName.MESSAGE_WITHHELD)] == ["not_reachable"]


def test_an_expired_message_is_not_sent(world: World) -> None:
    """A code that is worth something for a minute is not sent after two."""
    world.identify("ada", email="ada@shop.example")
    ask(world, expires_us=MINUTE)
    world.catch_up()
    world.clock.at += 2 * MINUTE
    assert run(world) == []
    assert [one["reason"] for one in told(world, FactName.MESSAGE_WITHHELD)] == ["expired"]


@pytest.mark.parametrize(
    "order",
    [
        ["delivered", "bounced", "complained"],
        ["delivered", "delivered", "bounced", "bounced", "complained"],
        ["complained", "bounced", "delivered"],
        ["bounced", "delivered", "complained"],
    ],
)
def test_reports_count_once_in_any_order(world: World, order: list[str]) -> None:
    """Repeated and reordered callbacks end in the last state of the life, and each counts once at most."""
    world.identify("ada", email="ada@shop.example")
    ask(world)
    run(world)
    for what in order:
        report(world, what, detail="550 gone", permanent=True)
        run(world, 2)
    assert state(world) == "complained"
    for name in (FactName.MESSAGE_DELIVERED, FactName.MESSAGE_BOUNCED, FactName.MESSAGE_COMPLAINED):
        assert len(told(world, name)) <= 1
    (barred,) = told(world, FactName.ADDRESS_SUPPRESSED)
    assert barred["why"] == ("complained" if order[0] == "complained" else "bounced")


def test_an_answer_after_the_report_takes_nothing_back(world: World) -> None:
    """The report overtakes the provider's answer, and comes twice: it stands, and counts once."""
    world.identify("ada", email="ada@shop.example")
    ask(world)
    gate = threading.Event()

    def slow(row: OutboxRow) -> Outcome:
        gate.wait(20)
        return sent(row)

    engine = world.engine(slow)
    until(engine, lambda: state(world) == "sending")
    report(world, "delivered")
    until(engine, lambda: state(world) == "delivered")
    gate.set()
    until(engine, lambda: not engine._messages.in_flight)
    report(world, "delivered")
    until(engine, lambda: not engine.tick())
    engine.close()
    assert state(world) == "delivered"
    assert len(told(world, FactName.MESSAGE_DELIVERED)) == 1


def test_a_bounce_is_about_the_address_that_the_message_went_to(world: World) -> None:
    """By the hand-over the customer had another address than when the message was wanted: that is barred."""
    world.identify("ada", email="old@shop.example")
    ask(world)
    world.catch_up()
    world.identify("ada", email="new@shop.example")
    world.catch_up()
    (handed,) = run(world)
    report(world, "bounced", permanent=True)
    run(world, 2)
    (barred,) = told(world, FactName.ADDRESS_SUPPRESSED)
    assert (handed.content["to"], barred["address"]) == ("new@shop.example", "new@shop.example")


def test_a_passing_bounce_suppresses_nobody(world: World) -> None:
    """A full mailbox is told, and the address is good."""
    world.identify("ada", email="ada@shop.example")
    ask(world)
    run(world)
    report(world, "bounced", detail="mailbox full")
    run(world, 2)
    assert state(world) == "bounced"
    assert not told(world, FactName.ADDRESS_SUPPRESSED)


def test_a_report_resolves_what_nobody_knew(world: World) -> None:
    """Unknown, then reported as delivered: it was accepted, and does not go once more."""
    world.identify("ada", email="ada@shop.example")
    ask(world)
    tried: list[str] = []

    def hangs(row: OutboxRow) -> Outcome:
        tried.append(row.message)
        return Outcome(row.subject, 0, row.message, "unknown", "no answer")

    engine = world.engine(hangs)
    until(engine, lambda: bool(told(world, FactName.MESSAGE_UNKNOWN)))
    report(world, "delivered")
    world.clock.at += 30 * MINUTE
    for _ in range(6):
        engine.tick()
    engine.close()
    assert (state(world), len(tried)) == ("delivered", 1)
    assert len(told(world, FactName.MESSAGE_SENT)) == 1


def test_a_report_of_a_message_of_nobody_is_a_problem_and_no_more(world: World) -> None:
    """The engine says that there is no such message, and goes on."""
    report(world, "bounced", message="f" * 32)
    world.identify("ada", email="ada@shop.example")
    world.catch_up()
    assert "there is no message" in world.reader.problems()[0].detail
    assert world.reader.find("ada")
