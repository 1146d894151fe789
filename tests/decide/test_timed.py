"""Starts by time alone: dates of a customer's, schedules, broadcasts; and calls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hark.clock import derived_id, instant, unit_hash
from hark.model import DAY, HOUR, JSON, FactName, Handover
from tests.decide.story import Story, campaign, plan_of


def starts(trigger: str, reenter: str = "always", **traits: JSON) -> Story:
    return Story(plan_of(campaign(trigger=trigger, reenter=reenter)), **traits)


def entered(story: Story) -> list[str]:
    return [
        f"{datetime.fromtimestamp(fact.at / 1e6, UTC):%Y-%m-%d %H:%M}"
        for fact in story.facts
        if fact.name == FactName.CAMPAIGN_ENTERED
    ]


TRIAL = '{date: {trait: ends, offset: -3d, at: "09:00"}}'


@pytest.mark.parametrize(
    "ends, zone, at",
    [("2026-03-20", "Europe/Berlin", "2026-03-17 08:00"),
     ("2026-03-20T23:30Z", "Asia/Tokyo", "2026-03-18 00:00"),
     ("2026-03-31", "Europe/Berlin", "2026-03-28 08:00"), ("2026-04-01", "Europe/Berlin", "2026-03-29 07:00"),
     (1774008000, "UTC", "2026-03-17 09:00")],
)  # fmt: skip
def test_a_date_starts_by_the_calendar(ends: JSON, zone: str, at: str) -> None:
    """Three days before the date, at nine on the customer's own clocks, summer time or not."""
    story = starts(TRIAL, ends=ends, timezone=zone)
    story.wait(60 * DAY)
    assert entered(story) == [at]


@pytest.mark.parametrize("offset, at", [("-6h", "2026-03-28 19:30"), ("-1d", "2026-03-28 02:30")])
def test_hours_before_a_date_are_hours_and_days_are_days(offset: str, at: str) -> None:
    """A meeting at half past three in the night on which clocks go forward: six hours before it as time
    goes, a day before it by the calendar, which is 23 hours."""
    story = starts(
        f"{{date: {{trait: meets, offset: {offset}}}}}", meets="2026-03-29T03:30", timezone="Europe/Berlin"
    )
    story.wait(60 * DAY)
    assert entered(story) == [at]


def test_what_somebody_does_at_the_very_moment_of_a_start_loses_it_nothing() -> None:
    """At one instant events come before timers: a trait that is stated just then leaves the start in place,
    and it comes once."""
    story = starts('{schedule: {cron: "0 9 * * *"}}', tier="free")
    story.wait(instant("2026-03-03T09:00:00Z") - 1 - story.now)
    before = len(entered(story))
    story.now += 1
    story.knows(tier="pro")
    story.wait(HOUR)
    assert entered(story)[before:] == ["2026-03-03 09:00"]


def test_a_date_that_is_moved_starts_at_the_new_one() -> None:
    """The trait as it is decides; a date that is past starts nothing."""
    story = starts(TRIAL, ends="2026-03-20")
    story.wait(DAY)
    story.knows(ends="2026-04-20")
    story.wait(60 * DAY)
    story.knows(ends="2026-04-21")
    story.wait(60 * DAY)
    assert entered(story) == ["2026-04-17 09:00"]


def test_birthdays_come_every_year() -> None:
    """A yearly date starts each year, that of February 29 on the 28th, under an id of its own."""
    story = starts('{date: {trait: born, at: "12:00", yearly: yes}}', born="1992-02-29")
    story.wait(3 * 365 * DAY)
    assert entered(story) == ["2027-02-28 12:00", "2028-02-29 12:00", "2029-02-28 12:00"]
    nominal = str(instant("2027-02-28T12:00:00Z"))
    assert story.found(FactName.CAMPAIGN_ENTERED)[0]["run"] == derived_id("run", "hello", 1, "", nominal)


def test_a_schedule_is_local() -> None:
    """Mondays at nine in New York, before and after the clocks go forward there on March 8."""
    story = starts('{schedule: {cron: "0 9 * * MON"}}', timezone="America/New_York")
    story.wait(10 * DAY)
    assert entered(story) == ["2026-03-02 14:00", "2026-03-09 13:00"]


def test_a_schedule_follows_who_moves() -> None:
    """A new time zone moves the next start."""
    story = starts('{schedule: {cron: "0 9 * * *"}}', timezone="Asia/Tokyo")
    story.knows(timezone="America/New_York")
    story.wait(DAY)
    assert entered(story) == ["2026-03-02 14:00"]


def test_a_schedule_starts_for_who_did_anything_at_all() -> None:
    """A customer's first event, whatever it is, is enough to be counted in."""
    story = Story(plan_of(campaign(trigger='{schedule: {cron: "0 9 * * *"}}', reenter="always")), email="")
    story.does("Looked")
    story.wait(DAY)
    assert story.reasons(FactName.NOT_ELIGIBLE) == ["not_reachable"]


def test_a_schedule_without_reentry_starts_once() -> None:
    """Who may not enter again waits for no further moment."""
    story = starts('{schedule: {cron: "0 9 * * *"}}', reenter="never")
    story.wait(30 * DAY)
    assert entered(story) == ["2026-03-03 09:00"]
    assert story.record.due is None


def test_whom_the_audience_does_not_hold_is_passed_in_silence() -> None:
    """What starts for everybody writes nothing about those whom it is not for."""
    text = campaign(
        trigger='{schedule: {cron: "0 9 * * *"}}', audience="{trait: {plan: pro}}", reenter="always"
    )
    story = Story(plan_of(text))
    story.wait(10 * DAY)
    assert story.facts == []


@pytest.mark.parametrize(
    "zone, late, at",
    [("Asia/Tokyo", "skip", []), ("Asia/Tokyo", "send", ["2026-03-02 10:00"]),
     ("Europe/Berlin", "skip", ["2026-03-02 11:00"]), ("America/New_York", "send", ["2026-03-02 17:00"])],
)  # fmt: skip
def test_a_broadcast_comes_at_everybodys_own_time(zone: str, late: str, at: list[str]) -> None:
    """Noon comes zone by zone; where it is past, late says whether at once or not at all."""
    story = starts(f'{{broadcast: {{at: "2026-03-02T12:00", late: {late}}}}}', "never", timezone=zone)
    story.wait(40 * DAY)
    assert entered(story) == at


@pytest.mark.parametrize("key", ["key-1", "key-2", "key-3"])
def test_a_broadcast_is_spread_by_the_hash(key: str) -> None:
    """Each start lies in the spread, at the place of the documented hash."""
    text = campaign(trigger='{broadcast: {at: "2026-03-05T12:00", zone: UTC, spread: 6h}}')
    story = Story(plan_of(text), key=key)
    story.wait(10 * DAY)
    (fact,) = [fact for fact in story.facts if fact.name == FactName.CAMPAIGN_ENTERED]
    share = (fact.at - instant("2026-03-05T12:00:00Z")) / (6 * HOUR)
    assert share == pytest.approx(unit_hash("campaign/hello/spread", key), abs=1e-6)


def test_a_new_schedule_is_armed_by_the_command() -> None:
    """Records from before the definition wait for its moments once they are told; those of the old are not
    missed for it."""
    story = starts('{schedule: {cron: "0 9 * * *"}}')
    story.wait(DAY)
    story.plan = plan_of(campaign(trigger='{schedule: {cron: "0 15 * * *"}}', reenter="always"), version=2)
    story.commands("arm")
    story.wait(DAY)
    assert entered(story) == ["2026-03-03 09:00", "2026-03-03 15:00"]


def test_a_start_of_an_older_definition_is_none() -> None:
    """A moment that the definition in force does not name starts nothing, even where nobody was told."""
    story = starts('{schedule: {cron: "0 9 * * *"}}')
    story.plan = plan_of(campaign(trigger='{schedule: {cron: "0 15 * * *"}}', reenter="always"), version=2)
    story.wait(DAY)
    assert entered(story) == []
    story.wait(DAY)
    assert entered(story) == ["2026-03-03 15:00"]


def test_two_who_are_one_start_once() -> None:
    """After a merge the older waits for one start, by the traits of both."""
    older = starts(TRIAL)
    younger = starts(TRIAL, ends="2026-03-20")
    older.gives(Handover(1, older.now + 1, 2, replace(younger.record, subject=2)))
    older.wait(60 * DAY)
    assert entered(older) == ["2026-03-17 09:00"]


def test_a_call_enters_with_its_data() -> None:
    """Who is named by a call enters under the call's id; the run refers to the call's data."""
    steps = "[{update: {traits: {order: {ref: data.order.id}}}}]"
    story = Story(plan_of(campaign(steps, trigger="{api: yes}", reenter="always", key="data.order.id")))
    story.calls("hello", order={"id": "o7"})
    (one,) = story.found(FactName.CAMPAIGN_ENTERED)
    assert (one["key"], one["run"]) == (
        "o7",
        derived_id("run", "hello", 1, "o7", story.events[-1].message_id),
    )
    assert story.record.traits["order"].value == "o7"
    story.calls("other")
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == 1
