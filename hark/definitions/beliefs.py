"""A hypothesis and how it is written: what was seen, of whom, what follows, and what tests it."""

from __future__ import annotations

from msgspec import Struct

from hark.definitions.shapes import NAME, ListOf, Prose, Record, Shape


class Hypothesis(Struct, frozen=True, tag="hypothesis"):
    """A belief that campaigns test; what became of it follows from their reports."""

    name: str
    belief: str
    question: str | None = None
    """The saved question that showed it."""
    seen: str = ""
    """What it showed, in the author's words."""
    situation: str | None = None
    """The segment that it is about."""
    tests: tuple[str, ...] = ()
    """Campaigns."""
    now: str = ""
    """What the team believes now, in its own words; "" leaves it to the verdicts."""


HYPOTHESIS: Shape[Hypothesis] = Record(
    "hypothesis",
    {
        "hypothesis": NAME,
        "question": NAME,
        "seen": Prose("what was seen"),
        "situation": NAME,
        "belief": Prose("a belief"),
        "tests": ListOf(NAME, "a list of campaigns"),
        "now": Prose("what you believe now"),
    },
    lambda values, _n, _r: Hypothesis(
        values["hypothesis"],
        " ".join(values["belief"].split()),
        values.get("question"),
        " ".join(values.get("seen", "").split()),
        values.get("situation"),
        values.get("tests", ()),
        " ".join(values.get("now", "").split()),
    ),
    required=("hypothesis", "belief"),
)
