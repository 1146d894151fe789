"""The draw: shares, independence of the salts, recorded arms."""

from __future__ import annotations

import hashlib

import pytest
from scipy.stats import chi2_contingency, chisquare

from hark.decide.assignment import CONTROL, GLOBAL_CONTROL, draw
from hark.decide.course import Course
from hark.decide.holdouts import Holdouts
from hark.decide.plan import Plan
from hark.decide.record import fresh
from hark.definitions.types import Campaign
from hark.model import FactName, Record
from tests.decide.story import SEND, Story, campaign, documents, plan_of

SUBJECTS = 20_000
THREE = f"{{a: {SEND}, b: {SEND}, c: {SEND}}}"


def course(**keys: str) -> Course:
    return plan_with(1, **keys).current["hello"]


def plan_with(version: int, **keys: str) -> Plan:
    return Plan.compile(documents(campaign(**keys), version))


def record(number: int) -> Record:
    return fresh(number, f"stable-{number}", 0)


def arms(course_: Course, global_share: float = 0.0) -> list[tuple[str, str]]:
    drawn = (draw(record(number), course_, Holdouts(global_share)) for number in range(SUBJECTS))
    return [(one.arm, one.variant) for one in drawn]


def test_arms_come_out_in_their_shares() -> None:
    """Of 20,000 keys each arm gets its share: chi-square finds nothing at p = 0.001."""
    keys = {"variants": THREE, "allocation": "{weights: {a: 2, b: 1, c: 1}}", "control": "30%"}
    found = [arm for arm, _ in arms(course(**keys))]
    expected = {"control": 0.3, "a": 0.35, "b": 0.175, "c": 0.175}
    counts = [found.count(arm) for arm in expected]
    assert sum(counts) == SUBJECTS
    assert chisquare(counts, [share * SUBJECTS for share in expected.values()]).pvalue > 0.001


def test_control_and_variant_are_drawn_independently() -> None:
    """The would-be variant of the control is spread as that of the treated."""
    found = arms(course(variants=THREE, control="50%"))
    table = [
        [sum(1 for arm, variant in found if (arm == CONTROL) is taken and variant == name) for name in "abc"]
        for taken in (True, False)
    ]
    assert chi2_contingency(table).pvalue > 0.001


def test_two_campaigns_leave_different_people_alone() -> None:
    """Salts hold the campaign's name, so that one control says nothing about another."""
    one, other = course(control="50%"), course(control="50%")
    other.name = "goodbye"
    pairs = zip(arms(one), arms(other), strict=True)
    both = [(a[0] == CONTROL, b[0] == CONTROL) for a, b in pairs]
    table = [[both.count((x, y)) for y in (True, False)] for x in (True, False)]
    assert chi2_contingency(table).pvalue > 0.001


def test_anybody_can_recompute_the_draw() -> None:
    """The control is u < share, with u the first 53 bits of keyed BLAKE2b over the stable key."""
    for number in range(200):
        digest = hashlib.blake2b(
            f"stable-{number}".encode(), digest_size=8, key=b"campaign/hello/control"
        ).digest()
        u = (int.from_bytes(digest, "big") >> 11) / 2**53
        assert (draw(record(number), course(control="20%"), Holdouts()).arm == CONTROL) is (u < 0.2)


def test_a_larger_share_keeps_whom_the_smaller_had() -> None:
    """Raising the share only adds people to the control."""
    small, large = course(control="20%"), course(control="30%")
    moved = [
        (before, after)
        for (before, _), (after, _) in zip(arms(small), arms(large), strict=True)
        if before != after
    ]
    assert set(moved) == {("treatment", CONTROL)}
    assert abs(len(moved) / SUBJECTS - 0.1) < 0.01


@pytest.mark.parametrize("before, after", [("50%", "10%"), ("10%", "50%")])
def test_recorded_arms_stay_when_shares_change(before: str, after: str) -> None:
    """Whoever was drawn keeps the arm under new shares, with the propensity of that draw."""
    old = plan_with(1, control=before, reenter="always")
    new = plan_with(2, control=after, reenter="always")
    for number in range(60):
        story = Story(old, key=f"stable-{number}")
        story.does("Signed Up")
        story.plan = new
        story.does("Signed Up")
        first, second = story.found(FactName.CAMPAIGN_ENTERED)
        assert first["arm"] == second["arm"]
        assert first["propensity"] == second["propensity"]
        assert [first["carried"], second["carried"]] == [False, True]
        assert [first["first"], second["first"]] == [True, True]


def test_an_arm_that_is_gone_is_drawn_anew() -> None:
    """When a version has no control any more, its people are treated from then on."""
    story = Story(plan_with(1, control="90%", reenter="always"), key="stable-1")
    story.does("Signed Up")
    story.plan = plan_with(2, control="none", reenter="always")
    story.does("Signed Up")
    assert [fact["arm"] for fact in story.found(FactName.CAMPAIGN_ENTERED)] == [CONTROL, "treatment"]


def test_the_global_control_is_in_every_campaign_and_in_no_comparison() -> None:
    """Who is in it enters under an arm of its own, in shadow, and has a first entry still to come."""
    text = campaign(control="50%", reenter="always")
    policy = "policy: attention\nglobal_control: {share: 50%}\n---\n"
    shares = []
    for number in range(200):
        story = Story(plan_of(policy + text), key=f"stable-{number}")
        story.does("Signed Up")
        (entered,) = story.found(FactName.CAMPAIGN_ENTERED)
        shares.append(entered["arm"] == GLOBAL_CONTROL)
        if entered["arm"] == GLOBAL_CONTROL:
            assert story.messages() == []
            story.plan = plan_of(text)
            story.does("Signed Up")
            assert story.found(FactName.CAMPAIGN_ENTERED)[1]["first"] is True
    assert 70 < sum(shares) < 130


def test_the_draw_of_the_global_control_is_recorded() -> None:
    """Raising its share later takes nobody into it who was outside when first drawn."""
    course_ = course(control="20%")
    for number in range(200):
        subject = record(number)
        before = draw(subject, course_, Holdouts(0.05)).arm == GLOBAL_CONTROL
        assert (draw(subject, course_, Holdouts(0.5)).arm == GLOBAL_CONTROL) is before


def test_the_course_is_that_of_the_definition() -> None:
    """A campaign written with steps alone has one variant, which everybody outside the control gets."""
    found: Campaign = course(control="20%").campaign
    assert [variant.name for variant in found.variants] == ["treatment"]
