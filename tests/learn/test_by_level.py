"""The effect by level of engagement on entering, and who rose or fell, by arm."""

from __future__ import annotations

import pytest

from hark.learn.by_level import ByLevel, Step, Steps
from hark.learn.report import report
from hark.model import DAY, Event
from hark.understand.conditions import AllOf, Condition, Did
from tests.learn.histories import T0, Told, campaign, entry, event

NOW = T0 + 60 * DAY
SOME, MANY = Did(("Read",), count={"gte": 1}), Did(("Read",), count={"gte": 3})


def steps(*conditions: Condition) -> Steps:
    named = zip(("reader", "fan"), conditions, strict=True)
    return Steps("readers", "below", tuple(Step(name, one, one.sentence()) for name, one in named))


LEVELS = steps(SOME, AllOf((SOME, MANY)))


def told(lifts: dict[int, tuple[int, int]], rise: tuple[int, int], levels: Steps = LEVELS) -> ByLevel:
    """200 people of each arm who had read so often; of them so many bought. Of those who had read once so
    many of each arm read twice more within the window (14 days), and all of the others after it."""
    events: list[Event] = []
    for place, (read, goals) in enumerate(lifts.items()):
        for number in range(400):
            subject, side = 1 + 400 * place + number, number % 2
            seq = 20 * subject
            events += [event(subject, T0 - DAY, seq + turn, "Read") for turn in range(read)]
            events.append(entry(subject, T0, seq + 5, ("mail", "control")[side]))
            if number // 2 < goals[side]:
                events.append(event(subject, T0 + DAY, seq + 6, "Bought"))
            late = 14 * DAY + 1 if number // 2 >= rise[side] else 14 * DAY
            if read == 1:
                events += [event(subject, T0 + late, seq + 7 + turn, "Read") for turn in (1, 2)]
    found = report(Told(events), [campaign()], NOW, levels=levels).levels
    assert found is not None
    return found


def test_people_stand_where_they_were_just_before_they_entered() -> None:
    """Each level has those who had read so often before; a lift that is another there is found."""
    found = told({0: (60, 60), 1: (60, 60), 3: (140, 40)}, (0, 0))
    assert [one.segment for one in found.levels] == ["below", "reader", "fan"]
    assert {(one.treated.subjects, one.control.subjects) for one in found.levels} == {(200, 200)}
    fan = found.levels[2]
    assert fan.lift is not None
    assert fan.shrunk is not None
    assert fan.lift.estimate == pytest.approx(0.5)
    assert 1 / 6 < fan.shrunk.estimate < 0.5
    assert (fan.found, fan.planned) == (True, False)
    assert "for those at fan" in " ".join(found.sentences)


def test_who_rose_is_compared_between_the_arms() -> None:
    """The end of the window counts, an instant later does not; of 600 in each arm 120 and 40 rose."""
    higher, lower = told({0: (60, 60), 1: (60, 60), 3: (60, 60)}, (120, 40)).moved
    assert (higher.treated.subjects, higher.treated.goals, higher.control.goals) == (600, 120, 40)
    assert higher.lift is not None
    assert higher.lift.estimate == pytest.approx(120 / 600 - 40 / 600)
    assert higher.lift.low > 0
    assert (lower.treated.goals, lower.control.goals, lower.lift) == (0, 0, None)


def test_levels_that_rest_on_messages_are_said_to() -> None:
    """Who is left alone has nothing to click: such a rise says nothing, and the report says that."""
    clicked = Did(("Message Clicked",), count={"gte": 1})
    lifts = {0: (60, 60), 1: (60, 60)}
    assert any("left alone do not get" in one for one in told(lifts, (9, 9), steps(clicked, SOME)).sentences)
    assert not any("left alone do not get" in one for one in told(lifts, (9, 9)).sentences)
