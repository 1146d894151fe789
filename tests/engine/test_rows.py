"""From rows of the log to events, records and facts."""

import json

import pytest

from hark.decide.step import step
from hark.history.reader import open_snapshot
from hark.model import DAY, GROUPS, HOUR, Kind, Lane, sequence
from tests.engine.world import START, World

BUYERS = """
segment: buyers
where: {did: Order Completed}
"""


def test_a_row_becomes_an_event_with_its_place_in_the_log(world: World) -> None:
    """Each member of a row is one event: its row and member are its seq, its arrival its known_at."""
    members = [{"type": "track", "userId": "ada", "event": name, "messageId": name} for name in "AB"]
    row = world.post("batch", batch=members)
    world.catch_up()
    found = world.events()
    assert [event.seq for event in found] == [sequence(row, 0), sequence(row, 1)]
    assert [event.name for event in found] == ["A", "B"]
    assert {event.known_at for event in found} == {START}
    assert {event.subject for event in found} == {world.reader.find("ada")}
    assert world.reader.cursors() == {Lane.URGENT: 0, Lane.LIVE: row, Lane.BULK: 0}


def test_a_repeated_message_id_is_folded_once(world: World) -> None:
    """The same messageId of one source counts once: in one tick, over ticks and over a restart."""
    for _ in range(2):
        world.post("track", userId="ada", event="A", messageId="same")
    world.catch_up()
    world.post("track", userId="ada", event="A", messageId="same")
    world.post("batch", batch=[{"type": "track", "userId": "ada", "event": "A", "messageId": "same"}])
    world.catch_up()
    assert world.names() == ["A"]


def test_calls_without_a_message_id_are_all_kept(world: World) -> None:
    """A call without an id gets one made of log, row and member, and is never taken for another."""
    for _ in range(2):
        world.post("batch", batch=[{"type": "track", "userId": "ada", "event": "A"}] * 2)
    world.catch_up()
    assert len({event.message_id for event in world.events()}) == 4


@pytest.mark.parametrize("body", [b"{}", b'{"batch": 3}', b"nonsense", b"\xff", b"[]"])
def test_a_broken_row_is_named_and_passed_over(world: World, body: bytes) -> None:
    """The engine goes on, and says which row it could not read and why."""
    row = world.raw("batch", body)
    world.raw("command", body, Lane.URGENT)
    world.raw("consent", body, Lane.URGENT)
    world.track("ada", "A")
    world.catch_up()
    assert world.names() == ["A"]
    problems = world.reader.problems()
    assert {problem.reason for problem in problems} == {"row.broken"}
    assert {problem.row for problem in problems} == {row, row + 1, row + 2}


def test_a_row_of_an_unknown_kind_is_named(world: World) -> None:
    """A kind of a later version does not stop an older engine."""
    world.raw("hologram", b"{}")
    world.track("ada", "A")
    world.catch_up()
    assert world.names() == ["A"]
    assert len(world.reader.problems()) == 1


def test_refused_members_are_not_folded(world: World) -> None:
    """A member that was refused when the row was stored keeps its number and is left out."""
    members = [{"type": "track", "event": "no id"}, {"type": "track", "userId": "ada", "event": "A"}]
    row = world.post("batch", batch=members)
    world.catch_up()
    assert [event.seq for event in world.events()] == [sequence(row, 1)]


def test_an_event_nothing_watches_touches_no_record(world: World) -> None:
    """What no definition asks for costs no record; it is in the history all the same."""
    world.track("ada", "Order Completed")
    world.catch_up()
    assert world.reader.record(1) is None
    assert world.names() == ["Order Completed"]


def test_a_device_that_changes_hands_within_a_tick_is_followed(world: World) -> None:
    """What nothing watches goes to whoever the anonymous id is by then, not to who it was before the tick."""
    world.identify("ada", "phone")
    world.identify("bob")
    world.catch_up()
    world.post("page", anonymousId="phone")
    world.identify("bob", "phone")
    world.post("page", anonymousId="phone")
    world.catch_up()
    pages = [event.subject for event in world.events() if event.name == "Page"]
    assert pages == [world.reader.find("ada"), world.reader.find("bob")]


def test_a_watched_event_changes_the_record_and_makes_facts(world: World) -> None:
    """The facts of an event follow it in the history and in seq, with ids made of subject and seq."""
    world.define(BUYERS)
    row = world.track("ada", "Order Completed")
    world.catch_up()
    _, fact = world.events()
    assert (fact.name, fact.kind, fact.active) == ("Segment Entered", Kind.FACT, False)
    assert fact.seq == sequence(row, 0, 1)
    record = world.reader.record(1)
    assert record is not None
    assert record.members == {"buyers": START}
    assert (record.key, record.first_seen) == ("u:ada", START)


def test_imported_events_are_known_at_their_own_time(world: World) -> None:
    """An imported event arrived today and was known when it happened; it starts nothing."""
    world.post(
        "import",
        Lane.BULK,
        batch=[
            {"type": "track", "userId": "ada", "event": "A", "timestamp": "2025-12-01T00:00:00Z"},
        ],
    )
    world.catch_up()
    (event,) = world.events()
    assert event.known_at == event.at == START - 31 * DAY
    assert event.received_at == START
    assert event.imported


def test_the_instant_of_a_subject_never_goes_back(world: World) -> None:
    """A row of a later lane that arrived earlier is folded at the customer's present."""
    world.define(BUYERS)
    world.post("import", Lane.BULK, batch=[{"type": "track", "userId": "ada", "event": "Order Completed"}])
    world.clock.at = START + HOUR
    world.track("ada", "Order Completed")
    world.catch_up()
    orders = [event for event in world.events() if event.name == "Order Completed"]
    assert [event.instant for event in orders] == [START + HOUR, START + HOUR]
    assert [event.received_at for event in orders] == [START + HOUR, START]


def test_identify_links_and_a_merge_hands_the_state_over(world: World) -> None:
    """An anonymous customer who turns out to be known: the older's record has both, the younger's is gone."""
    world.define("segment: buyers\nwhere: {did: {event: Order Completed, times: {gte: 2}}}")
    world.track("ada", "Order Completed")
    world.post("track", anonymousId="x", event="Order Completed")
    world.identify("ada", "x", email="ada@x.example")
    world.catch_up()
    assert [(merge.younger, merge.older, merge.cause) for merge in world.reader.merges()] == [
        (2, 1, "identify")
    ]
    record = world.reader.record(1)
    assert record is not None and "buyers" in record.members
    assert record.traits["email"].value == "ada@x.example"
    assert world.reader.record(2) is None
    assert world.reader.ids(1) == [("user", "ada"), ("anonymous", "x"), ("email", "ada@x.example")]
    assert world.reader.find("#2") == world.reader.find("x") == 1


RETURNERS = """
segment: returners
where: {did: {event: Order Completed, times: {gte: 2}}}
---
campaign: thanks
trigger: {enters: returners}
goal: {event: Order Completed, within: 7d}
control: none
why: a test
topic: news
steps: [{send: {template: hello, channel: email}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


@pytest.mark.parametrize(
    ("kind", "lane", "starts"), [("batch", Lane.LIVE, True), ("import", Lane.BULK, False)]
)
def test_a_merge_by_an_import_starts_nothing(world: World, kind: str, lane: Lane, starts: bool) -> None:
    """Two who turn out to be one enter a segment; a campaign starts by it unless an import said so."""
    world.define(RETURNERS)
    world.identify("ada", email="ada@x.example")
    world.track("ada", "Order Completed")
    world.post("track", anonymousId="x", event="Order Completed")
    world.post(kind, lane, batch=[{"type": "identify", "userId": "ada", "anonymousId": "x"}])
    world.catch_up()
    assert world.names().count("Segment Entered") == 1
    assert ("Campaign Entered" in world.names()) is starts


WAITING = """
campaign: thanks
transactional: true
trigger: {event: Order Completed}
variants:
  one: {steps: [{wait: {for: 1h}}, {send: {channel: email, template: hello}}]}
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def test_what_is_due_at_the_moment_of_a_merge_happens_in_its_tick(world: World) -> None:
    """A visitor's wait ends at the very instant at which they turn out to be a customer: the engine's time
    is not written down before it has ended."""
    world.define(WAITING)
    world.identify("ada", email="ada@x.example")
    world.post(
        "track", anonymousId="x", event="Order Completed", context={"traits": {"email": "x@x.example"}}
    )
    world.catch_up()
    world.clock.at += HOUR
    world.identify("ada", "x")
    engine = world.engine()
    engine.tick()
    engine.abort()
    assert [one.name for one in world.events() if one.subject == 1][-2:] == [
        "Message Wanted",
        "Campaign Exited",
    ]


def test_what_became_due_while_the_engine_was_behind_happens_in_the_tick_that_brought_it(
    world: World,
) -> None:
    """An event lay unread for two hours: the wait of an hour that it begins is over when the engine's time is
    written down."""
    world.define(WAITING)
    world.identify("ada", email="ada@x.example")
    world.catch_up()
    world.track("ada", "Order Completed")
    world.clock.at += 2 * HOUR
    engine = world.engine()
    engine.tick()
    engine.abort()
    assert world.names()[-2:] == ["Message Wanted", "Campaign Exited"]


def test_consent_goes_to_whoever_the_subject_is_today(world: World) -> None:
    """A link signed for a customer who was merged since acts for the older one."""
    world.track("ada", "A")
    world.post("track", anonymousId="x", event="A")
    world.catch_up()
    world.identify("ada", "x")
    world.catch_up()
    said = {"name": "Unsubscribed", "subject": 2, "topic": "news", "channel": "email", "message": "m"}
    row = world.post("consent", Lane.URGENT, **said)
    world.catch_up()
    event = world.events()[-1]
    assert (event.subject, event.name, event.seq) == (2, "Unsubscribed", sequence(row, 0))
    (found,) = open_snapshot(world.data, world.reader).subject_events(2)[-1:]
    assert (found.subject, found.seq) == (1, event.seq), "written for 2, read for 1"
    assert not event.active
    assert json.loads(event.properties) == {"topic": "news", "channel": "email", "message": "m"}
    record = world.reader.record(1)
    assert record is not None and record.consents["news/email"].state == "out"


def test_alias_merges_an_anonymous_customer(world: World) -> None:
    """alias says that the previous id was this user's."""
    world.track("ada", "A")
    world.post("track", anonymousId="x", event="A")
    world.post("alias", userId="ada", previousId="x")
    world.catch_up()
    assert [merge.cause for merge in world.reader.merges()] == ["alias"]


def test_a_step_that_fails_costs_only_its_input(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One customer's broken input is named and left out; what came before and after it is folded."""

    def fragile(record, input, plan):  # type: ignore[no-untyped-def]
        if getattr(input, "properties", b"") == b'{"bad": true}':
            record.summaries.clear()
            raise RuntimeError("half-way")
        return step(record, input, plan)

    monkeypatch.setattr("hark.engine.parts.step", fragile)
    world.define("segment: buyers\nwhere: {did: {event: Order Completed, times: {gte: 3}}}")
    world.catch_up()
    for bad in (False, True, False, False):
        world.track("ada", "Order Completed", **({"bad": True} if bad else {}))
    world.catch_up()
    (problem,) = world.reader.problems()
    assert (problem.reason, problem.row) == ("step.failed", 3)
    record = world.reader.record(1)
    assert record is not None and "buyers" in record.members
    assert world.names().count("Segment Entered") == 1


def test_a_step_that_fails_costs_a_group_only_its_input(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the team said of a group in the same tick, before the broken call, stays."""

    def fragile(record, input, plan):  # type: ignore[no-untyped-def]
        if input.subject > GROUPS and b"bad" in input.context + input.properties:
            record.traits.clear()
            raise RuntimeError("half-way")
        return step(record, input, plan)

    monkeypatch.setattr("hark.engine.parts.step", fragile)
    world.catch_up()
    for traits in ({"plan": "pro"}, {"bad": True}):
        world.post("group", userId="ada", groupId="acme", traits=traits)
    world.catch_up()
    assert [one.reason for one in world.reader.problems()] == ["step.failed"]
    record = world.reader.record(GROUPS + 1)
    assert record is not None and record.traits["plan"].value == "pro"
