"""What all messages of a programme, or all messaging together, change, by a history counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from hark.app import Workspace
from hark.clock import SetClock, instant, unit_hash
from hark.definitions import parse, plan
from hark.definitions.types import EventMatch, Goal
from hark.errors import HarkError
from hark.learn.by_level import Step, Steps
from hark.learn.columns import Entries
from hark.learn.entries import Entered
from hark.learn.facts import FactsOf
from hark.learn.programmes import ProgrammeReport, programme_report
from hark.model import DAY, HOUR, FactName, Lane
from hark.questions import ask
from hark.understand.conditions import Did
from tests.learn.histories import T0, Told, event

NOW = T0 + 60 * DAY
GOAL = Goal(EventMatch(("Bought",)), 28 * DAY, "revenue")


def made(control: float = 0.3, levels: Steps | None = None) -> ProgrammeReport:
    """700 whom it may write to, of whom 210 buy for 10; 300 of its control, of whom 60 do. Of both some had
    read something before, and of the 700 another 140 do so after, of whom 70 bought."""
    subjects = np.arange(1, 1001)
    told = [Entered("", 0, "treated" if number <= 700 else "control") for number in subjects]
    bought = [*range(1, 211), *range(701, 761)]
    events = [event(one, T0 + DAY, 10 * one, "Bought", {"revenue": 10}) for one in bought]
    events += [event(one, T0 + 2 * DAY, 10 * one + 1, "Unsubscribed") for one in range(1, 36)]
    events += [event(one, T0 - DAY, 10 * one - 1, "Read") for one in (*range(1, 141), *range(701, 761))]
    events += [event(one, T0 + DAY, 10 * one + 2, "Read") for one in range(141, 281)]
    entries = Entries(subjects, np.full(1000, T0), np.zeros(1000, np.int64), told)
    return programme_report(
        FactsOf(Told(events), subjects), entries, [control] * 1000, GOAL, NOW, "care", "UTC", levels
    )


def test_the_programme_is_its_control_against_everybody() -> None:
    """Rates, values and an interval for every look that is wider than statsmodels' for one."""
    found = made()
    assert (found.treated.goals, found.control.goals) == (210, 60)
    assert found.always is not None
    assert found.always.estimate == pytest.approx(0.1)
    low, high = confint_proportions_2indep(210, 700, 60, 300, method="newcomb")
    assert found.always.low < low < high < found.always.high
    assert found.value is not None
    assert found.value.estimate == pytest.approx(1)
    assert found.sample_ratio == pytest.approx(1)
    assert {one.event: one.treated.goals for one in found.guardrails} == {
        "Unsubscribed": 35, "Message Complained": 0, "came back": 280,
    }  # fmt: skip


def test_at_each_level_the_control_is_against_everybody_who_stood_there() -> None:
    """Of the 140 and 60 who had read before the draw all bought; of the others 70 of 560 and 0 of 240. Since
    the draw 140 of the 700 began to read, and nobody of the control."""
    read = Did(("Read",))
    found = made(levels=Steps("readers", "below", (Step("reader", read, read.sentence()),))).levels
    assert found is not None
    arms = [(one.treated, one.control) for one in found.levels]
    assert [(ours.goals, ours.subjects, alone.goals, alone.subjects) for ours, alone in arms] == [
        (70, 560, 0, 240),
        (140, 140, 60, 60),
    ]
    assert [(one.says, one.treated.goals, one.control.goals) for one in found.moved] == [
        ("stand higher", 140, 0),
        ("stand lower", 0, 0),
    ]
    assert made().levels is None


def test_sizes_that_were_not_drawn_are_said() -> None:
    """300 of 1,000 are not what a control of a fifth draws; then nothing is to be believed."""
    found = made(0.2)
    assert found.sample_ratio is not None
    assert found.sample_ratio < 1e-9
    assert "do not believe" in found.sentences[0]


def test_its_sentences_say_what_it_is() -> None:
    """The word with its interval first, and that lifts are not to be added up last."""
    said = made().sentences
    assert said[0].startswith(
        "The programme care helps: +10.0 percentage points (95 % interval at every look"
    )
    assert said[1] == (
        "Of those it may write to 210 of 700 (30.0%), of its control 60 of 300 (20.0%)"
        " did Bought within 28 days."
    )
    assert "not to be added up" in said[-1]


CARE = """
programme: care
control: 50%
goal: {event: Bought, within: 7d}
---
policy: attention
global_control: {share: 50%}
---
engagement: readers
levels: [{name: reading, when: {did: Read}}]
---
campaign: hello
trigger: {event: Signed Up}
programme: care
goal: {event: Bought, within: 7d}
control: none
why: the programme has one
topic: news
steps: [{send: {channel: email, template: hello}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def test_the_question_counts_who_was_drawn(tmp_path: Path) -> None:
    """Through the engine: the programme's arms are those of its facts; all messaging compares by the hash of
    everybody's stable key, whether a campaign met them or not."""
    clock = SetClock(instant("2026-03-02T10:00:00Z"))
    here = Workspace(tmp_path / "data", clock, make=True)
    here.settle()
    here.command(plan.command(parse.read([("f", CARE)]), author="ann", note=""))
    with here.appending() as log:
        clock.at += HOUR
        for number in range(40):
            who: dict[str, Any] = {"userId": f"u{number}"}
            names = ["Looked"] if number >= 30 else ["Signed Up"]
            log.append(
                Lane.LIVE,
                "identify",
                "shop",
                json.dumps(who | {"traits": {"email": f"u{number}@x.example"}}).encode(),
            )
            for name in names:
                log.append(Lane.LIVE, "track", "shop", json.dumps(who | {"event": name}).encode())
    here.settle()
    clock.at += 40 * DAY
    alone = [unit_hash("global", f"u:u{number}") < 0.5 for number in range(40)]
    found: Any = ask(here.data, {"programme": {"goal": {"event": "Bought", "within": "7d"}}}, clock)
    assert found["entered"] == {"control": sum(alone), "treated": 40 - sum(alone)}
    care: Any = ask(here.data, {"programme": {"programme": "care"}}, clock)
    drawn = list(here.snapshot().events((FactName.PROGRAMME_ENTERED,), facts=True))
    assert sum(care["entered"].values()) == len(drawn) == 30 - sum(alone[:30])
    asked = {"programme": "care", "by_level": "readers"}
    levels: Any = ask(here.data, {"programme": asked}, clock)["levels"]["levels"]
    assert [(one["segment"], one["treated"]["subjects"] + one["control"]["subjects"]) for one in levels] == [
        ("below all levels", len(drawn)),
        ("reading", 0),
    ]
    with pytest.raises(HarkError, match="no programme other"):
        ask(here.data, {"programme": {"programme": "other"}}, clock)
