"""What must hold for every story: drawn histories, any cut into ticks, any sender's pace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.decide import messages
from hark.decide.record import decode, encode, fresh
from hark.decide.step import step
from hark.model import (
    DAY,
    HOUR,
    Event,
    FactName,
    Instant,
    Kind,
    MessageDue,
    Outcome,
    Record,
    TimerDue,
    sequence,
)
from tests.decide.story import SEND, START, campaign, plan_of, read

NAMES = ["Signed Up", "Order", "Bought", "Opened App", "Unsubscribed", "Subscription Requested", "Looked"]
TEXT = (
    "segment: slow\nwhere: {all: [{did: {event: Order, times: {gte: 2}, within: 20d}},"
    " {did_not: {event: Order, within: 3d}}]}\n---\n"
    "segment: busy\nwhere: {did: {event: Order, days: {gte: 2}, within: 4d}}\n---\n"
    "topic: offers\nopt_in: single\n---\n"
    'policy: attention\nquiet_hours: {from: "21:00", to: "08:00", zone: customer,'
    " fallback_zone: Europe/London}\n"
    "caps: [{messages: 2, per: 5d, on_cap: wait, max_wait: 4d}, {messages: 1, per: 1d}]\n---\n"
    + campaign(
        control="50%",
        reenter="{after: 2d}",
        exit="[goal]",
        variants=f"{{a: {SEND}, b: {{steps: [{{wait: {{until: {{event: Opened App}}, for: 2d}}}}, {SEND},"
        f' {{wait: {{at: "09:00"}}}}, {SEND}]}}}}',
    )
    + "---\n"
    + campaign(trigger="{enters: slow}", reenter="always", exit="[{leaves: slow}]").replace(
        "hello", "slow_one", 1
    )
    + "---\n"
    + campaign(trigger="{enters: busy}", control="20%", reenter="always", topic="offers").replace(
        "hello", "busy_one", 1
    )
)  # fmt: skip
PLAN = plan_of(TEXT)
CAPS = [(2, 5 * DAY), (1, DAY)]

Story = Sequence[Event]


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Up to 25 events of one customer in order of arrival, some of them late, some imported."""
    count = draw(st.integers(1, 25))
    arrival, events = START, [identified()]
    for row in range(1, count + 1):
        arrival += draw(st.sampled_from([0, 1, HOUR, 9 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY]))
        late = draw(st.sampled_from([0, 0, 0, 1, HOUR, 2 * DAY]))
        name = draw(st.sampled_from(NAMES))
        properties = {"topic": "offers"} if name == "Subscription Requested" else {"revenue": row}
        event = happened(row, name, arrival, arrival - late, properties)
        imported = draw(st.integers(0, 9)) == 0
        events.append(replace(event, known_at=event.at) if imported and late else event)
    return events


def happened(row: int, name: str, arrival: Instant, at: Instant, properties: Mapping[str, object]) -> Event:
    return Event(
        1, at, sequence(row + 1, 0), name, Kind.TRACK.value, "shop", f"m{row}", arrival, arrival, arrival,
        properties=json.dumps(properties).encode(),
    )  # fmt: skip


def identified() -> Event:
    event = happened(0, "Identify", START, START, {"email": "mara@shop.example", "timezone": "Europe/Berlin"})
    return replace(event, kind=Kind.IDENTIFY.value)


def told(events: Story, key: str, ticks: Sequence[Instant] = (), shadow_only: bool = False) -> list[Event]:
    """All facts of a story; `ticks` are moments at which the engine looks for due timers."""
    record = fresh(1, key, START)
    facts: list[Event] = []
    moments = sorted(ticks)
    for event in events:
        while moments and moments[0] < event.instant:
            record, made = step(decode(encode(record)), TimerDue(1, moments.pop(0)), PLAN)
            facts += made
        if not shadow_only:
            record = hand_offs(record, event.instant, facts)
        record, made = step(decode(encode(record)), event, PLAN)
        facts += made
    return facts


def hand_offs(record: Record, until: Instant, facts: list[Event]) -> Record:
    """Every wanted message that is due before `until` is handed off at its moment and succeeds."""
    while True:
        due = min(
            ((sent.due_at, sent.message) for sent in record.sends if sent.state == "wanted"), default=None
        )
        if due is None or due[0] >= until:
            return record
        at = max(due[0], record.now)
        for one in (MessageDue(1, at, due[1]), Outcome(1, at, due[1], "sent")):
            record, made = step(decode(encode(record)), one, PLAN)
            facts += made


KEYS = st.integers(0, 30).map(lambda number: f"key-{number}")
END = happened(99, "Looked", START + 400 * DAY, START + 400 * DAY, {})


@given(stories(), KEYS)
@settings(max_examples=80, deadline=None)
def test_the_same_story_gives_the_same_facts(events: list[Event], key: str) -> None:
    """Two runs over the same inputs agree in every byte of every fact."""
    assert told(events, key) == told(events, key)


@given(stories(), KEYS, st.lists(st.integers(0, 60 * 24), max_size=40))
@settings(max_examples=120, deadline=None)
def test_facts_do_not_depend_on_ticks(events: list[Event], key: str, hours: list[int]) -> None:
    """A timer fired by TimerDue, and one that a later input brings along, give the same facts and ids."""
    ticks = [START + hour * HOUR + 7 for hour in hours]
    whole = [*events, END]
    assert told(whole, key, ticks, shadow_only=True) == told(whole, key, shadow_only=True)


@given(stories(), KEYS)
@settings(max_examples=80, deadline=None)
def test_facts_have_their_own_place_in_the_order(events: list[Event], key: str) -> None:
    """No two facts share a seq or an id, none shares one with an event, and each follows those before."""
    facts = told([*events, END], key)
    assert len({fact.seq for fact in facts} | {event.seq for event in events}) == len(facts) + len(events)
    assert len({fact.message_id for fact in facts}) == len(facts)
    assert [fact.seq for fact in facts] == sorted(fact.seq for fact in facts)
    assert [fact.instant for fact in facts] == sorted(fact.instant for fact in facts)


@given(stories(), KEYS)
@settings(max_examples=120, deadline=None)
def test_nobody_is_written_to_after_unsubscribing(events: list[Event], key: str) -> None:
    """Between leaving everything and asking for a topic again nothing of that topic is handed off."""
    whole = [*events, END]
    left: tuple[Instant, int] | None = None
    asked: tuple[Instant, int] | None = None
    order = sorted([*whole, *told(whole, key)], key=lambda event: (event.instant, event.seq))
    for event in order:
        if event.name == "Unsubscribed":
            left = max(left or (0, 0), (event.at, event.seq))
        elif event.name == "Subscription Requested":
            asked = max(asked or (0, 0), (event.at, event.seq))
        elif event.name == FactName.MESSAGE_SENDING and left:
            assert asked is not None and asked > left, read(event)
            assert read(event)["topic"] == "offers"


@given(stories(), KEYS)
@settings(max_examples=120, deadline=None)
def test_caps_are_never_passed(events: list[Event], key: str) -> None:
    """In no window of a cap's length are more messages handed off than it allows."""
    sent = [fact.at for fact in told([*events, END], key) if fact.name == FactName.MESSAGE_SENDING]
    for most, per in CAPS:
        for end in sent:
            assert sum(end - per < at <= end for at in sent) <= most


@given(stories(), KEYS)
@settings(max_examples=80, deadline=None)
def test_each_message_is_handed_off_once(events: list[Event], key: str) -> None:
    """A message is wanted once and ends once: handed off or withheld."""
    facts = told([*events, END], key)
    wanted = [read(fact)["message"] for fact in facts if fact.name == FactName.MESSAGE_WANTED]
    gone = [read(fact)["message"] for fact in facts if fact.name == FactName.MESSAGE_SENDING]
    withheld = [read(fact)["message"] for fact in facts if fact.name == FactName.MESSAGE_WITHHELD]
    assert len(set(wanted)) == len(wanted)
    assert len(set(gone + withheld)) == len(gone) + len(withheld)
    assert set(gone) <= set(wanted)


@given(stories(), KEYS)
@settings(max_examples=80, deadline=None)
def test_each_entry_is_one_exposure(events: list[Event], key: str) -> None:
    """Every run has exactly one Campaign Entered, exactly one of a campaign's entries is the first."""
    entered = [read(fact) for fact in told([*events, END], key) if fact.name == FactName.CAMPAIGN_ENTERED]
    assert len({fact["run"] for fact in entered}) == len(entered)
    for campaign_ in {fact["campaign"] for fact in entered}:
        firsts = [fact["first"] for fact in entered if fact["campaign"] == campaign_]
        assert firsts == [True] + [False] * (len(firsts) - 1)
        assert len({fact["arm"] for fact in entered if fact["campaign"] == campaign_}) == 1


@given(stories())
@settings(max_examples=80, deadline=None)
def test_imported_stories_start_nothing(events: list[Event]) -> None:
    """However a history looks, importing it enters nobody and wants no message."""
    now = events[-1].instant + 1
    imported = [replace(one, known_at=one.at, received_at=now, instant=now) for one in events]
    names = {fact.name for fact in told(imported, "key-1")}
    about_people = {FactName.SEGMENT_ENTERED, FactName.SEGMENT_LEFT}
    assert names <= about_people | {FactName.ADDRESS_SUPPRESSED, FactName.ADDRESS_RELEASED}


@given(stories(), KEYS)
@settings(max_examples=80, deadline=None)
def test_asking_again_at_the_entry_changes_nothing(events: list[Event], key: str) -> None:
    """The rules left out at an entry, as just asked, would say the same if they were asked again."""
    every = {kind: messages.RULES[kind[0], False] for kind in messages.RULES}
    expected = told([*events, END], key)
    with patch.object(messages, "RULES", every):
        assert told([*events, END], key) == expected


PLAIN = plan_of(
    campaign(
        control="50%",
        reenter="{after: 2d}",
        exit="[goal]",
        steps=f"[{SEND}, {{wait: {{until: {{event: Opened App}}, for: 2d}}}}, {SEND}]",
    )
)
SENDS = (FactName.MESSAGE_WANTED.value, FactName.MESSAGE_WITHHELD.value)


@given(stories())
@settings(max_examples=120, deadline=None)
def test_the_controls_shadow_walks_the_same_way(events: list[Event]) -> None:
    """In the control every decision falls at the same moment as in the treatment, up to the send itself."""

    def walk(key: str) -> list[tuple[Instant, str, str]]:
        record, facts = fresh(1, key, START), list[Event]()
        for event in [*(one for one in events if one.name != "Unsubscribed"), END]:
            record, made = step(record, event, PLAIN)
            facts += made
        return [
            (fact.at, "send" if fact.name in SENDS else fact.name, read(fact).get("step", ""))
            for fact in facts
        ]

    from tests.decide.story import control_key

    assert walk(control_key()) == walk(control_key(inside=False))
