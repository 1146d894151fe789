"""Controls over more than one campaign, exclusive groups, and arms drawn anew at each entry."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from scipy.stats import chi2_contingency, chisquare

from hark.decide.arms import arms_of
from hark.decide.assignment import chosen, draw
from hark.decide.holdouts import CONTROL, GLOBAL_CONTROL, PROGRAMME_CONTROL, Holdouts, in_global_control
from hark.decide.plan import Plan
from hark.decide.record import encode, fresh
from hark.model import DAY, FactName, Handover
from tests.decide.story import SEND, START, Story, campaign, documents, plan_of

CARE = "programme: care\ncontrol: 20%\ngoal: {event: Bought, within: 30d}\n---\n"


def named(name: str, **keys: str) -> str:
    return campaign(**keys).replace("campaign: hello", f"campaign: {name}", 1)


def u(salt: str, key: str) -> float:
    """The documented hash, by hand."""
    digest = hashlib.blake2b(key.encode(), digest_size=8, key=salt.encode()).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def key_of(share: float, salt: str, inside: bool = True) -> str:
    return next(f"key-{n}" for n in range(1000) if (u(salt, f"key-{n}") < share) is inside)


def test_the_global_control_is_redrawn_after_its_time() -> None:
    """In each span of `redraw` others are left alone, a share of it each time, by the hash of that span."""
    holdouts, now = Holdouts(0.2, 365 * DAY), 20_000 * DAY
    spans: list[list[bool]] = []
    people = [fresh(number, f"s-{number}", 0) for number in range(4_000)]
    for span in range(3):
        at = now + span * 365 * DAY
        spans.append([in_global_control(one, holdouts, at) for one in people])
        salt = f"global/{at // (365 * DAY)}"
        assert spans[-1] == [u(salt, one.key) < 0.2 for one in people]
        assert spans[-1] == [in_global_control(one, Holdouts(0.9, 365 * DAY), at + DAY) for one in people]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        pairs = Counter(zip(spans[one], spans[other], strict=True))
        table = [[pairs[a, b] for b in (True, False)] for a in (True, False)]
        assert chi2_contingency(table).pvalue > 0.001


def test_a_programme_is_drawn_once_for_all_its_campaigns() -> None:
    """Its control gets none of them; the exposure is written once, in both arms, at the first of them."""
    text = CARE + named("one", programme="care", control="50%") + "---\n"
    text += named("two", programme="care", control="50%", trigger="{event: Viewed}", reenter="always")
    arms, plan = Counter[str](), plan_of(text)
    for number in range(300):
        story = Story(plan, key=f"k-{number}")
        for event in ("Viewed", "Signed Up", "Viewed"):
            story.does(event)
        (exposure,) = story.found(FactName.PROGRAMME_ENTERED)
        assert (exposure["programme"], exposure["campaign"], exposure["share"]) == ("care", "two", 0.2)
        left = u("programme/care", f"k-{number}") < 0.2
        assert exposure["arm"] == ("control" if left else "treated")
        entered = [one["arm"] for one in story.found(FactName.CAMPAIGN_ENTERED)]
        assert (set(entered) == {PROGRAMME_CONTROL}) is left
        if left:
            assert set(story.reasons(FactName.MESSAGE_WITHHELD)) == {PROGRAMME_CONTROL}
        arms[exposure["arm"]] += 1
    assert chisquare([arms["control"], arms["treated"]], [60, 240]).pvalue > 0.001


def test_the_programmes_control_stays_when_its_share_changes() -> None:
    """A new version of the programme draws nobody anew who was drawn."""
    text = CARE + campaign(programme="care", reenter="always")
    story = Story(plan_of(text), key=key_of(0.2, "programme/care"))
    story.does("Signed Up")
    story.plan = plan_of(text.replace("20%", "1%"))
    story.does("Signed Up")
    assert len(story.found(FactName.PROGRAMME_ENTERED)) == 1
    assert [one["arm"] for one in story.found(FactName.CAMPAIGN_ENTERED)] == [PROGRAMME_CONTROL] * 2


def test_the_global_control_is_asked_before_the_programmes() -> None:
    """Who is in the global control is in no programme's comparison either."""
    policy = "policy: attention\nglobal_control: {share: 30%}\n---\n"
    story = Story(plan_of(policy + CARE + campaign(programme="care")), key=key_of(0.3, "global"))
    story.does("Signed Up")
    assert story.found(FactName.CAMPAIGN_ENTERED)[0]["arm"] == GLOBAL_CONTROL
    assert story.found(FactName.PROGRAMME_ENTERED) == []


def test_in_a_merge_the_programmes_earlier_arm_counts() -> None:
    """The younger was drawn first: its arm is the merged customer's."""
    text = CARE + campaign(programme="care", reenter="always")
    younger = Story(plan_of(text), key=key_of(0.2, "programme/care"))
    younger.does("Signed Up")
    older = Story(plan_of(text), key=key_of(0.2, "programme/care", inside=False))
    older.now += DAY
    older.does("Signed Up")
    older.gives(Handover(1, older.now, 2, younger.record))
    assert older.record.programmes["care"].arm == CONTROL


def test_of_an_exclusive_group_one_campaign_is_a_customers() -> None:
    """Each is for about a third of the customers, whatever its control; the others refuse with its name."""
    names = ("one", "two", "three")
    plan = plan_of("---\n".join(named(name, exclusive="tips", control="20%") for name in names))
    mine = Counter[str]()
    for number in range(600):
        story = Story(plan, key=f"k-{number}")
        story.does("Signed Up")
        (entered,) = story.found(FactName.CAMPAIGN_ENTERED)
        by_hand = max(names, key=lambda name: u(f"exclusive/tips/{name}", f"k-{number}"))
        assert entered["campaign"] == by_hand
        said = [one["values"]["campaign"] for one in story.found(FactName.NOT_ELIGIBLE)]
        assert said == [by_hand] * 2
        mine[by_hand] += 1
    assert chisquare([mine[name] for name in names]).pvalue > 0.001


def test_a_campaign_more_in_the_group_moves_nobody_between_the_others() -> None:
    """Who is not the new one's keeps the campaign they had; who had entered keeps it in any case."""
    two = plan_of("---\n".join(named(name, exclusive="tips") for name in ("one", "two")))
    three = plan_of("---\n".join(named(name, exclusive="tips") for name in ("one", "two", "three")))
    for number in range(400):
        record = fresh(number, f"k-{number}", 0)
        before, after = (chosen(record, plan.exclusive["tips"]).name for plan in (two, three))
        assert after in (before, "three")
        story = Story(two, key=f"k-{number}")
        story.does("Signed Up")
        assert chosen(story.record, three.exclusive["tips"]).name == before


@pytest.mark.parametrize("arm", ["sticky", "per_entry"])
def test_arms_are_drawn_anew_at_each_entry_if_asked(arm: str) -> None:
    """With `per_entry` the arms of two entries are independent, without it they are the same."""
    plan = plan_of(campaign(control="50%", reenter="always", arm=arm))
    pairs = Counter[tuple[bool, ...]]()
    for number in range(300):
        story = Story(plan, key=f"k-{number}")
        story.does("Signed Up")
        story.does("Signed Up")
        pairs[tuple(one["arm"] == CONTROL for one in story.found(FactName.CAMPAIGN_ENTERED))] += 1
    same = pairs[True, True] + pairs[False, False]
    if arm == "sticky":
        assert same == 300
    else:
        table = [[pairs[a, b] for b in (True, False)] for a in (True, False)]
        assert chi2_contingency(table).pvalue > 0.001


def test_arms_are_told_as_recorded_or_as_they_would_be_drawn() -> None:
    """For other senders: the recorded arm of who entered, else the draw's; asking changes nothing."""
    policy = "policy: attention\nglobal_control: {share: 10%}\n---\n"
    text = policy + CARE + named("one", control="50%") + "---\n" + named("two", programme="care")
    plan = plan_of(text)
    for number in range(200):
        record = fresh(number, f"k-{number}", 0)
        before = encode(record)
        found = arms_of(record, plan, START)
        assert encode(record) == before
        assert found.left_alone is (u("global", f"k-{number}") < 0.1)
        assert found.programmes == {
            "care": "control" if u("programme/care", f"k-{number}") < 0.2 else "treated"
        }
        story = Story(plan, key=f"k-{number}")
        story.does("Signed Up")
        entered = {one["campaign"]: one["arm"] for one in story.found(FactName.CAMPAIGN_ENTERED)}
        assert {name: one.arm for name, one in found.campaigns.items()} == entered
        assert not any(one.recorded for one in found.campaigns.values())
        later = arms_of(story.record, plan, START)
        assert {name: one.arm for name, one in later.campaigns.items()} == entered
        wide = {GLOBAL_CONTROL, PROGRAMME_CONTROL}
        assert all(one.recorded is (one.arm not in wide) for one in later.campaigns.values())


def test_a_split_is_as_written_in_ninety_nine_of_a_hundred_campaigns() -> None:
    """Of 100 campaigns of 2,000 customers chi-square finds the split wrong (p < 0.001) in one at most."""
    course = Plan.compile(documents(campaign(control="30%"))).current["hello"]
    people, wrong = [fresh(number, f"k-{number}", 0) for number in range(2_000)], 0
    for number in range(100):
        course.name = f"c{number}"
        left = sum(draw(one, course, Holdouts()).arm == CONTROL for one in people)
        wrong += bool(chisquare([left, 2_000 - left], [600, 1_400]).pvalue < 0.001)
    assert wrong <= 1


LEARNS = f"{{a: {SEND}, b: {SEND}}}"


def test_a_batchs_shares_draw_and_are_recorded() -> None:
    """The arm follows from u and the batch's table; propensity and batch stand in the entry, and stay."""
    text = campaign(variants=LEARNS, allocation="learn", control="20%", reenter="always")
    table = "---\nallocation: hello\nof: 1\nshares: {a: 0.9, b: 0.1}\n"
    plan, before = plan_of(text + table), plan_of(text)
    for number in range(100):
        story = Story(plan, key=f"k-{number}")
        story.does("Signed Up")
        story.plan = before
        story.does("Signed Up")
        one, other = story.found(FactName.CAMPAIGN_ENTERED)
        variant = "a" if u("campaign/hello/variant", f"k-{number}") < 0.9 else "b"
        assert one["variant"] == variant
        assert (one["batch"], other["batch"]) == ("1", "1")
        assert one["propensity"] == other["propensity"]
        if one["arm"] != CONTROL:
            assert one["propensity"] == pytest.approx(0.8 * {"a": 0.9, "b": 0.1}[variant])
    assert Story(before).plan.current["hello"].batch == 0


def test_a_table_of_another_version_is_not_used() -> None:
    """What was learned of other variants says nothing of these."""
    table = "allocation: hello\nof: 7\nshares: {a: 0.9, b: 0.1}\n---\n"
    course = plan_of(table + campaign(variants=LEARNS, allocation="learn")).current["hello"]
    assert (course.batch, [share for _, _, share in course.shares]) == (0, [0.5, 0.5])
