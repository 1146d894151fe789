"""A survey's report: scores and intervals as elsewhere, the latest answer of each, periods without gaps."""

from __future__ import annotations

from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.definitions.survey import Survey, answered
from hark.learn.surveys import Given, latest, report, scored
from hark.model import DAY, WEEK

NPS = Survey("likely", "nps", {"": "How likely?"})
POLL = Survey("why", "poll", {"": "Why?"}, {"price": {"": "Price"}, "quality": {"": "Quality"}})


def test_the_net_promoter_score_is_promoters_less_detractors() -> None:
    """40 promoters, 30 between and 30 detractors are 10 points; the interval is that of the mean of their
    worths (100, 0, -100) by the library of statistics."""
    options = ["9"] * 25 + ["10"] * 15 + ["7"] * 20 + ["8"] * 10 + ["6"] * 10 + ["0"] * 20
    worths = [100.0] * 40 + [0.0] * 30 + [-100.0] * 30
    score, low, high = scored("nps", options)
    assert score == pytest.approx(10)
    half = 1.959964 * stdev(worths) / len(worths) ** 0.5
    assert low == pytest.approx(fmean(worths) - half)
    assert high == pytest.approx(fmean(worths) + half)


def test_under_a_handful_of_answers_there_is_no_interval() -> None:
    """Four answers have a score alone; none have nothing."""
    assert scored("satisfaction", ["4", "5", "5", "2"]) == (4.0, None, None)
    assert scored("nps", []) == (None, None, None)


ANSWERS = st.lists(
    st.builds(
        Given,
        st.integers(1, 3),
        st.integers(0, 5).map(lambda week: week * WEEK),
        st.sampled_from(["m1", "m2", ""]),
        st.sampled_from(NPS.options),
    ),
    max_size=20,
).map(lambda found: sorted(found, key=lambda one: one.at))


@given(ANSWERS)
def test_each_customer_has_one_answer_to_a_message_the_latest(given_: list[Given]) -> None:
    """As a dictionary written over and over; what answers no message of ours counts each time."""
    by = {(one.subject, one.message): one for one in given_ if one.message}
    loose = [one for one in given_ if not one.message]
    kept = latest(given_)
    assert sorted(map(repr, kept)) == sorted(map(repr, [*by.values(), *loose]))


@given(ANSWERS)
def test_the_periods_add_up_and_have_no_gaps(given_: list[Given]) -> None:
    """Every week from the first answer to now, each answer in one of them."""
    found = report(NPS, given_, 6 * WEEK)
    assert (
        sum(one.answers for one in found.periods) == found.answers == sum(one.count for one in found.options)
    )
    kept = latest(given_)
    weeks = (6 * WEEK - min(one.at for one in kept)) // WEEK if kept else -1
    assert len(found.periods) in (weeks + 1, weeks + 2)
    assert all(one.complete for one in found.periods[:-1])


def test_what_is_no_option_any_more_does_not_count() -> None:
    """An answer to an earlier version's choice is left out, unless somebody wrote something."""
    given_ = [Given(1, DAY, "a", "price"), Given(2, DAY, "b", "gone"), Given(3, DAY, "c", "", "It is blue")]
    found = report(POLL, given_, 2 * DAY)
    assert (found.answers, [one.count for one in found.options]) == (2, [1, 0])
    assert [one.text for one in found.texts] == ["It is blue"]


def test_an_answer_says_score_choice_and_text_or_is_none() -> None:
    """A score is a number, a choice a name; outside the options, or empty, is no answer."""
    assert answered(NPS, "9", " because ") == {
        "survey": "likely",
        "kind": "nps",
        "score": 9,
        "text": "because",
    }
    assert answered(POLL, "price", "") == {"survey": "why", "kind": "poll", "choice": "price"}
    words = Survey("say", "text", {"": "?"})
    assert answered(words, "", "blue") == {"survey": "say", "kind": "text", "text": "blue"}
    for survey, option, text in ((NPS, "11", ""), (NPS, "", "x"), (POLL, "9", ""), (words, "", " ")):
        assert answered(survey, option, text) is None
    silent = Survey("likely", "nps", {"": "?"}, comment=False)
    assert "text" not in (answered(silent, "3", "x") or {})
