"""The effect by situation: segments as they were on entering, drawn together as published, and marked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode
from msgspec.structs import replace
from statsmodels.stats.meta_analysis import combine_effects

from hark.learn.pooling import shrunk, tau_squared
from hark.learn.report import report
from hark.learn.situations import Asked, Situations
from hark.model import DAY, Event, Kind
from hark.understand.before import held_before
from hark.understand.conditions import AllOf, Condition, Did, DidNot, HasTrait, Not
from tests.learn.histories import T0, Told, campaign, entry, event

NOW = T0 + 60 * DAY
RUBIN = ((28, 8, -3, 7, -1, 1, 18, 12), (15, 10, 16, 11, 9, 11, 10, 18))
"""Effects and standard errors of coaching in eight schools (Rubin 1981, J. Educ. Statistics 6, table 1)."""


def test_tau_is_that_of_statsmodels() -> None:
    """Published log odds ratios with real differences give the between-variance that statsmodels finds; the
    eight schools, whose differences chance explains, give 0."""
    effects, errors = np.array(RUBIN, float)
    assert tau_squared(effects.tolist(), (errors**2).tolist()) == 0
    far, variances = [0.1, 0.9, -0.4, 1.6, 0.3], [0.01, 0.04, 0.02, 0.05, 0.03]
    theirs = combine_effects(np.array(far), np.array(variances), method_re="dl")
    assert tau_squared(far, variances) == pytest.approx(theirs.tau2)


def test_shrinking_is_the_posterior_of_the_eight_schools() -> None:
    """With the mean fixed at 8 and a spread of 10, school A's posterior mean and deviation are the textbook's
    (Gelman and others, Bayesian Data Analysis, 3rd ed., equation 5.17), computed from precisions."""
    found = shrunk(28.0, 15.0**2, 8.0, 0.0, 100.0)
    precision = 1 / 225 + 1 / 100
    assert found.estimate == pytest.approx((28 / 225 + 8 / 100) / precision)
    assert (found.high - found.low) / (2 * 1.959964) == pytest.approx(precision**-0.5, rel=1e-6)
    nothing = shrunk(28.0, 225.0, 8.0, 4.0, 0.0)
    assert (nothing.estimate, nothing.high) == pytest.approx((8.0, 8.0 + 2 * 1.959964), rel=1e-6)


A, B = Did(("A",), count={"gte": 2}), DidNot(("B",), within_us=10 * DAY)
CONDITIONS: dict[str, Condition] = {
    "often": A,
    "quiet": B,
    "both": AllOf((A, Not(B))),
    "pro": HasTrait({"plan": "pro"}),
}
ACTS = st.lists(
    st.tuples(
        st.integers(1, 3), st.integers(0, 30), st.sampled_from(["A", "B", "Identify", "Visit"]), st.booleans()
    ),
    max_size=25,
)


@given(ACTS, st.tuples(*[st.tuples(st.integers(0, 30), st.integers(0, 60))] * 3))
def test_each_is_asked_just_before_their_own_moment(acts: list[Any], marks: Any) -> None:
    """What holds before a moment is the condition's own meaning over the events before it."""
    events = [made(2 * number, *act) for number, act in enumerate(acts)]
    moments = [(T0 + day * DAY, seq) for day, seq in marks]
    found = held_before(Told(events), CONDITIONS, np.array([1, 2, 3], np.int64), moments)
    for name, condition in CONDITIONS.items():
        for place, (at, seq) in enumerate(moments):
            mine = [one for one in events if one.subject == place + 1 and (one.at, one.seq) < (at, seq)]
            expected = condition.holds(sorted(mine, key=lambda one: (one.at, one.seq)), at)
            assert found[name][place] == expected, name


def test_an_event_is_not_before_itself() -> None:
    """Just before its own (at, seq) an event does not count, just after it does."""
    events = [event(1, T0, 1, "A"), event(1, T0, 2, "A")]
    whose = np.array([1], np.int64)
    found = [held_before(Told(events), {"often": A}, whose, [(T0, seq)])["often"][0] for seq in (2, 3)]
    assert found == [False, True]


def made(seq: int, subject: int, day: int, name: str, pro: bool) -> Event:
    """An event; an identify call states the plan, a visit states it in its context."""
    one = event(subject, T0 + day * DAY, seq, name)
    plan = {"plan": "pro" if pro else "free"}
    if name == "Identify":
        return replace(one, kind=Kind.IDENTIFY, properties=encode(plan))
    return replace(one, context=encode({"traits": plan})) if name == "Visit" else one


def campaign_of(inside: tuple[int, int], outside: tuple[int, int]) -> list[Event]:
    """400 people did A twice before they entered, 400 did it only afterwards; of the treated and of those
    left alone (200 each) so many then bought."""
    events = []
    for place, (before, (ours, theirs)) in enumerate(((True, inside), (False, outside))):
        for number in range(400):
            subject, arm, goals = (
                1 + 400 * place + number,
                *((("mail", ours), ("control", theirs))[number % 2]),
            )
            seq, when = 10 * subject, T0 - DAY if before else T0 + DAY
            events += [event(subject, when, seq + turn, "A") for turn in (1, 2)]
            events.append(entry(subject, T0, seq + 5, arm))
            if number // 2 < goals:
                events.append(event(subject, T0 + DAY, seq + 6, "Bought"))
    return events


def asked(events: list[Event], named: tuple[str, ...] = (), since: int = 0) -> Situations:
    document = campaign(situations=list(named)) if named else campaign()
    segments = [Asked("often", A, since), Asked("others", Not(A), since)]
    found = report(Told(events), [document], NOW, segments=segments).situations
    assert found is not None
    return found


def test_an_effect_that_differs_is_found_and_said_to_be_exploratory() -> None:
    """People are inside by what they did before entering; a lift of 40 points against none is found, drawn
    towards the whole's 20, and called a guess where the campaign did not name the segment."""
    found = asked(campaign_of((120, 40), (60, 60)))
    often, others = found.situations
    assert (often.segment, often.treated.subjects, often.control.subjects) == ("often", 200, 200)
    assert often.lift is not None
    assert often.shrunk is not None
    assert often.lift.estimate == pytest.approx(0.4)
    assert 0.2 < often.shrunk.estimate < 0.4
    assert others.shrunk is not None
    assert 0 < others.shrunk.estimate < 0.2
    assert often.differs is not None
    assert often.differs.estimate == pytest.approx(0.4)
    assert (often.found, often.planned) == (True, False)
    assert "exploratory" in found.sentences[0]
    assert found.sentences[-2].startswith("Exploratory: 2 of 2")


def test_a_segment_is_planned_only_if_named_and_unchanged_since() -> None:
    """Named in the campaign and older than the first entry it is planned; changed later it is not."""
    events = campaign_of((120, 40), (60, 60))
    assert [one.planned for one in asked(events, ("often",)).situations] == [True, False]
    assert [one.planned for one in asked(events, ("often",), T0 + 1).situations] == [False, False]


def test_alike_effects_come_out_alike() -> None:
    """Where the lift is the same everywhere, all are drawn to the whole's, and none is said to differ."""
    found = asked(campaign_of((100, 40), (100, 40)))
    assert found.spread == 0
    assert {round(one.shrunk.estimate, 9) for one in found.situations if one.shrunk} == {0.3}
    assert not any(one.found for one in found.situations)
