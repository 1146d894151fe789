"""Two customers turn out to be one."""

from __future__ import annotations

import pytest

from hark.decide.consents import state
from hark.decide.plan import Plan
from hark.decide.reasons import Exit
from hark.decide.record import decode, encode
from hark.decide.step import step
from hark.model import DAY, HOUR, Event, FactName, Handover, MergedInto
from tests.decide.story import SEND, START, Story, campaign, control_key, plan_of

WAITING = f"[{{wait: {{for: 2d}}}}, {SEND}]"
ORDERS = "segment: regulars\nwhere: {did: {event: Order, times: {gte: 3}}}\n---\n"


def hand_over(older: Story, younger: Story) -> list[Event]:
    """The two inputs of a merge; the younger's record goes through its bytes as the engine sends it."""
    older.now = max(older.now, younger.now)
    held = decode(encode(younger.record))
    emptied, facts = step(younger.record, MergedInto(2, older.now, 1, "identify"), younger.plan)
    assert facts == []
    assert (emptied.runs, emptied.traits, emptied.due) == ([], {}, None)
    return older.gives(Handover(1, older.now, 2, held))


def pair(plan: Plan, older_key: str = "key-0", younger_key: str = "key-1") -> tuple[Story, Story]:
    older, younger = Story(plan, older_key), Story(plan, younger_key, email="")
    younger.record.subject = 2
    younger.row = 100
    return older, younger


def test_traits_are_joined_by_time() -> None:
    """Each trait is the latest of both; the older's key and the earlier first sight stand."""
    older, younger = pair(plan_of(campaign()))
    older.knows(plan="free", country="GB")
    younger.now += HOUR
    younger.knows(plan="pro")
    younger.record.first_seen = START - DAY
    hand_over(older, younger)
    assert {name: trait.value for name, trait in older.record.traits.items()} == {
        "email": "mara@shop.example",
        "plan": "pro",
        "country": "GB",
    }
    assert (older.record.key, older.record.first_seen) == ("key-0", START - DAY)


@pytest.mark.parametrize("younger_left", [{}, {"topic": "news"}])
def test_the_more_restrictive_consent_holds(younger_left: dict[str, str]) -> None:
    """Who left under one id has left, even if the other id asked for it later."""
    older, younger = pair(plan_of("topic: offers\nopt_in: single\n---\n" + campaign()))
    younger.does("Unsubscribed", None, **younger_left)
    older.now += DAY
    older.does("Subscription Requested", topic="offers")
    hand_over(older, younger)
    assert state(older.record, older.plan, "news", "email") == "out"
    assert state(older.record, older.plan, "offers", "email") == ("in" if younger_left else "out")


def test_counts_are_added_and_segments_asked_again() -> None:
    """Two orders under one id and one under the other make three, which starts the segment's campaign."""
    older, younger = pair(plan_of(ORDERS + campaign(trigger="{enters: regulars}")))
    older.does("Order")
    older.does("Order")
    younger.does("Order")
    names = [fact.name for fact in hand_over(older, younger)]
    assert names[:2] == [FactName.SEGMENT_ENTERED, FactName.CAMPAIGN_ENTERED]


def test_an_imported_merge_starts_nothing() -> None:
    """The same merge, by an import, changes the segment and starts no run."""
    older, younger = pair(plan_of(ORDERS + campaign(trigger="{enters: regulars}")))
    older.does("Order")
    older.does("Order")
    younger.does("Order")
    facts = older.gives(Handover(1, older.now, 2, younger.record, imported=True))
    assert [fact.name for fact in facts] == [FactName.SEGMENT_ENTERED]


def test_different_arms_are_a_conflict_and_the_earlier_counts() -> None:
    """A fact names both arms; the later arm's run ends and its message never goes."""
    older, younger = pair(plan_of(campaign(WAITING, control="50%")), control_key(), control_key(inside=False))
    younger.knows(email="mara@shop.example")
    older.does("Signed Up")
    younger.now += HOUR
    younger.does("Signed Up")
    hand_over(older, younger)
    (conflict,) = older.found(FactName.ARM_CONFLICT)
    assert (conflict["kept"], conflict["dropped"]) == ("control", "treatment")
    assert older.reasons(FactName.CAMPAIGN_EXITED) == [Exit.ARM_CONFLICT]
    older.wait(3 * DAY)
    assert older.messages() == []
    assert [one.arm for one in older.record.exposures] == ["control"]


def test_the_same_arm_goes_on_once() -> None:
    """Of two runs of one campaign the earlier goes on, and one message comes of it."""
    keys = (control_key(inside=False), control_key(inside=False))
    older, younger = pair(plan_of(campaign(WAITING, control="50%")), *keys)
    younger.knows(email="mara@shop.example")
    younger.does("Signed Up")
    older.now += HOUR
    older.does("Signed Up")
    hand_over(older, younger)
    assert older.found(FactName.ARM_CONFLICT) == []
    assert older.reasons(FactName.CAMPAIGN_EXITED) == [Exit.MERGED]
    older.wait(3 * DAY)
    assert [fact["run"] for fact in older.found(FactName.MESSAGE_WANTED)] == [
        younger.found(FactName.CAMPAIGN_ENTERED)[0]["run"]
    ]
    assert [(one.entries, one.at) for one in older.record.exposures] == [(2, START)]


def test_a_merged_customer_does_not_enter_again() -> None:
    """What either had entered, the one customer has entered."""
    older, younger = pair(plan_of(campaign()))
    younger.knows(email="mara@shop.example")
    younger.does("Signed Up")
    hand_over(older, younger)
    older.does("Signed Up")
    assert older.reasons(FactName.NOT_ELIGIBLE) == ["already_entered"]


def test_messages_on_their_way_stay_on_their_way() -> None:
    """A message wanted under the younger id is handed off from the older's record."""
    older, younger = pair(plan_of(campaign()))
    younger.knows(email="mara@shop.example")
    younger.does("Signed Up")
    hand_over(older, younger)
    older.deliver()
    assert [fact for fact in older.names() if "Message" in fact] == [
        FactName.MESSAGE_SENDING,
        FactName.MESSAGE_SENT,
    ]


def test_who_leaves_a_segment_by_a_merge_leaves_its_campaigns() -> None:
    """The younger had just bought, so that both together are not idle: the run ends, and nothing is sent."""
    idle = "segment: idle\nwhere: {did_not: {event: Bought, within: 5d}}\n---\n"
    plan = plan_of(idle + campaign(WAITING, trigger="{enters: idle}", exit="[{leaves: idle}]"))
    older, younger = pair(plan)
    older.does("Looked")
    younger.does("Bought")
    names = [fact.name for fact in hand_over(older, younger)]
    assert names == [FactName.SEGMENT_LEFT, FactName.CAMPAIGN_EXITED]
    assert older.reasons(FactName.CAMPAIGN_EXITED) == [Exit.LEFT_SEGMENT]
    older.wait(3 * DAY)
    assert older.messages() == []
