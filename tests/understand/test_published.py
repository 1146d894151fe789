"""Published data whose answers others printed, asked of the kernels and of the specifications."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import cache
from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace
from pyarrow import compute, parquet

from hark.clock import instant
from hark.definitions.asked import Funnel, Lifecycle, Paths, Retention, Sessions, Trend
from hark.definitions.types import EventMatch, Segment
from hark.model import MINUTE, Event, Kind
from hark.understand import funnel, lifecycle, paths, retention, sessions, trend
from hark.understand.conditions import HasTrait
from hark.understand.segments import segment_at
from tests.data import shared
from tests.history.waiting import canonical, event
from tests.understand.rows import snapshot

NOW = instant("2030-01-01T00:00:00Z")
FINES, NOTICE = "traffic_fines/traffic_fines_events.csv.gz", "Insert Fine Notification"


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(shared(name), "rt") as file:
        yield from csv.DictReader(file)


def histories_of(
    found: list[dict[str, str]],
    who: str,
    what: Callable[[dict[str, str]], str],
    when: Callable[[dict[str, str]], str],
) -> list[Event]:
    people = {name: number for number, name in enumerate(dict.fromkeys(row[who] for row in found), start=1)}
    return [
        event(number, people[row[who]], instant(when(row)), what(row)) for number, row in enumerate(found)
    ]


@cache
def shop() -> tuple[Event, ...]:
    """The 32,283 events of retentioneering's demonstration shop."""
    found = list(rows("simple_shop/simple_shop_events.csv.gz"))
    return tuple(
        histories_of(found, "user_id", lambda row: row["event"], lambda row: row["timestamp"] + "+00:00")
    )


def match(*names: str) -> EventMatch:
    return EventMatch(names)


def test_the_shops_sessions() -> None:
    """6,454 sessions at a gap of 30 minutes, as its authors print; the specification agrees."""
    question = Sessions(30 * MINUTE, "month")
    found = sessions.ask_sessions(snapshot(shop(), 2), question, NOW)
    assert found.sessions == 6454
    assert found == sessions.specification(question, canonical(shop(), []), NOW)


OCCURRENCES = {
    "catalog": 14518, "main": 5635, "cart": 2842, "product2": 2172, "delivery_choice": 1686, "product1": 1515,
    "payment_choice": 1107, "delivery_courier": 834, "payment_done": 706, "payment_card": 565,
    "delivery_pickup": 506, "payment_cash": 197,
}  # fmt: skip


def test_the_shops_events() -> None:
    """Trends add up to the occurrences that its authors print."""
    history = snapshot(shop(), 2)
    for name, count in OCCURRENCES.items():
        found = trend.ask_trend(history, Trend(match(name), "month"), NOW)
        assert sum(point.count for point in found.points) == count


COHORTS = {
    "2019-11": [1, 0.393822, 0.328185, 0.250965, 0.247104], "2019-12": [1, 0.333333, 0.257028, 0.232932],
    "2020-01": [1, 0.386179, 0.284553], "2020-02": [1, 0.319066], "2020-03": [1, 0.14],
}  # fmt: skip


def test_the_shops_cohorts() -> None:
    """The cohort matrix that its authors print: monthly, by first event, any event as a return."""
    every = match(*OCCURRENCES)
    found = retention.ask_retention(snapshot(shop(), 2), Retention(every, every, "month"), NOW)
    for one in found.cohorts[:5]:
        shares = [round(active / one.size, 6) for active in one.active]
        assert shares[: len(COHORTS[one.cohort])] == COHORTS[one.cohort]


def test_a_shops_life() -> None:
    """Each customer is new once; who was active in the period before is either returning or dormant now."""
    found = lifecycle.ask_lifecycle(snapshot(shop(), 2), Lifecycle("week"), NOW).periods
    assert sum(one.new for one in found) == 3751
    for before, one in pairwise(found):
        assert before.new + before.returning + before.resurrected == one.returning + one.dormant


@cache
def plans() -> tuple[Event, ...]:
    """Foodie-Fi's 2,650 changes of plan, each an event named like the plan."""
    with (shared("foodie_fi") / "plans.csv").open() as file:
        names = {row["plan_id"]: row["plan_name"] for row in csv.DictReader(file)}
    found = list(rows("foodie_fi/subscriptions.csv.gz"))
    return tuple(
        histories_of(
            found,
            "customer_id",
            lambda row: names[row["plan_id"]],
            lambda row: row["start_date"] + "T00:00:00+00:00",
        )
    )


def levels(question: Funnel, now: int = NOW) -> list[int]:
    found = funnel.ask_funnel(snapshot(plans(), 1), question, now)
    assert found == funnel.specification(question, canonical(plans(), []), now)
    return [step.customers for step in found.steps]


def test_who_left_a_subscription() -> None:
    """307 of 1,000 churned (30.7 %); 92 of them straight after the trial (9 %)."""
    assert levels(Funnel((match("trial"), match("churn")))) == [1000, 307]
    assert levels(Funnel((match("trial"), match("churn")), order="strict")) == [1000, 92]


@pytest.mark.parametrize(
    ("plan", "customers"), [("basic monthly", 546), ("pro monthly", 325), ("pro annual", 37), ("churn", 92)]
)
def test_what_came_after_the_trial(plan: str, customers: int) -> None:
    """The first plan after the trial, as paths of one step."""
    found = paths.ask_paths(snapshot(plans(), 1), Paths(match("trial"), depth=1, gap_us=None, rare=0), NOW)
    assert {one.event: one.customers for one in found.tree.next}[plan] == customers


def test_days_until_the_annual_plan() -> None:
    """258 customers took the annual plan, on average 104.62 days after they joined."""
    question = Funnel((match("trial"), match("pro annual")))
    assert levels(question) == [1000, 258]
    found = funnel.ask_funnel(snapshot(plans(), 1), question, NOW).steps[1]
    assert found.mean_from_first_s == pytest.approx(104.62 * 86_400, abs=0.005 * 86_400)


YEAR = instant("2020-01-01T00:00:00Z"), instant("2021-01-01T00:00:00Z")


def test_who_changed_the_plan_in_2020() -> None:
    """195 took the annual plan in 2020, and nobody went down from the monthly pro plan to the basic one."""
    assert levels(Funnel((match("pro annual"),), None, *YEAR)) == [195]
    pro, basic = match("pro monthly"), match("basic monthly")
    assert levels(Funnel((pro, basic), None, *YEAR, order="strict"), now=YEAR[1] - 1)[1] == 0


def test_subscribers_who_stay_are_a_trials_retention() -> None:
    """Of the 1,000 trials of 2020 the 908 who did not churn right after it came back to do something else."""
    others = match("basic monthly", "pro monthly", "pro annual")
    question = Retention(
        match("trial"), others, "month", cohorts="first_time", returned_to=True, on_or_after=True
    )
    found = retention.ask_retention(snapshot(plans(), 2), question, NOW)
    assert found == retention.specification(question, canonical(plans(), []), NOW)
    assert sum(one.size for one in found.cohorts) == 1000
    assert sum(one.active[0] for one in found.cohorts) == 1000 - 92


@pytest.mark.parametrize(
    ("plan", "customers"),
    [("trial", 19), ("basic monthly", 224), ("pro monthly", 326), ("pro annual", 195), ("churn", 236)],
)
def test_who_had_which_plan_at_the_end_of_2020(plan: str, customers: int) -> None:
    """Segments as of 2020-12-31, with the plan as a trait: each as published."""
    stated = [
        replace(one, name="Identify", kind=Kind.IDENTIFY, properties=msgspec.json.encode({"plan": one.name}))
        for one in plans()
    ]
    segment = Segment("those", HasTrait({"plan": plan}))
    at = instant("2021-01-01T00:00:00Z") - 1
    assert segment_at(snapshot(stated, 2), segment, at).count == customers


@cache
def fines() -> tuple[Event, ...]:
    """The 34,724 events of 10,000 road fines; dates have no time of day, their order in the case is kept."""
    found = sorted(rows(FINES), key=lambda row: (row["case_id"], int(row["event_index"])))
    return tuple(
        histories_of(
            found, "case_id", lambda row: row["activity"], lambda row: row["date"] + "T00:00:00+00:00"
        )
    )


def test_the_fines_paths() -> None:
    """44 different paths through 10,000 fines, told apart down to the last step."""
    question = Paths(match("Create Fine"), depth=12, top=50, rare=0, collapse=False, gap_us=None)
    found = paths.ask_paths(snapshot(fines(), 2), question, NOW)
    assert (found.tree.customers, found.paths) == (10_000, 44)
    assert sum(one.customers for one in found.top) == 10_000
    assert found == paths.specification(question, canonical(fines(), []), NOW)


ACTIVITIES = {
    "Create Fine": 10_000, "Send Fine": 6570, "Payment": 4910, "Add penalty": 4635,
    "Insert Fine Notification": 4635, "Send for Credit Collection": 3387,
}  # fmt: skip


def test_the_fines_activities() -> None:
    """Each activity as often as its publisher counts it, over all months."""
    for name, count in ACTIVITIES.items():
        found = trend.ask_trend(snapshot(fines(), 2), Trend(match(name), "month"), NOW)
        assert sum(point.count for point in found.points) == count


def test_presence_on_later_dates_is_retention_by_day() -> None:
    """ClickHouse's documented retention(): of those there on the first day, who was there on the next two."""
    case = msgspec.json.decode((shared("funnel_vectors") / "window_funnel_basic.json").read_bytes())[
        "retention"
    ]
    events = [
        event(10 * day + user, user + 1, instant(f"{date}T00:00:00Z"), "Seen")
        for day, (date, users) in enumerate(case["rows"].items())
        for user in users
    ]
    found = retention.ask_retention(snapshot(events, 2), Retention(match("Seen"), match("Seen"), "day"), NOW)
    assert list(found.cohorts[0].active) == case["expected_sum"]


def test_from_a_fines_notice_to_its_payment() -> None:
    """4,635 notices, 1,147 of them followed by a payment, on the same day or later: counted in the file."""
    question = Funnel((match(NOTICE), match("Payment")))
    found = funnel.ask_funnel(snapshot(fines(), 2), question, NOW)
    by_case: dict[str, list[str]] = {}
    for row in sorted(rows(FINES), key=lambda row: int(row["event_index"])):
        by_case.setdefault(row["case_id"], []).append(row["activity"])
    told = [done[done.index(NOTICE) :] for done in by_case.values() if NOTICE in done]
    assert [step.customers for step in found.steps] == [len(told), sum("Payment" in done for done in told)]
    assert [step.customers for step in found.steps] == [4635, 1147]


ALL_LINES = [948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]


def test_online_retails_cohort_by_all_lines() -> None:
    """December 2010 by all lines with a customer, returns of goods included, as published."""
    path = shared("online_retail/online_retail_lines.parquet")
    lines = parquet.read_table(path, columns=["CustomerID", "InvoiceDate"])
    known = lines.filter(compute.is_valid(lines["CustomerID"]))
    pairs = known.group_by(["CustomerID", "InvoiceDate"]).aggregate([])
    events = [
        event(row, int(customer), instant(at.replace(tzinfo=UTC)), "Line")
        for row, (customer, at) in enumerate(
            zip(*(column.to_pylist() for column in pairs.columns), strict=True)
        )
    ]
    found = retention.ask_retention(
        snapshot(events, 2), Retention(match("Line"), match("Line"), "month"), NOW
    )
    assert list(found.cohorts[0].active) == ALL_LINES
