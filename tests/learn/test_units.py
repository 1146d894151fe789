"""Groups as units: what a campaign that draws by groups is judged by."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.learn.aggregates import Sums
from hark.learn.columns import Outcomes
from hark.learn.compare import newcombe
from hark.learn.facts import Facts
from hark.learn.report import report
from hark.learn.units import by_unit
from hark.model import DAY, Event
from tests.learn.histories import T0, Told, campaign, entry, event


def entered(subject: int, at: int, seq: int, arm: str, key: str) -> Event:
    """An entry whose arm was drawn by this key."""
    found = entry(subject, at, seq, arm)
    said = msgspec.json.decode(found.properties) | {"assignment_key": key}
    return replace(found, properties=msgspec.json.encode(said))


PEOPLE = st.lists(
    st.tuples(st.sampled_from(["", "acme", "bolt", "core"]), st.integers(0, 5), st.integers(-2, 20)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(PEOPLE)
def test_units_are_what_the_words_say(people: list[tuple[str, int, int]]) -> None:
    """A unit's entry is its first member's; it reached the goal if any member who entered bought after that,
    at most 14 days later: counted here by hand."""
    arm = {"acme": "mail", "bolt": "control", "core": "mail"}
    events: list[Event] = []
    by: dict[str, list[tuple[int, int, int, int]]] = {}
    for number, (group, day, bought) in enumerate(people, start=1):
        at, key = T0 + day * DAY, f"g:account:{group}" if group else f"u:{number}"
        events.append(entered(number, at, 10 * number, arm.get(group, "mail"), key))
        events.append(event(number, T0 + bought * DAY, 10 * number + 1, "Bought"))
        by.setdefault(key, []).append((at, 10 * number, T0 + bought * DAY, 10 * number + 1))
    expected = {"mail": [0, 0], "control": [0, 0]}
    for key, members in by.items():
        start = min(one[:2] for one in members)
        counts = expected[arm.get(key.rpartition(":")[2], "mail")]
        counts[0] += 1
        counts[1] += any(start < one[2:] and one[2] <= start[0] + 14 * DAY for one in members)
    told = {name: [one.subjects, one.goals] for name, one in sums(events).items()}
    assert told == {name: counts for name, counts in expected.items() if counts[0]}


def sums(events: list[Event]) -> dict[str, Sums]:
    """By arm, what the comparison of the campaign's first version rests on."""
    found = definition(campaign(assign_by="account"))
    assert isinstance(found, Campaign) and found.goal
    units = by_unit(Facts(Told(events)), "c", 1)
    return Outcomes(units.entries("c")[1], units.events(found.goal.event.names), found.goal).sums(
        T0 + 60 * DAY
    )


def test_a_report_says_what_it_compares() -> None:
    """Of three customers of two accounts the report counts two units, and says what they are."""
    keys = ("g:account:acme", "g:account:acme", "g:account:bolt")
    arms = ("mail", "mail", "control")
    events = [
        entered(n, T0, 10 * n, arm, key) for n, (arm, key) in enumerate(zip(arms, keys, strict=True), 1)
    ]
    found = report(Told(events), [campaign(assign_by="account")], T0 + 60 * DAY)
    assert [(one.arm, one.entered) for one in found.arms] == [("control", 1), ("mail", 1)]
    assert any("groups (account)" in one for one in found.sentences)


def test_customers_are_units_where_nobody_was_drawn_by_a_group() -> None:
    """The facts are left as they are."""
    facts = Facts(Told([entered(1, T0, 10, "mail", "u:1")]))
    assert by_unit(facts, "c", 1) is facts


def test_equal_arms_are_not_called_different_because_colleagues_act_alike() -> None:
    """Of 15 campaigns without an effect, over accounts of 10 who all do the same, at most 4 of the 95 %
    intervals leave out 0 (four standard errors above 5 %); counted one by one it would be most."""
    rng = np.random.default_rng(11)
    wrong = naive = 0
    for _ in range(15):
        events, counts = [], {"mail": [0, 0], "control": [0, 0]}
        for account in range(40):
            arm, buys = ("mail", "control")[account % 2], rng.random() < 0.4
            for member in range(10):
                number = 1 + account * 10 + member
                events.append(entered(number, T0, 10 * number, arm, f"g:account:{account:02}"))
                counts[arm][0] += 1
                counts[arm][1] += buys
                if buys:
                    events.append(event(number, T0 + DAY, 10 * number + 1, "Bought"))
        found = sums(events)
        lift = newcombe(found["mail"], found["control"])
        assert lift is not None
        wrong += lift.excludes_zero
        rates = [goals / people for people, goals in counts.values()]
        spread = np.sqrt(sum(rate * (1 - rate) / 200 for rate in rates))
        naive += abs(rates[0] - rates[1]) > 1.96 * spread
    assert wrong <= 4
    assert naive >= 5
