"""From a wanted message to its outcome: once, at the provider's pace, and never again after a doubt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from hark.engine import Engine
from hark.engine.handoff import Deliverers, Pace
from hark.model import HOUR, MINUTE, Lane, Outcome
from hark.store.contracts import OutboxRow
from tests.engine.world import RECEIPTS, START, World


class Provider:
    """Keeps what it is given, and answers as told. `gate` holds it up."""

    def __init__(self, state: str = "sent") -> None:
        self.rows: list[OutboxRow] = []
        self.state = state
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, row: OutboxRow) -> Outcome:
        self.rows.append(row)
        self.gate.wait(10)
        return Outcome(row.subject, 0, row.message, self.state, detail="said so")


def order(world: World, *users: str) -> None:
    world.define(RECEIPTS)
    for number, user in enumerate(users):
        world.identify(user, email=f"{user}@x.example")
        world.track(user, "Order Completed", order=number)


def until(engine: Engine, done: Callable[[], bool]) -> None:
    """Ticks until something holds; fails after some seconds."""
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        engine.tick()
        time.sleep(0.002)


def states(world: World) -> list[str]:
    return [row.state for row in world.reader.outbox()]


def test_a_message_is_marked_sending_on_disk_before_the_provider_sees_it(world: World) -> None:
    """Whoever has the message, the outbox already says sending; then the outcome follows as a fact."""
    order(world, "ada")
    provider, seen = Provider(), list[str]()

    def deliver(row: OutboxRow) -> Outcome:
        seen.extend(states(world))
        return provider(row)

    engine = world.engine(deliver)
    until(engine, lambda: states(world) == ["sent"])
    engine.close()
    assert seen == ["sending"]
    (row,) = provider.rows
    assert row.content["to"] == "ada@x.example"
    assert row.content["customer"] == {"email": "ada@x.example", "id": "ada"}
    assert row.content["event"] == {"order": 0}
    assert [name for name in world.names() if name.startswith("Message")] == [
        "Message Wanted",
        "Message Sending",
        "Message Sent",
    ]


@pytest.mark.parametrize(("user", "id"), [(None, "a-1"), ("ada", "ada")])
def test_a_letter_names_the_customer_as_the_team_does(world: World, user: str | None, id: str) -> None:
    """`customer.id` is the userId, also of who was first seen by an anonymousId; that one if it is all."""
    world.define(RECEIPTS)
    world.post("track", anonymousId="a-1", event="Looked", context={"traits": {"email": "a@x.example"}})
    if user:
        world.identify(user, "a-1")
    world.post("track", anonymousId="a-1", event="Order Completed", properties={"order": 1})
    provider = Provider()
    engine = world.engine(provider)
    until(engine, lambda: states(world) == ["sent"])
    engine.close()
    assert provider.rows[0].content["customer"]["id"] == id


class Waiting(Deliverers):
    """Threads whose answers are waited for: each comes in the tick after that in which it was asked for."""

    def outcomes(self) -> list[Outcome]:
        found = [self._outcomes.get(timeout=20) for _ in range(self.in_flight)]
        self.in_flight = 0
        return found


def test_an_answer_in_the_tick_of_a_merge_is_the_customers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider takes a visitor's message while they turn out to be a customer: the fact is theirs."""
    monkeypatch.setattr("hark.engine.messages.Deliverers", Waiting)
    world.define(RECEIPTS)
    world.identify("ada", email="ada@x.example")
    world.post(
        "track", anonymousId="x", event="Order Completed", context={"traits": {"email": "x@x.example"}}
    )
    engine = world.engine(Provider())
    until(engine, lambda: states(world) == ["sending"])
    world.identify("ada", "x")
    engine.tick()
    engine.close()
    assert [(event.subject, event.name) for event in world.events()][-1] == (1, "Message Sent")
    assert states(world) == ["sent"]


@pytest.mark.parametrize("taken", [True, False])
def test_a_merge_is_undone_while_a_message_is_on_its_way(
    world: World, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """The answer to a message, and the hand-off of one that waits (not `taken` yet), are of whom it goes back
    to."""
    monkeypatch.setattr("hark.engine.messages.Deliverers", Waiting)
    world.define(RECEIPTS)
    world.identify("ada", email="ada@x.example")
    world.post(
        "track", anonymousId="x", event="Order Completed", context={"traits": {"email": "x@x.example"}}
    )
    world.identify("ada", "x")
    if not taken:
        world.catch_up()
    engine = world.engine(Provider())
    if taken:
        until(engine, lambda: states(world) == ["sending"])
    world.post("command", Lane.URGENT, name="unmerge", merge=1, author="ada", note="two people")
    for _ in range(3):
        engine.tick()
    engine.close()
    assert [(event.subject, event.name) for event in world.events()][-1] == (2, "Message Sent")
    assert states(world) == ["sent"]


def test_without_a_deliverer_messages_wait(world: World) -> None:
    """Catching up without a server folds everything and hands nothing off."""
    order(world, "ada")
    world.catch_up()
    assert states(world) == ["wanted"]


def test_what_was_sending_becomes_unknown_and_is_not_sent_again_at_once(world: World) -> None:
    """The engine died after handing over: nobody knows whether it left, so nobody sends it twice."""
    order(world, "ada")
    provider = Provider()
    provider.gate.clear()
    dying = world.engine(provider)
    until(dying, lambda: states(world) == ["sending"] and len(provider.rows) == 1)
    dying.abort()
    engine = world.engine(provider)
    for _ in range(20):
        engine.tick()
    assert states(world) == ["wanted"], "a receipt goes once more, later"
    assert world.names()[-2:] == ["Message Unknown", "Message Deferred"]
    assert len(provider.rows) == 1
    provider.gate.set()
    engine.close()


def test_nobody_knows_what_was_sending_from_the_next_start_on(world: World) -> None:
    """A receipt goes once more five minutes after the engine saw that nobody knows, not after it was handed
    over: meanwhile the provider's own report may come."""
    order(world, "ada")
    provider = Provider()
    provider.gate.clear()
    dying = world.engine(provider)
    until(dying, lambda: states(world) == ["sending"] and len(provider.rows) == 1)
    world.clock.at = START + HOUR
    dying.tick()
    dying.abort()
    world.engine(provider).abort()
    assert world.reader.outbox()[0].due_at == START + HOUR + 5 * MINUTE
    provider.gate.set()


def test_what_may_have_left_goes_once_more_where_transactional(world: World) -> None:
    """Nobody knows of both attempts: two in all, five minutes apart, each recorded as unknown."""
    order(world, "ada")
    tried: list[int] = []

    def hangs(row: OutboxRow) -> Outcome:
        tried.append(world.clock.now())
        return Outcome(row.subject, world.clock.now(), row.message, "unknown", "no answer")

    engine = world.engine(hangs)
    until(engine, lambda: len(tried) == 1 and states(world) == ["wanted"])
    for _ in range(3):
        world.clock.at += HOUR
        until(engine, lambda: states(world) == ["unknown"])
    engine.close()
    assert len(tried) == 2
    assert world.names().count("Message Unknown") == 2


def test_a_deliverer_that_breaks_leaves_unknown(world: World) -> None:
    """An exception in the deliverer is an outcome: it may have left."""
    order(world, "ada")

    def broken(row: OutboxRow) -> Outcome:
        raise OSError("the line went dead")

    engine = world.engine(broken)
    until(engine, lambda: "Message Unknown" in world.names())
    engine.close()
    assert "the line went dead" in world.reader.outbox()[0].detail


def test_a_failed_message_says_why(world: World) -> None:
    """What the provider refused is failed, with its words."""
    order(world, "ada")
    engine = world.engine(Provider("failed"))
    until(engine, lambda: states(world) == ["failed"])
    engine.close()
    assert world.reader.outbox()[0].detail == "said so"


def test_each_message_goes_once_over_many_engines(world: World) -> None:
    """Stopping and starting between any two ticks sends every message exactly once."""
    users = [f"u{number}" for number in range(12)]
    order(world, *users)
    provider = Provider()
    for _ in range(30):
        engine = world.engine(provider)
        engine.tick(budget=5)
        engine.close()
    assert sorted(row.content["to"] for row in provider.rows) == sorted(f"{user}@x.example" for user in users)
    assert set(states(world)) == {"sent"}


def test_no_more_is_sending_than_the_provider_takes_soon(world: World) -> None:
    """With a slow provider most messages still wait as wanted, where an unsubscribe can reach them."""
    order(world, *(f"u{number}" for number in range(60)))
    world.define('sender: shop\naddress: "Shop <shop@shop.example>"\nrate_per_s: 10')
    provider = Provider()
    provider.gate.clear()
    engine = world.engine(provider)
    for _ in range(30):
        engine.tick()
    assert 1 <= states(world).count("sending") <= 5
    provider.gate.set()
    engine.close()


@pytest.mark.parametrize("rate", [0.5, 3.0, 200.0])
def test_pace_keeps_to_the_rate(rate: float) -> None:
    """Over a minute no more messages go than the rate allows, and hardly fewer."""
    pace, gone = Pace(), 0
    for step in range(6_001):
        allowed = pace.allowed(step * 0.01, rate, 0)
        pace.used(allowed)
        gone += allowed
    assert 60 * rate - 1 <= gone <= 60 * rate + max(1.0, rate / 2)


@pytest.mark.parametrize("threads", [1, 4, 12])
def test_no_more_is_handed_over_than_threads_can_take(world: World, threads: int) -> None:
    """While the provider says nothing each thread has one message: the others can still be held back, and
    should the engine be killed, nobody is in doubt about them. Once it answers all go."""
    order(world, *(f"u{number}" for number in range(20)))
    provider = Provider()
    provider.gate.clear()
    engine = world.engine(provider, deliver_threads=threads)
    until(engine, lambda: len(provider.rows) == threads)
    for _ in range(20):
        engine.tick()
    assert states(world).count("sending") == threads == len(provider.rows)
    provider.gate.set()
    until(engine, lambda: states(world).count("sent") == 20)
    engine.close()


def test_a_message_that_waited_goes_when_it_is_due(world: World) -> None:
    """Quiet hours move the hand-off; the message goes at their end, not before."""
    order(world, "ada")
    quiet = "policy: attention\nquiet_hours: {from: '23:00', to: '08:00', zone: UTC, fallback_zone: UTC}"
    consent = "topic: news\nsays: n\ndefault: in\nopt_in: single"
    campaign = (
        "campaign: hello\ntrigger: {event: Hello}\ngoal: {event: Bought, within: 7d}\ncontrol: none\n"
        "why: a test\ntopic: news\nvariants:\n  one: {send: {template: receipt, channel: email}}"
    )
    world.define("\n---\n".join([quiet, consent, campaign]))
    world.catch_up()
    world.track("ada", "Hello")
    provider = Provider()
    engine = world.engine(provider)
    until(engine, lambda: sorted(states(world)) == ["sent", "wanted"])
    assert len(provider.rows) == 1
    world.clock.at = START + 8 * HOUR - 1
    for _ in range(5):
        engine.tick()
    assert len(provider.rows) == 1
    world.clock.at = START + 10 * HOUR
    until(engine, lambda: states(world) == ["sent", "sent"])
    engine.close()
