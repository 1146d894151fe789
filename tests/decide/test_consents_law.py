"""The law of consents: what is decided by live, and what a condition says of the past, are one."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.decide.consents import state
from hark.decide.record import decode, encode, fresh
from hark.decide.step import step
from hark.history import columns
from hark.history.merged import Merged
from hark.history.reader import NO_TABLE, Snapshot
from hark.model import (
    HOUR,
    JSON,
    Command,
    Event,
    Handover,
    Input,
    Instant,
    Kind,
    MergedInto,
    Record,
    sequence,
)
from hark.store.contracts import Merge
from hark.store.table import EventTable
from hark.understand.batch import answers, members
from hark.understand.conditions import HasConsent
from hark.understand.conditions.answers import told
from hark.understand.conditions.consent import Rule
from tests.decide.story import START, plan_of

CUSTOMERS = (1, 2, 3)
PLAN = plan_of(
    "topic: tips\n---\ntopic: offers\nopt_in: single\n---\n"
    "segment: readers\nwhere: {consent: {topic: news, channel: email, state: in}}\n"
)
RULES = {name: Rule(topic.default, topic.opt_in) for name, topic in PLAN.topics.items()}
NOWHERE = EventTable(Path("/nonexistent"))

TOPICS = st.sampled_from(["news", "tips", "offers"])
SAID: st.SearchStrategy[tuple[str, JSON]] = st.one_of(
    st.tuples(
        st.sampled_from(["Subscription Requested", "Subscription Confirmed", "Unsubscribed"]),
        st.fixed_dictionaries(
            {"topic": TOPICS, "channel": st.sampled_from(["email", "sms"]), "asked": st.booleans()}
        ),
    ),
    st.just(("Unsubscribed", {"topic": "news"})),
    st.sampled_from([("Unsubscribed", {"channel": "sms"}), ("Subscription Requested", {"channel": "sms"})]),
    st.just(("Unsubscribed", {})),
)


class Act(NamedTuple):
    """What happens next, so many hours after what came before."""

    do: str
    customer: int
    gap: int
    late: int
    imported: bool
    source: str
    said: tuple[str, JSON]


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["say", "say", "say", "left", "back", "merge"]),
        st.sampled_from(CUSTOMERS),
        st.integers(1, 20),
        st.sampled_from([0, 0, 0, 5, 50]),
        st.booleans(),
        st.sampled_from(["shop", "shop", "shop", "twilio"]),
        SAID,
    ),
    min_size=4,
    max_size=16,
)


class World:
    """Three customers, their records as `step` leaves them, and their history as it is written."""

    def __init__(self) -> None:
        self.records = {one: fresh(one, f"key-{one}", START) for one in CUSTOMERS}
        self.into: dict[int, int] = {}
        self.history: list[Event] = []
        self.merges: list[Merge] = []
        self.now, self.row = START, 0
        for one in CUSTOMERS:
            traits = {"email": f"{one}@shop.example", "phone": f"+44770090012{one}"}
            self.happens(one, "Identify", traits, Kind.IDENTIFY)

    def today(self, customer: int) -> int:
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def gives(self, customer: int, input: Input) -> None:
        record = decode(encode(self.records[customer]))
        self.records[customer], facts = step(record, input, PLAN)
        self.history += facts

    def happens(
        self, home: int, name: str, said: JSON, kind: Kind = Kind.TRACK, late: int = 0, **fields: Any
    ) -> None:
        self.row += 1
        at = self.now - late * HOUR
        event = Event(
            *(home, at, sequence(self.row, 0), name, int(kind), "shop", f"m{self.row}"),
            *(self.now, self.now, self.now),
            properties=msgspec.json.encode(said),
        )
        event = replace(event, **fields)
        self.history.append(event)
        self.gives(self.today(home), replace(event, subject=self.today(home)))

    def does(self, act: Act) -> None:
        self.now += act.gap * HOUR
        getattr(self, act.do)(act)

    def say(self, act: Act) -> None:
        at: Instant = self.now - act.late * HOUR
        known: dict[str, Any] = {"known_at": at} if act.imported else {}
        self.happens(act.customer, *act.said, late=act.late, source=act.source, **known)

    def left(self, act: Act) -> None:
        """Somebody else with the same address has left."""
        topic = act.said[1].get("topic", "")
        since = self.now - act.late * HOUR
        listed = {"topic": topic, "since": since, "source": act.source, "detail": ""}
        self.told(act.customer, "left", {"listed": listed})

    def back(self, act: Act) -> None:
        self.told(act.customer, "back", {"source": act.source})

    def told(self, customer: int, name: str, data: JSON) -> None:
        address = {"address": f"+44770090012{customer}", "channel": "sms"}
        self.gives(self.today(customer), Command(self.today(customer), self.now, name, address | data))

    def merge(self, act: Act) -> None:
        """The customer turns out to be the one before."""
        younger, older = self.today(act.customer), self.today(act.customer - 1)
        if act.customer == 1 or younger == older:
            return
        older, younger = sorted((younger, older))
        held = decode(encode(self.records[younger]))
        self.gives(younger, MergedInto(younger, self.now, older, "identify"))
        self.gives(older, Handover(older, self.now, younger, held))
        self.into[younger] = older
        self.merges.append(Merge(younger, older, self.now, "identify"))


@settings(max_examples=80, deadline=None)
@given(ACTS, TOPICS, st.sampled_from(["email", "sms"]))
def test_a_condition_on_consent_says_of_the_past_what_held(acts: list[Act], topic: str, channel: str) -> None:
    """Requests, confirmations, STOP and START, what others with the address said, imports, late events and
    merges: in batch everybody's answers are the live ones, and the live segment has who they say."""
    world = World()
    for act in acts:
        world.does(act)
    history = Snapshot(NOWHERE, NO_TABLE, [columns.encode(world.history)], Merged(world.merges))
    spoken = answers(history)
    living = sorted({world.today(one) for one in CUSTOMERS})
    for one in living:
        past = Record(one, consents=told(*spoken.get(one, ((), ())), RULES))
        for other, by in product(PLAN.topics, ("email", "sms")):
            assert state(past, PLAN, other, by) == state(world.records[one], PLAN, other, by)
        reads = state(world.records[one], PLAN, "news", "email") == "in"
        assert ("readers" in world.records[one].members) is reads
    found = members(history, HasConsent(topic, channel, "in", RULES[topic]), world.now)
    inside = {subject for bucket in found for subject in bucket.tolist()}
    assert inside == {one for one in living if state(world.records[one], PLAN, topic, channel) == "in"}
