"""What is watched, what costs nothing, and the bytes of a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.decide.plan import Plan
from hark.decide.record import decode, encode, fresh
from hark.decide.step import REDUCERS, EndlessFactsError
from hark.decide.watch import ALWAYS, PARTS
from hark.errors import HarkError
from hark.model import DAY, FactName, Record, Trait
from tests.decide.story import SEND, START, Story, campaign, documents, plan_of

SLOW = "segment: slow\nwhere: {all: [{did: {event: Order}}, {did_not: {event: Visit, within: 45d}}]}\n---\n"


def test_what_nothing_watches_costs_nothing() -> None:
    """Only the names that a condition, trigger, goal or wait asks for touch a record."""
    steps = f"[{SEND}, {{wait: {{until: {{event: Opened App}}, for: 3d}}}}, {SEND}]"
    plan = plan_of(SLOW + campaign(steps))
    watched = {"Order", "Visit", "Signed Up", "Bought", "Opened App", *ALWAYS}
    assert {name for name in (*watched, "Looked", *FactName) if plan.watch(name)} == watched


FEW = """segment: few
where: {did: {event: Bought, where: {revenue: {gte: 20}}, times: {gte: 2}, within: 7d}}
---
"""
DEAR = campaign(
    trigger="{event: Signed Up, where: {seats: {gte: 5}}}",
    goal="{event: Bought, where: {revenue: {gte: 50}}, within: 7d}",
)


def test_what_passes_no_test_costs_nothing() -> None:
    """Where every watcher of a name asks for properties, an event without them touches no record."""
    story = Story(plan_of(FEW + DEAR))
    touched = [story.plan.touches(story.event("Bought", revenue=revenue)) for revenue in (10, 20, 60)]
    assert touched == [False, True, True]
    assert not story.plan.touches(story.event("Signed Up", seats=4))
    assert plan_of(FEW + campaign()).touches(story.event("Bought", revenue=10))


@given(st.lists(st.tuples(st.sampled_from(["Bought", "Signed Up"]), st.integers(0, 80)), max_size=12))
def test_what_touches_no_record_would_change_nothing(happened: list[tuple[str, int]]) -> None:
    """Folded all the same, such an event makes no fact and moves nothing but the record's last place."""
    story = Story(plan_of(FEW + DEAR))
    for name, number in happened:
        event, before = story.event(name, revenue=number, seats=number // 10), decode(encode(story.record))
        facts = story.gives(event)
        if not story.plan.touches(event):
            after = story.record
            after.now, after.last_seq = before.now, before.last_seq
            after.summaries = {key: kept for key, kept in after.summaries.items() if kept is not None}
            assert (facts, after) == ([], before)


def test_the_reducers_are_those_that_the_plan_names() -> None:
    """Each part that a watch may name is a reducer, in the same order."""
    assert tuple(REDUCERS) == PARTS


def test_the_entry_into_a_segment_is_watched_where_a_campaign_starts_by_it() -> None:
    """Facts are folded like events where something asks for them."""
    plan = plan_of(SLOW + campaign(trigger="{enters: slow}"))
    assert plan.watch(FactName.SEGMENT_ENTERED) is not None
    assert plan_of(SLOW + campaign()).watch(FactName.SEGMENT_ENTERED) is None


def test_leaf_keys_name_the_summaries_to_keep() -> None:
    """Segments, audiences and internal people ask for summaries; the same condition twice for one."""
    policy = "policy: internal\nwhere: {did: Staff Login}\n---\npolicy: attention\ntickets: no\n---\n"
    audience = "{all: [{did: {event: Order}}, {trait: {plan: pro}}, {did: Trial}]}"
    plan = plan_of(policy + SLOW + campaign(audience=audience))
    assert len(plan.leaf_keys) == 4


def test_traits_in_the_context_of_any_event_touch_the_record() -> None:
    """An event that nothing watches may state traits, and a segment of traits follows."""
    story = Story(plan_of("segment: pros\nwhere: {trait: {plan: pro}}\n"))
    from msgspec.structs import replace

    event = replace(story.event("Looked"), context=b'{"traits": {"plan": "pro"}}')
    assert story.plan.touches(event)
    assert not story.plan.touches(replace(event, context=b"{}"))
    assert [fact.name for fact in story.gives(event)] == [FactName.SEGMENT_ENTERED]


def test_backfilled_members_start_only_what_lets_them_in() -> None:
    """Who is found in a new segment has not entered it, unless the campaign says `existing: yes`."""
    story = Story(plan_of(campaign()))
    new = SLOW + campaign(trigger="{enters: slow}") + "---\n"
    story.plan = plan_of(new + campaign(trigger="{enters: slow, existing: true}").replace("hello", "old", 1))
    did, did_not = (leaf.key for leaf in story.plan.segments["slow"].where.leaves())
    story.commands("backfill", summaries={did: 1})
    assert did_not not in story.record.summaries
    (entered,) = story.found(FactName.CAMPAIGN_ENTERED)
    assert (entered["campaign"], entered["batch"]) == ("old", "existing")
    assert story.found(FactName.SEGMENT_ENTERED)[0]["backfill"] is True


def test_a_refold_after_a_merge_is_a_live_change() -> None:
    """What history says of the merged customer has changed now, and starts campaigns."""
    story = Story(plan_of(SLOW + campaign(trigger="{enters: slow}")))
    did, _ = (leaf.key for leaf in story.plan.segments["slow"].where.leaves())
    story.commands("refold", summaries={did: 1})
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == 1


def test_those_already_inside_enter_a_new_campaign_once() -> None:
    """The command `existing` lets members into a campaign that asks for them, under its own batch."""
    story = Story(plan_of(SLOW))
    story.does("Order")
    story.plan = plan_of(SLOW + campaign(trigger="{enters: slow, existing: true}"))
    for _ in range(2):
        story.commands("existing", campaign="hello")
    assert [fact["batch"] for fact in story.found(FactName.CAMPAIGN_ENTERED)] == ["existing"]


def test_summaries_and_segments_of_no_definition_are_dropped() -> None:
    """After a backfill the record holds only what the plan asks for."""
    story = Story(plan_of(SLOW))
    story.does("Order")
    story.plan = plan_of("segment: other\nwhere: {did: Trial}\n")
    story.commands("backfill", summaries={})
    assert (story.record.summaries, story.record.members) == ({}, {})
    story.wait(100 * DAY)
    assert story.record.due is None


def test_an_unknown_command_is_refused() -> None:
    """A command has to be one of those there are."""
    with pytest.raises(HarkError, match=r"decide\.command"):
        Story(plan_of(SLOW)).commands("dance")


def test_definitions_that_set_each_other_off_are_named() -> None:
    """A campaign started by its own entry ends in a named error, not in a hang."""
    plan = plan_of(campaign(trigger="{any_of: [Signed Up, Campaign Exited]}", reenter="always"))
    with pytest.raises(EndlessFactsError):
        Story(plan).does("Signed Up")


def test_an_older_version_stays_in_the_plan_only_if_asked_for() -> None:
    """`versions_in_use` brings the older courses; the newest alone is triggered."""
    old, new = documents(campaign()), documents(campaign(reenter="always"), version=2)
    assert Plan.compile(new).course("hello", 1) is None
    plan = Plan.compile(new, old)
    assert plan.course("hello", 1) is not None
    watch = plan.watch("Signed Up")
    assert watch and [course.version for course in watch.triggers] == [2]


@given(st.dictionaries(st.text(), st.integers(0, 2**53) | st.text() | st.none() | st.booleans()))
def test_a_record_comes_back_from_its_bytes(values: dict[str, object]) -> None:
    """decode(encode(record)) is the record, and its bytes are the same again."""
    record = fresh(7, "key", START)
    record.traits = {name: Trait(value, START, 1) for name, value in values.items()}
    record.goals = {"hello": (START, 5)}
    data = encode(record)
    assert decode(data) == record
    assert encode(decode(data)) == data


@pytest.mark.parametrize("data", [b"", b"\x02\x90", b"{}"])
def test_bytes_of_another_format_are_refused(data: bytes) -> None:
    """The tag says which format it is; another one is no record."""
    with pytest.raises(HarkError, match=r"record\.version"):
        decode(data)


def test_an_empty_record_is_small() -> None:
    """What most customers cost is a few dozen bytes."""
    assert len(encode(Record(1, "k" * 32))) < 80
