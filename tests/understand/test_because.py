"""Why somebody is in a segment, and how a trait came to its value."""

from __future__ import annotations

import msgspec
import numpy as np

from hark.decide.record import fresh
from hark.definitions.conditions import read_condition
from hark.model import DAY, JSON, Kind, Trait
from hark.understand.because import because
from hark.understand.conditions import Condition, known
from hark.understand.conditions.base import Ints
from hark.understand.traits import changes
from tests.history.waiting import event

NOW = 100 * DAY
ORDERS = np.array([10 * DAY, 50 * DAY, 95 * DAY], np.int64)


def found(names: object, where: JSON) -> Ints:
    """Three orders, one of them dear; nothing of other names."""
    if list(names) != ["Order Completed"]:  # type: ignore[call-overload]
        return ORDERS[:0]
    return ORDERS[1:2] if where else ORDERS


def condition(written: JSON) -> Condition:
    return read_condition(written, "UTC")


def test_events_are_counted_ever_and_in_the_window() -> None:
    """Three orders ever, two of them in the last sixty days, the last five days ago; one of them dear."""
    told = because(
        condition({"did": {"event": "Order Completed", "within": "60d"}}), fresh(1, "k", 0), NOW, found
    )
    assert (told.count, told.inside, told.last) == (3, 2, 95 * DAY)
    dear = {"did": {"event": "Order Completed", "where": {"revenue": {"gte": 50}}}}
    told = because(condition(dear), fresh(1, "k", 0), NOW, found)
    assert (told.count, told.inside, told.last) == (1, None, 50 * DAY)
    assert told.sentence == condition(dear).sentence()


def test_parts_stand_under_their_whole_with_their_own_answers() -> None:
    """Each part says whether it is met; a trait has its value, what never happened has no last."""
    record = fresh(1, "k", 0)
    record.traits["plan"] = Trait("pro", 5, 1)
    written = {
        "all": [
            {"trait": {"plan": "pro"}},
            {"not": {"trait": {"country": "GB"}}},
            {"any": [{"did": "Cancelled"}, {"did_not": "Cancelled"}]},
        ]
    }
    told = because(condition(written), record, NOW, found)
    plan, country, either = told.parts
    assert (told.joined, told.met) == ("all", True)
    assert (plan.met, plan.traits) == (True, (("plan", "pro"),))
    assert (country.joined, country.met, country.parts[0].met) == ("not", True, False)
    assert country.parts[0].traits == (("country", None),)
    assert [(one.met, one.count, one.last) for one in either.parts] == [(False, 0, None), (True, 0, None)]


def test_a_trait_s_history_has_each_change_and_ends_in_what_is_known() -> None:
    """A value that is said again is no change; the last of each trait is the one that conditions see."""
    said = [
        {"plan": "free", "city": "Rome"},
        {"plan": "free"},
        {"plan": "pro"},
        {"city": None},
        {"plan": "free"},
    ]
    events = [
        event(row, 1, row, "Identify", kind=Kind.IDENTIFY, properties=msgspec.json.encode(traits))
        for row, traits in enumerate(said)
    ]
    histories = changes([*events, event(9, 1, 9, "Order Completed")])
    assert [(one.value, one.at) for one in histories["plan"]] == [("free", 0), ("pro", 2), ("free", 4)]
    assert [one.value for one in histories["city"]] == ["Rome", None]
    latest = {name: values[-1].value for name, values in histories.items()}
    assert latest == {name: one.value for name, one in known(events, 99).items()}
