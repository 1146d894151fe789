"""The ordered funnel: one meaning, in plain Python and in a kernel."""

from __future__ import annotations

import csv
import gzip
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from hark.clock import instant
from hark.definitions.asked import By, Order
from hark.errors import HarkError
from hark.model import Event
from hark.understand.funnel import (
    FOREVER,
    Funnel,
    ask_funnel,
    attempt,
    parse_step,
    specification,
    who_stopped,
    within,
)
from hark.understand.funnel.ask import bits_of
from hark.understand.kernels import funnel as kernel
from hark.understand.kernels.rows import stream
from tests.data import shared
from tests.history.waiting import canonical, event
from tests.understand.rows import SECOND, crowds, nows, snapshot, stating, steps, units

instants = (
    st.sampled_from([-1, -1, -1, 0, 2, 4, 6]).map(lambda seconds: seconds * SECOND),
    st.sampled_from([13, 13, 13, 4, 7, 9]).map(lambda seconds: seconds * SECOND),
)
splits = st.sampled_from([None, By("property", "x"), By("trait", "plan")])


@st.composite
def questions(draw: st.DrawFn) -> Funnel:
    """Funnels of every order, with windows, what is barred between steps, and everything told besides."""
    chosen = draw(st.lists(steps, min_size=1, max_size=4).map(tuple))
    order = draw(st.sampled_from(["ordered", "strict", "unordered"]))
    bars = st.lists(
        st.lists(steps, max_size=2).map(tuple), min_size=len(chosen) - 1, max_size=len(chosen) - 1
    )
    barred = () if order == "unordered" else draw(st.one_of(st.just(()), bars.map(tuple)))
    window = draw(st.one_of(st.none(), st.integers(0, 8).map(lambda seconds: seconds * SECOND)))
    start, end = (draw(one) for one in instants)
    told = draw(splits), draw(st.booleans()), draw(st.sampled_from([None, "day"]))
    return Funnel(chosen, window, start, end, order, barred, *told)  # type: ignore[arg-type]


@settings(max_examples=250, deadline=None)
@given(crowds, questions(), nows, st.integers(1, 3), units)
def test_the_kernel_equals_the_specification(
    drawn: list[Event], question: Funnel, now: int, parts: int, unit: int
) -> None:
    """Over random histories with ties, late events and several runs, kernel and specification agree."""
    events, question = stating(drawn, unit), scaled(question, unit)
    expected = specification(question, canonical(events, []), now * unit)
    assert ask_funnel(snapshot(events, parts), question, now * unit) == expected


def scaled(question: Funnel, unit: int) -> Funnel:
    within_us = None if question.within_us is None else question.within_us // SECOND * unit
    ends = question.start // SECOND * unit, question.end // SECOND * unit
    return replace(question, within_us=within_us, start=ends[0], end=ends[1])


def funnel(*steps: str, within: int | None = None) -> Funnel:
    return Funnel(tuple(parse_step(step) for step in steps), None if within is None else within * SECOND)


def history(*at_and_name: tuple[int, str]) -> list[Event]:
    return [event(row, 1, at * SECOND, name) for row, (at, name) in enumerate(at_and_name)]


def reached(question: Funnel, events: list[Event], start: int = -100, end: int = 100) -> list[int]:
    """The seconds at which each step was reached, on which specification and kernel must agree."""
    found = attempt(question, events, start * SECOND, end * SECOND)
    bits, barred, _ = bits_of(question)
    rows = stream(snapshot(events, 1, 1).runs(0), bits)
    limits = within(question), start * SECOND, end * SECOND, FOREVER
    times = kernel.attempts(rows, barred, *limits, question.order == "unordered").times
    assert [at for at in times.ravel().tolist() if at != kernel.NEVER] == (found.times if found else [])
    return [at // SECOND for at in found.times] if found else []


def test_the_window_includes_its_last_instant() -> None:
    """A last step exactly W after the start counts, one later does not."""
    question = funnel("A", "B", within=5)
    assert reached(question, history((0, "A"), (5, "B"))) == [0, 5]
    assert reached(question, history((0, "A"), (6, "B"))) == [0]


def test_a_later_attempt_can_go_further() -> None:
    """The level is the deepest of any attempt, not that of the first."""
    question = funnel("A", "B", within=5)
    assert reached(question, history((0, "A"), (7, "A"), (9, "B"))) == [7, 9]


def test_the_attempt_reported_starts_earliest_and_takes_the_earliest_matches() -> None:
    """Of attempts that reach the same level the earliest-starting one gives the times."""
    question = funnel("A", "B", "C", within=10)
    assert reached(question, history((0, "A"), (1, "A"), (2, "B"), (3, "B"), (9, "C"))) == [0, 2, 9]


def test_attempts_start_in_the_range_and_may_end_after_it() -> None:
    """A start at the range's end is outside, a later step after it is not."""
    question = funnel("A", "B")
    assert reached(question, history((3, "A"), (4, "A"), (9, "B")), start=4, end=5) == [4, 9]
    assert reached(question, history((5, "A"), (9, "B")), start=4, end=5) == []


def test_one_event_serves_one_step() -> None:
    """A funnel of the same step twice needs two events."""
    assert reached(funnel("A", "A"), history((0, "A"))) == [0]
    assert reached(funnel("A", "A"), history((0, "A"), (0, "A"))) == [0, 0]
    twice = funnel("A", "B", "B", within=3)
    assert reached(twice, history((0, "A"), (1, "B"), (4, "A"), (5, "B"))) == [0, 1]


def ordered(order: Order, *steps: str, within: int | None = None) -> Funnel:
    return replace(funnel(*steps, within=within), order=order)


def test_strict_lets_no_other_activity_between_two_steps() -> None:
    """Another activity between breaks a strict funnel, what is no activity does not; a later try may fit."""
    question = ordered("strict", "A", "B")
    assert reached(question, history((0, "A"), (1, "C"), (2, "B"))) == [0]
    assert reached(question, history((0, "A"), (1, "C"), (2, "A"), (3, "B"))) == [2, 3]
    inert = [replace(one, active=one.name != "C") for one in history((0, "A"), (1, "C"), (2, "B"))]
    assert reached(question, inert) == [0, 2]


def test_without_an_order_steps_count_in_any() -> None:
    """All steps within the window of the earliest; a level is a prefix of the steps; one event serves one."""
    question = ordered("unordered", "A", "B", "C", within=5)
    assert reached(question, history((0, "C"), (2, "B"), (5, "A"))) == [5, 5, 5]
    assert reached(question, history((0, "C"), (2, "B"), (6, "A"))) == [6, 6]
    assert reached(question, history((0, "C"), (1, "B"))) == []
    assert reached(ordered("unordered", "A", "A"), history((0, "A"))) == [0]


def test_what_is_barred_between_two_steps_closes_that_way_alone() -> None:
    """A barred event between two matches is no way; a later match of the step before may still lead on."""
    question = replace(funnel("A", "B", "C"), barred=((), (parse_step("X"),)))
    assert reached(question, history((0, "A"), (1, "B"), (2, "X"), (3, "C"))) == [0, 1]
    assert reached(question, history((0, "A"), (1, "B"), (2, "X"), (3, "B"), (4, "C"))) == [0, 3, 4]
    assert reached(question, history((0, "A"), (1, "X"), (2, "B"), (3, "C"))) == [0, 2, 3]


def test_what_people_did_instead() -> None:
    """Of those who stopped: what they did within the window after it, and what came first."""
    question = replace(funnel("A", "B", within=5), instead=True)
    events = [
        *history((0, "A"), (1, "C"), (2, "D"), (3, "C"), (9, "E")),
        *[replace(one, subject=2) for one in history((0, "A"), (8, "B"))],
    ]
    (drop,) = ask_funnel(snapshot(events, 1), question, FOREVER).instead
    assert (drop.step, drop.customers, drop.nothing) == ("A", 2, 1)
    assert [(one.event, one.customers, one.first) for one in drop.then] == [("C", 1, 1), ("D", 1, 0)]


def test_who_stopped_at_a_step() -> None:
    """The customers of a drop are those who reached the step and no further."""
    events = [*history((0, "A")), *[replace(one, subject=2) for one in history((0, "A"), (8, "B"))]]
    for step, who in [(1, [1]), (2, [2])]:
        found = who_stopped(snapshot(events, 1), funnel("A", "B"), FOREVER, step)
        assert [subject for bucket in found for subject in bucket.tolist()] == who


def test_twenty_values_are_listed_and_the_others_are_one() -> None:
    """A breakdown lists the 20 most frequent values; "other" says how many values and customers it holds."""
    events = [
        event(number, number, 0, "A", properties=b'{"plan":"%d"}' % min(number, 25))
        for number in range(1, 31)
    ]
    groups = ask_funnel(snapshot(events, 1), replace(funnel("A"), by=By("property", "plan")), FOREVER).groups
    assert (groups[0].value, groups[0].steps[0].customers) == ("25", 6)
    assert (len(groups), groups[-1].value, groups[-1].values) == (21, "other", 5)
    assert sum(one.steps[0].customers for one in groups) == 30


def test_a_trait_counts_as_it_was_at_the_first_step() -> None:
    """A trait stated after the attempt began does not count for the breakdown."""
    events = [
        replace(event(1, 1, 0, "A"), context=b'{"traits":{"plan":"free"}}'),
        replace(event(2, 1, SECOND, "B"), context=b'{"traits":{"plan":"pro"}}'),
    ]
    found = ask_funnel(snapshot(events, 1), replace(funnel("A", "B"), by=By("trait", "plan")), FOREVER)
    assert [one.value for one in found.groups] == ["free"]


def test_attempts_whose_window_is_not_over_are_shown_apart() -> None:
    """At the window's last instant an attempt is still open, even when it has reached the end."""
    question, events = funnel("A", "B", within=5), history((0, "A"), (2, "B"))
    for now, over, still_open in [(5, 0, (1, 1)), (6, 1, (0, 0))]:
        answer = ask_funnel(snapshot(events, 1), question, now * SECOND)
        assert answer.steps[1].customers == over
        assert answer.open.reached == still_open


def test_medians_are_exact_across_buckets() -> None:
    """The median of an even count over two buckets is the mean of the two in the middle."""
    events = [
        one
        for subject, seconds in enumerate([1, 2, 10, 40], start=1)
        for one in (
            event(2 * subject, subject, 0, "A"),
            event(2 * subject + 1, subject, seconds * SECOND, "B"),
        )
    ]
    second = ask_funnel(snapshot(events, 1), funnel("A", "B"), 100 * SECOND).steps[1]
    assert (second.median_s, second.median_from_first_s) == (6.0, 6.0)
    assert second.p90_s == pytest.approx(31.0)  # type 7: 10 + 0.7 × 30


def test_a_funnel_nobody_begins_has_no_times() -> None:
    """Without customers there is no median, and the shape stays."""
    found = ask_funnel(snapshot([], 1), funnel("A", "B"), 0).to_json()
    assert [step["customers"] for step in found["steps"]] == [0, 0]
    assert found["steps"][1]["median_s"] is None
    assert found["open"] == {"customers": 0, "reached": [0, 0]}


def test_wrong_questions_are_refused() -> None:
    """A funnel without steps and a step without a name say what is wrong."""
    with pytest.raises(HarkError, match=r"question\.steps"):
        funnel()
    with pytest.raises(HarkError, match=r"step\.name"):
        parse_step("A|")


def vectors() -> list[dict[str, object]]:
    cases: list[dict[str, object]] = json.loads(
        (shared("funnel_vectors") / "window_funnel_basic.json").read_text()
    )["cases"]
    return cases


def test_published_vectors() -> None:
    """Levels agree with ClickHouse's documented windowFunnel in every case of its default mode."""
    for case in vectors():
        window, names = int(case["window"]), [str(step) for step in case["steps"]]  # type: ignore[call-overload, attr-defined]
        question = Funnel(tuple(parse_step(name) for name in names), window)
        for user, rows in case["events"].items():  # type: ignore[attr-defined]
            events = [event(row, 1, at, str(name)) for row, (at, name) in enumerate(rows)]
            found = ask_funnel(snapshot(events, 1, 1), question, FOREVER)
            level = sum(step.customers for step in found.steps)
            assert level == case["expected_level"][user], case["id"]  # type: ignore[index]


def test_published_sequences() -> None:
    """ClickHouse's documented sequenceMatch: an event directly after another is a barred gap here."""
    case = json.loads((shared("funnel_vectors") / "window_funnel_basic.json").read_text())["sequence_match"]
    events = history(*((at, str(name)) for at, name in case["match_rows"]))
    considered = [(), (parse_step("3"),), (parse_step("4"),)]
    found = [len(reached(replace(funnel("1", "2"), barred=(gap,)), events)) == 2 for gap in considered]
    assert found == [bool(one["expected"]) for one in case["match"]]
    assert len(reached(ordered("strict", "1", "2"), events)) == 1


def shop() -> list[Event]:
    """The 32,283 events of retentioneering's demonstration shop."""
    with gzip.open(shared("simple_shop") / "simple_shop_events.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    users = {user: number for number, user in enumerate({row["user_id"]: 0 for row in rows})}
    return [
        event(number, users[row["user_id"]], instant(row["timestamp"] + "+00:00"), row["event"])
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("path", "published"),
    [
        (("catalog", "cart", "payment_done"), [3611, 1924, 653]),
        (("catalog", "product1|product2", "cart", "payment_done"), [3611, 2010, 1257, 429]),
    ],
)
def test_a_shop_with_published_answers(path: tuple[str, ...], published: list[int]) -> None:
    """Funnels of the demonstration shop are those its authors print; the specification agrees."""
    events, question = shop(), funnel(*path)
    found = ask_funnel(snapshot(events, 2), question, FOREVER)
    assert [step.customers for step in found.steps] == published
    assert found == specification(question, canonical(events, []), FOREVER)
