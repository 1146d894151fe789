"""New definitions: versions, and what they ask of the past."""

import json

from hark.model import DAY, HOUR, sequence
from tests.engine.world import RECEIPTS, START, World

BUYERS = "segment: buyers\nwhere: {did: {event: Order Completed, times: {gte: 2}}}"


def members(world: World, name: str) -> set[str]:
    return {one.key for one in world.reader.records() if name in one.members}


def test_each_change_is_a_new_version(world: World) -> None:
    """A body that changed becomes the next version, the same body none; author and note are kept."""
    world.define(BUYERS)
    world.define(BUYERS)
    world.catch_up()
    world.define(BUYERS.replace("2", "3"))
    world.catch_up()
    versions = world.reader.versions("segment", "buyers")
    assert [one.version for one in versions] == [1, 2]
    assert [(one.author, one.note, one.applied_at) for one in versions] == [("ada", "n", START)] * 2
    assert [one.version for one in world.reader.documents()] == [2]


def test_a_new_segment_is_filled_from_history(world: World) -> None:
    """Who met it already is inside at once, from events that nothing watched; nobody enters twice."""
    for user, orders in {"ada": 2, "bob": 1, "cy": 3}.items():
        for _ in range(orders):
            world.track(user, "Order Completed")
    world.catch_up()
    world.define(BUYERS)
    world.catch_up()
    assert members(world, "buyers") == {"u:ada", "u:cy"}
    world.track("bob", "Order Completed")
    world.track("ada", "Order Completed")
    world.catch_up()
    assert members(world, "buyers") == {"u:ada", "u:bob", "u:cy"}
    assert world.names().count("Segment Entered") == 3


def test_sealed_history_fills_as_well(world: World) -> None:
    """Events that have left `recent` count as those that have not."""
    world.track("ada", "Order Completed")
    world.engine(seal_events=1).catch_up()
    world.track("ada", "Order Completed")
    world.catch_up()
    world.define(BUYERS)
    world.catch_up()
    assert members(world, "buyers") == {"u:ada"}


def test_levels_of_engagement_are_filled_from_history(world: World) -> None:
    """Who stood at a level already is put there by one fact that says so; later changes are facts as well."""
    for user, orders in {"ada": 2, "bob": 1}.items():
        for _ in range(orders):
            world.track(user, "Order Completed")
    world.catch_up()
    often = "{did: {event: Order Completed, times: {gte: 2}, within: 10d}}"
    world.define(
        "engagement: buyer\nlevels:\n  - {name: once, when: {did: Order Completed}}\n"
        f"  - {{name: often, when: {often}, grace: 2d}}"
    )
    world.catch_up()
    assert members(world, "buyer.once") == {"u:ada", "u:bob"}
    assert members(world, "buyer.often") == {"u:ada"}
    world.clock.at = START + 13 * DAY
    world.track("bob", "Order Completed")
    world.catch_up()
    assert members(world, "buyer.often") == set()
    facts = [json.loads(one.properties) for one in world.events() if one.name == "Level Changed"]
    assert [(one["from"], one["to"], one.get("backfill", False)) for one in facts] == [
        (None, "often", True),
        (None, "once", True),
        ("often", "once", False),
    ]


def test_who_did_nothing_is_asked_too(world: World) -> None:
    """A segment that holds without any event takes in those of whom no record was kept."""
    world.track("ada", "Order Completed")
    world.track("bob", "Viewed")
    world.catch_up()
    world.define("segment: idle\nwhere: {did_not: {event: Order Completed}}")
    world.catch_up()
    assert members(world, "idle") == {"u:bob"}


def test_who_comes_later_and_does_nothing_is_asked_at_once(world: World) -> None:
    """A new customer's first event is folded for such a segment, whatever it is; later ones are not."""
    world.define("segment: idle\nwhere: {did_not: {event: Order Completed}}")
    world.catch_up()
    for user, event in (("ada", "Viewed"), ("bob", "Order Completed"), ("ada", "Viewed")):
        world.track(user, event)
    world.catch_up()
    assert members(world, "idle") == {"u:ada"}
    world.track("ada", "Viewed")
    world.catch_up()
    seen = [(event.subject, event.name) for event in world.events()]
    assert seen.count((1, "Segment Entered")) == 1
    record = world.reader.record(1)
    assert record is not None and record.last_seq == sequence(2, 0, 1)


def test_a_backfill_starts_no_run(world: World) -> None:
    """Who is found inside a new segment has not just entered: no campaign writes to them."""
    world.identify("ada", email="ada@x.example")
    for _ in range(2):
        world.track("ada", "Order Completed")
    world.catch_up()
    campaign = (
        "campaign: thanks\ntrigger: {enters: buyers}\nhypothesis: h\n"
        "goal: {event: Order Completed, within: 7d}\n"
        "control: none\nwhy: w\ntopic: news\nvariants:\n  one: {send: {template: receipt, channel: email}}"
    )
    topic = "topic: news\nsays: n\ndefault: in\nopt_in: single"
    world.define("\n---\n".join([RECEIPTS, BUYERS, topic, campaign]))
    world.catch_up()
    assert members(world, "buyers") == {"u:ada"}
    assert "Campaign Entered" not in world.names()
    assert world.reader.outbox() == []


def test_windows_of_the_past_end_in_the_future(world: World) -> None:
    """A backfilled membership by a window leaves at its moment like any other."""
    world.track("ada", "Order Completed")
    world.clock.at = START + HOUR
    world.catch_up()
    world.define("segment: recent\nwhere: {did: {event: Order Completed, within: 1d}}")
    world.catch_up()
    assert members(world, "recent") == {"u:ada"}
    world.clock.at = START + 2 * DAY
    world.catch_up()
    assert members(world, "recent") == set()
    assert world.events()[-1].at == START + DAY


def test_a_definition_that_cannot_be_read_changes_nothing(world: World) -> None:
    """It is named as a problem; what was in force stays, and none of its row is applied."""
    world.define(BUYERS)
    world.catch_up()
    documents = [
        {"kind": "topic", "name": "news", "body": {"says": "n"}},
        {"kind": "segment", "name": "buyers", "body": {"where": {"nonsense": 1}}},
    ]
    world.post("command", name="define", documents=documents, author="a", note="")
    world.catch_up()
    assert [(one.kind, one.version) for one in world.reader.documents()] == [("segment", 1)]
    (problem,) = world.reader.problems()
    assert problem.reason == "definitions.refused" and "nonsense" in problem.detail


def test_what_an_input_sets_off_comes_in_one_order_in_every_engine(world: World) -> None:
    """Whether an engine heard of the definitions or read them at its start, facts come in the same order."""
    texts = [f"segment: {name}\nwhere: {{did: {{event: Order Completed}}}}" for name in ("later", "first")]
    for text in texts:
        world.define(text)
    engine = world.engine()
    while engine.tick():
        pass
    world.track("ada", "Order Completed")
    while engine.tick():
        pass
    engine.abort()
    world.track("bob", "Order Completed")
    world.catch_up()
    entered = [
        json.loads(one.properties)["segment"] for one in world.events() if one.name == "Segment Entered"
    ]
    assert entered == ["first", "later"] * 2


def test_who_is_no_longer_inside_by_a_new_definition_leaves_its_campaigns(world: World) -> None:
    """A run that ends on leaving its segment ends too when the segment comes to ask for more."""
    waiting = (
        "campaign: more\ntrigger: {enters: buyers}\ngoal: {event: Read, within: 7d}\ncontrol: none\n"
        "why: a test\ntopic: news\nexit: [{leaves: buyers}]\n"
        "steps: [{wait: {for: 2d}}, {send: {channel: email, template: hello}}]\n"
        "---\ntopic: news\ndefault: in\n"
        "---\ntemplate: hello\nchannel: email\nsubject: Hello\ntext: Hello\n"
    )
    world.define(f"{BUYERS}\n---\n{waiting}")
    world.identify("ada", email="ada@shop.example")
    for _ in range(2):
        world.track("ada", "Order Completed")
    world.catch_up()
    assert "Campaign Entered" in world.names() and "Campaign Exited" not in world.names()
    world.define(BUYERS.replace("2", "3"))
    world.catch_up()
    exits = [json.loads(one.properties) for one in world.events() if one.name == "Campaign Exited"]
    assert [(one["campaign"], one["reason"]) for one in exits] == [("more", "left_segment")]
