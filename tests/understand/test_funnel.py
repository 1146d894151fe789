"""The ordered funnel: one meaning, in plain Python and in a kernel."""

from __future__ import annotations

import csv
import gzip
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from hark.clock import instant
from hark.errors import HarkError
from hark.model import Event
from hark.understand.funnel import FOREVER, Funnel, ask_funnel, attempt, parse_step, specification, within
from hark.understand.kernels import funnel as kernel
from hark.understand.kernels.rows import Bit, stream
from tests.data import shared
from tests.history.waiting import canonical, event, histories
from tests.understand.rows import SECOND, snapshot, steps

questions = st.builds(
    Funnel,
    st.lists(steps, min_size=1, max_size=4).map(tuple),
    st.one_of(st.none(), st.integers(0, 8).map(lambda seconds: seconds * SECOND)),
    st.integers(-1, 6).map(lambda seconds: seconds * SECOND),
    st.integers(4, 13).map(lambda seconds: seconds * SECOND),
)


@settings(max_examples=250, deadline=None)
@given(histories(), questions, st.integers(0, 25), st.integers(1, 3))
def test_the_kernel_equals_the_specification(
    events: list[Event], question: Funnel, now: int, parts: int
) -> None:
    """Over random histories with ties, late events and several runs, kernel and specification agree."""
    expected = specification(question, canonical(events, []), now * SECOND)
    assert ask_funnel(snapshot(events, parts), question, now * SECOND) == expected


def funnel(*steps: str, within: int | None = None) -> Funnel:
    return Funnel(tuple(parse_step(step) for step in steps), None if within is None else within * SECOND)


def history(*at_and_name: tuple[int, str]) -> list[Event]:
    return [event(row, 1, at * SECOND, name) for row, (at, name) in enumerate(at_and_name)]


def reached(question: Funnel, events: list[Event], start: int = -100, end: int = 100) -> list[int]:
    """The seconds at which each step was reached, on which specification and kernel must agree."""
    found = attempt(question, events, start * SECOND, end * SECOND)
    rows = stream(snapshot(events, 1, 1).runs(0), [Bit(step) for step in question.steps])
    limits = within(question), start * SECOND, end * SECOND, FOREVER
    times = kernel.times(rows, len(question.steps), *limits)
    assert [at for at in times.ravel().tolist() if at != kernel.NEVER] == found
    return [at // SECOND for at in found]


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
