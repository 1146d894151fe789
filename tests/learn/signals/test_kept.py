"""The grades of a day as a document: what stands in it, and since when each grade holds."""

from __future__ import annotations

from hark.definitions.document import Document
from hark.definitions.learned import Signals
from hark.definitions.parse import definition
from hark.learn.signals.grade import graded
from hark.learn.signals.kept import document
from hark.model import JSON
from tests.learn.signals.test_grade import one

STRONG, NONE = one(1000, 500, 1000, 300), one(1000, 300, 1000, 300)


def typed(body: JSON) -> Signals:
    found = definition(Document("signals", "staying", 1, body))
    assert isinstance(found, Signals)
    return found


def test_the_figures_stand_beside_the_grade() -> None:
    """Half did it, half of these stayed; 30 % of the others: 20 points more, by a binomial's spread of
    sqrt(0.25 / 1000 + 0.21 / 1000) times 1.96. Who are too few are left out."""
    body = document(graded({"A": STRONG, "Few": one(19, 10, 1000, 300)}), "2026-03-01", None)
    a = typed(body).grades["A"]
    assert list(body["grades"]) == ["A"]
    assert (a.grade, a.since, a.did, a.stayed, body["customers"]) == ("strong", "2026-03-01", 0.5, 0.5, 2000)
    assert a.adds == (0.2, 0.158, 0.242)
    assert a.figures == (
        "50% of those who did it early stayed, 20.0 points more than others as active (95 %: +15.8 to +24.2)"
    )
    assert typed(body).grade("Few") == "too few"


def test_a_grade_stands_since_the_day_on_which_it_began() -> None:
    """As long as it stays the same; who changed begins anew, and so does who was away."""
    first = document(graded({"A": STRONG, "B": STRONG}), "2026-03-01", None)
    second = document(graded({"A": STRONG, "B": NONE}), "2026-03-02", typed(first))
    third = document(graded({"A": STRONG, "B": STRONG}), "2026-03-03", typed(second))
    assert [{name: said["since"] for name, said in day["grades"].items()} for day in (second, third)] == [
        {"A": "2026-03-01", "B": "2026-03-02"},
        {"A": "2026-03-01", "B": "2026-03-03"},
    ]


def test_nothing_is_kept_where_nothing_can_be_judged() -> None:
    """No document says what nobody knows."""
    assert document(graded({}), "2026-03-01", None) is None
    assert document(graded({"Few": one(19, 10, 1000, 300)}), "2026-03-01", None) is None
