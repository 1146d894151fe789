"""The provider is away for hours, in one way or another: every message still arrives, and none twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from hark.engine import Engine
from hark.model import DAY, HOUR, MINUTE, Event, FactName
from hark.speak.catcher import Catcher, Misbehaviour
from hark.speak.deliver import Deliverer
from hark.speak.links import Key, Links
from tests.cast import free_port
from tests.engine.world import RECEIPTS, START, World
from tests.speak.letters import HERE, PATIENT

LINKS = Links("https://hark.example", (Key("k1", "a-secret-of-thirty-two-characters"),))
PEOPLE = [f"c{number}" for number in range(8)]
SENDER = 'sender: shop\naddress: "Shop <shop@shop.example>"\nhost: 127.0.0.1\nport: {}\nrate_per_s: 1000'
WITHOUT_SENDER = RECEIPTS.rsplit("---", 1)[0]


class Shop(World):
    """The engine's world with a mail server that may be away."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.catcher = Catcher().start()
        reader = self.reader
        self.deliver = Deliverer(reader.documents, LINKS, self.clock, timeouts=PATIENT, allowed=HERE)
        self.post_office(self.catcher.port)

    def post_office(self, port: int) -> None:
        self.define(SENDER.format(port))

    def orders(self) -> None:
        self.define(WITHOUT_SENDER)
        for number, who in enumerate(PEOPLE):
            self.identify(who, email=f"{who}@shop.example")
            self.track(who, "Order Completed", order=number)

    def live(self, until: int, budget: int | None = None, step: int = 5 * MINUTE) -> None:
        """Time passes up to that moment; whatever comes due on the way is done before it goes on."""
        engine = self.engine(self.deliver)
        while self.clock.at < until:
            self.clock.at = min(until, self.clock.at + step)
            settle(engine, self.idle, budget)
        engine.close()

    def idle(self) -> bool:
        rows = self.reader.outbox()
        due = [row for row in rows if row.state == "wanted" and row.due_at <= self.clock.at]
        return not due and not any(row.state == "sending" for row in rows)

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.reader.outbox())

    def arrived(self) -> Counter[str]:
        return Counter(caught.recipients[0].partition("@")[0] for caught in self.catcher.caught)

    def told(self) -> list[tuple[int, int, str, bytes]]:
        """Every fact about messages: subject, moment, name, properties."""
        facts = [event for event in self.events() if event.name.startswith("Message ")]
        return sorted((one.subject, one.instant, one.name, one.properties) for one in facts)


def settle(engine: Engine, idle: Callable[[], bool], budget: int | None) -> None:
    deadline = time.monotonic() + 20
    while engine.tick(budget) or not idle():
        assert time.monotonic() < deadline, "messages are stuck"
        time.sleep(0.001)


@contextmanager
def opened(data: Path) -> Iterator[Shop]:
    """A shop whose mail server and log are closed at the end."""
    running = Shop(data)
    try:
        yield running
    finally:
        running.catcher.stop()
        running.log.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as running:
        yield running


def cut_at_once(shop: Shop) -> None:
    shop.catcher.misbehave(Misbehaviour("CONNECT", cut=True))


def nobody_listens(shop: Shop) -> None:
    shop.post_office(free_port())


def greylisted(shop: Shop) -> None:
    shop.catcher.misbehave(Misbehaviour("RCPT", reply="451 4.7.1 greylisted"))


def full(shop: Shop) -> None:
    shop.catcher.misbehave(Misbehaviour("DATA", reply="452 4.3.1 no space", keep=False))


def overloaded(shop: Shop) -> None:
    shop.catcher.misbehave(Misbehaviour("CONNECT", reply="421 4.3.2 too busy"))


OUTAGES = [cut_at_once, nobody_listens, greylisted, full, overloaded]


@pytest.mark.parametrize("outage", OUTAGES)
def test_after_an_outage_every_message_arrives_once(shop: Shop, outage: Callable[[Shop], None]) -> None:
    """Five hours without a provider: nothing arrives, nothing fails; then everything does, exactly once."""
    outage(shop)
    shop.orders()
    shop.live(START + 5 * HOUR)
    assert shop.states() == {"wanted": len(PEOPLE)}
    assert not shop.arrived()
    shop.catcher.misbehave()
    shop.post_office(shop.catcher.port)
    shop.live(START + 10 * HOUR)
    assert shop.arrived() == dict.fromkeys(PEOPLE, 1)
    assert shop.states() == {"sent": len(PEOPLE)}
    tried = Counter(name for _, _, name, _ in shop.told())
    assert tried[FactName.MESSAGE_SENT] == len(PEOPLE)
    assert tried[FactName.MESSAGE_SENDING] == tried[FactName.MESSAGE_DEFERRED] + len(PEOPLE)


def test_messages_wait_for_a_sender_to_be_named(tmp_path: Path) -> None:
    """Before any sender is applied messages wait; the first one takes them."""
    with opened(tmp_path) as shop, Catcher() as later:
        shop.deliver = Deliverer(lambda: (), LINKS, shop.clock)
        shop.orders()
        shop.live(START + HOUR)
        assert shop.states() == {"wanted": len(PEOPLE)}
        assert "no sender for email" in shop.reader.outbox()[0].detail
        shop.deliver = Deliverer(shop.reader.documents, LINKS, shop.clock, allowed=HERE)
        shop.post_office(later.port)
        shop.live(START + 5 * HOUR)
        assert len(later.caught) == len(PEOPLE)


def test_an_outage_without_end_ends_in_failure(shop: Shop) -> None:
    """After eight attempts the messages have failed, and say why."""
    cut_at_once(shop)
    shop.orders()
    shop.live(START + 13 * HOUR, step=20 * MINUTE)
    assert shop.states() == {"failed": len(PEOPLE)}
    assert "SMTPServerDisconnected" in shop.reader.outbox()[0].detail
    sending = Counter(event.subject for event in shop.events() if event.name == FactName.MESSAGE_SENDING)
    assert set(sending.values()) == {8}
    shop.catcher.misbehave()
    shop.live(START + 2 * DAY, step=HOUR)
    assert not shop.arrived()


def test_what_may_have_arrived_goes_once_more_and_no_more(shop: Shop) -> None:
    """A connection cut after the final dot: each receipt is recorded as unknown and goes once more; there are
    two copies at most."""
    shop.catcher.misbehave(Misbehaviour("DATA", cut=True))
    shop.orders()
    shop.live(START + HOUR)
    shop.catcher.misbehave()
    shop.live(START + DAY, step=HOUR)
    assert set(shop.states()) <= {"unknown", "sent"}
    assert {one for one, _, name, _ in shop.told() if name == FactName.MESSAGE_UNKNOWN} == set(range(1, 9))
    assert set(shop.arrived().values()) == {2}


def test_an_unsubscribe_during_an_outage_is_heard(shop: Shop) -> None:
    """Who leaves the topic while the message waits for the provider never gets it; the others do."""
    cut_at_once(shop)
    topic = "topic: news\nsays: n\ndefault: in\nopt_in: single"
    news = (
        "campaign: hello\ntrigger: {event: Order Completed}\ngoal: {event: Bought, within: 7d}\n"
        "control: none\nwhy: a test\ntopic: news\n"
        "variants:\n  one: {send: {template: receipt, channel: email}}"
    )
    template = "template: receipt\nchannel: email\nsubject: Hello\ntext: Hello"
    shop.define("\n---\n".join([topic, template, news]))
    for who in PEOPLE:
        shop.identify(who, email=f"{who}@shop.example")
        shop.track(who, "Order Completed")
    shop.live(START + HOUR)
    shop.unsubscribe("c3")
    shop.catcher.misbehave()
    shop.live(START + 5 * HOUR)
    assert shop.arrived() == {who: 1 for who in PEOPLE if who != "c3"}
    (withheld,) = [one for one in shop.events() if one.name == FactName.MESSAGE_WITHHELD]
    assert reason(withheld) == "no_consent"


def reason(fact: Event) -> str:
    return str(msgspec.json.decode(fact.properties)["reason"])


def test_the_size_of_ticks_does_not_matter(tmp_path: Path) -> None:
    """The same outage told in ticks of one event and of many: the same facts at the same moments."""
    told = []
    for budget in (1, 1_000):
        with opened(tmp_path / str(budget)) as shop:
            greylisted(shop)
            shop.orders()
            shop.live(START + 2 * HOUR, budget)
            shop.catcher.misbehave()
            shop.live(START + 5 * HOUR, budget)
            told.append(shop.told())
    assert told[0] == told[1]
    assert len(told[0]) > 8 * len(PEOPLE)
