"""A learning campaign's variants in the report: compared within batches, so that a drift makes no
difference."""

from __future__ import annotations

import pytest

from hark.learn.report import report
from hark.model import DAY, Event, FactName
from tests.learn.histories import T0, Told, campaign, event

NOW = T0 + 60 * DAY
BATCHES = {"1": ((50, 5), (50, 5)), "2": ((10, 4), (90, 36))}
"""In each batch (people, goals) of both variants: 10 % reach the goal in the first, 40 % in the second."""
DOCUMENT = campaign(
    control="20%",
    allocation="learn",
    variants={name: {"send": {"channel": "email", "template": "hello"}} for name in ("plain", "playful")},
)


def history() -> Told:
    events: list[Event] = []
    subject = 0
    for batch, arms in BATCHES.items():
        for name, (people, goals) in zip(("plain", "playful"), arms, strict=True):
            for number in range(people):
                subject += 1
                told = {"campaign": "c", "version": 1, "run": f"r{subject}", "arm": name, "batch": batch}
                events.append(event(subject, T0, 10 * subject, FactName.CAMPAIGN_ENTERED, told))
                if number < goals:
                    events.append(event(subject, T0 + DAY, 10 * subject + 1, "Bought"))
    return Told(events)


def test_equal_variants_are_equal_although_the_pooled_rates_differ() -> None:
    """Pooled, playful has 41 of 140 against 9 of 60; within batches the difference is nothing."""
    found = report(history(), [DOCUMENT], NOW)
    rates = {arm.arm: arm.rate for arm in found.arms if arm.arm != "control"}
    assert rates == pytest.approx({"plain": 9 / 60, "playful": 41 / 140})
    (one,) = found.between
    assert (one.variant, one.other, one.batches) == ("playful", "plain", 2)
    assert one.difference is not None
    assert one.difference.estimate == pytest.approx(0)
    assert any(said.startswith("playful against plain, within 2 batches: ") for said in found.sentences)


def test_nothing_is_said_of_campaigns_that_do_not_learn() -> None:
    """Their shares stand still, so their arms are compared whole."""
    whole = campaign(control="20%", variants=DOCUMENT.body["variants"])
    assert report(history(), [whole], NOW).between == ()
