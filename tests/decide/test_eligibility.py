"""Who does not enter a campaign, and the reason that is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hark.decide.assignment import GLOBAL_CONTROL
from hark.decide.reasons import EXITS, HELD, REFUSALS, Exit, Held, Refusal
from hark.model import DAY, HOUR, FactName
from tests.decide.story import START, Story, campaign, plan_of


def stale() -> Story:
    story = Story(plan_of(campaign(fresh="1h")))
    story.now += DAY
    story.does("Signed Up", at=story.now - HOUR - 1)
    return story


def already_running() -> Story:
    story = Story(
        plan_of(campaign("[{wait: {for: 2d}}, {send: {channel: email, template: hello}}]", reenter="always"))
    )
    story.does("Signed Up")
    story.does("Signed Up")
    return story


def already_entered() -> Story:
    story = Story(plan_of(campaign(reenter="{after: 30d}")))
    story.does("Signed Up")
    story.now += 30 * DAY - 1
    story.does("Signed Up")
    return story


def paused() -> Story:
    story = Story(plan_of(campaign(paused="true")))
    story.does("Signed Up")
    return story


def out_of_dates() -> Story:
    story = Story(plan_of(campaign(ends='"2026-03-02T10:00:00Z"')))
    story.does("Signed Up")
    return story


def internal() -> Story:
    policy = 'policy: internal\nwhere: {trait: {email: {ends_with: "@shop.example"}}}\n---\n'
    story = Story(plan_of(policy + campaign()))
    story.does("Signed Up")
    return story


def not_in_audience() -> Story:
    story = Story(plan_of(campaign(audience="{trait: {country: GB}}")), country="FR")
    story.does("Signed Up")
    return story


def suppressed() -> Story:
    story = Story(plan_of(campaign()))
    story.commands("suppress", address="Mara@shop.example")
    story.does("Signed Up")
    return story


def not_reachable() -> Story:
    story = Story(plan_of(campaign()), email="")
    story.does("Signed Up")
    return story


def no_consent() -> Story:
    story = Story(plan_of(campaign()))
    story.does("Unsubscribed", topic="news")
    story.does("Signed Up")
    return story


def goal_already_met() -> Story:
    story = Story(plan_of(campaign()))
    story.now += HOUR
    story.does("Bought", at=START + 30)
    story.does("Signed Up", at=START + 20)
    return story


def exclusive() -> Story:
    from hark.clock import unit_hash

    other = campaign(exclusive="tips", trigger="{event: Viewed}").replace("hello", "goodbye", 1)
    keys = (f"key-{n}" for n in range(100))
    theirs = next(
        key
        for key in keys
        if unit_hash("exclusive/tips/goodbye", key) > unit_hash("exclusive/tips/hello", key)
    )
    story = Story(plan_of(campaign(exclusive="tips") + "---\n" + other), key=theirs)
    story.does("Signed Up")
    return story


def not_in_ramp() -> Story:
    story = Story(plan_of(campaign(ramp="0.1%")))
    story.does("Signed Up")
    return story


CASES: dict[Refusal, Callable[[], Story]] = {
    Refusal.STALE: stale,
    Refusal.ALREADY_RUNNING: already_running,
    Refusal.ALREADY_ENTERED: already_entered,
    Refusal.PAUSED: paused,
    Refusal.OUT_OF_DATES: out_of_dates,
    Refusal.INTERNAL: internal,
    Refusal.NOT_IN_AUDIENCE: not_in_audience,
    Refusal.SUPPRESSED: suppressed,
    Refusal.NOT_REACHABLE: not_reachable,
    Refusal.NO_CONSENT: no_consent,
    Refusal.GOAL_ALREADY_MET: goal_already_met,
    Refusal.EXCLUSIVE: exclusive,
    Refusal.NOT_IN_RAMP: not_in_ramp,
}
ENTERED_BEFORE = {Refusal.ALREADY_RUNNING, Refusal.ALREADY_ENTERED}


@pytest.mark.parametrize("reason", list(Refusal), ids=str)
def test_each_refusal_is_written_with_its_reason(reason: Refusal) -> None:
    """Every reason for not entering has a case that gives it, and then nobody is drawn or written to."""
    story = CASES[reason]()
    assert story.reasons(FactName.NOT_ELIGIBLE) == [reason]
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == (reason in ENTERED_BEFORE)


@pytest.mark.parametrize("set_, sentences", [(Refusal, REFUSALS), (Held, HELD), (Exit, EXITS)])
def test_each_reason_has_a_sentence(set_: type[Refusal | Held | Exit], sentences: dict[str, str]) -> None:
    """The sets of reasons are closed: each has exactly one sentence."""
    assert set(sentences) == set(set_)


@pytest.mark.parametrize("share", ["10%", "50%"])
@pytest.mark.parametrize(
    "reason", [Refusal.NO_CONSENT, Refusal.NOT_IN_AUDIENCE, Refusal.NOT_REACHABLE], ids=str
)
def test_eligibility_is_asked_before_the_draw(reason: Refusal, share: str) -> None:
    """Whoever the control would have taken is refused for the same reason as everybody else."""
    keys = [f"key-{number}" for number in range(40)]
    found = set()
    for key in keys:
        story = Story(plan_of(campaign(control=share, audience="{trait: {country: GB}}")), key=key, email="")
        if reason != Refusal.NOT_IN_AUDIENCE:
            story.knows(country="GB")
        if reason == Refusal.NO_CONSENT:
            story.knows(email="mara@shop.example")
            story.does("Unsubscribed")
        story.does("Signed Up")
        found.add(tuple(story.reasons(FactName.NOT_ELIGIBLE)))
    assert found == {(reason,)}


def test_a_refusal_to_enter_again_is_told_once() -> None:
    """Triggers after an entry do not fill the history with the same refusal."""
    story = Story(plan_of(campaign()))
    for _ in range(5):
        story.does("Signed Up")
    assert story.names().count(FactName.NOT_ELIGIBLE) == 1
    assert story.names().count(FactName.CAMPAIGN_ENTERED) == 1


def test_the_control_of_one_without_consent_is_no_exposure() -> None:
    """Who is not eligible leaves no exposure in the record, so that a later entry is the first."""
    story = Story(plan_of(campaign(control="20%")))
    story.does("Unsubscribed")
    story.does("Signed Up")
    assert story.record.exposures == []


def test_our_own_people_get_transactional_messages() -> None:
    """A receipt goes to internal people, to those who unsubscribed, and to the global control."""
    policies = (
        'policy: internal\nwhere: {trait: {email: {ends_with: "@shop.example"}}}\n---\n'
        "policy: attention\nglobal_control: {share: 50%}\n---\n"
    )
    text = policies + campaign(goal="", control="", why="", topic="", transactional="true")
    for number in range(8):
        story = Story(plan_of(text), key=f"key-{number}")
        story.does("Unsubscribed")
        story.does("Signed Up")
        assert len(story.messages()) == 1
        assert story.found(FactName.CAMPAIGN_ENTERED)[0]["arm"] != GLOBAL_CONTROL
