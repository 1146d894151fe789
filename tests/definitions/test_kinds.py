"""How each kind of condition is written, and what is refused."""

from __future__ import annotations

import pytest

from hark.clock import instant
from hark.definitions.conditions import read_condition
from hark.definitions.parse import parse, read
from hark.definitions.problems import DefinitionError
from hark.definitions.resolve import resolved
from hark.definitions.shapes import Reading
from hark.definitions.types import Segment
from hark.definitions.yaml import plain
from hark.definitions.yaml import read as read_yaml
from hark.errors import HarkError
from hark.model import DAY, HOUR, Record
from hark.understand.conditions import (
    AllOf,
    Amount,
    Change,
    Condition,
    Did,
    DidNot,
    HasConsent,
    HasTrait,
    InGroup,
    InSegment,
    InSequence,
    Not,
    Reachable,
    Returned,
    SinceLast,
    Window,
)
from hark.understand.conditions.consent import Rule
from hark.understand.conditions.sequence import Match, Never, Step

ZONE = "Europe/Rome"
JANUARY = (instant("2025-12-31T23:00:00Z"), instant("2026-01-31T23:00:00Z"))
"""January 2026 in Rome."""


def typed(text: str) -> Condition:
    """The condition of one line of YAML."""
    [node] = read_yaml(text, Reading("t"))
    return read_condition(plain(node), ZONE)


KINDS: list[tuple[str, Condition, str]] = [
    (
        "did: {event: A, weeks: {gte: 3}, within: 60d}",
        Did(("A",), measure="weeks", count={"gte": 3}, within_us=60 * DAY, zone=ZONE),
        "did A in at least 3 weeks in the last 60 days",
    ),
    (
        "did: {event: A, months: 1}",
        Did(("A",), measure="months", count={"eq": 1}, zone=ZONE),
        "did A in exactly 1 month",
    ),
    (
        "did: {event: A, distinct: {of: product.id, gte: 5}}",
        Did(("A",), measure="distinct", count={"gte": 5}, of="product.id"),
        "did A with at least 5 different product.id",
    ),
    (
        'did: {event: A, between: ["2026-01-01", "2026-02-01"]}',
        Did(("A",), other=Window(between=JANUARY)),
        "did A from 2025-12-31 23:00 until before 2026-01-31 23:00",
    ),
    ("did: {event: A, today: yes}", Did(("A",), zone=ZONE, other=Window(today=True)), "did A today"),
    (
        "did: {event: A, times: {gte: 2}, since: Signed Up}",
        Did(("A",), count={"gte": 2}, other=Window(since=("Signed Up",))),
        "did A at least 2 times since they last did Signed Up",
    ),
    (
        "did_not: {event: A, since: {any_of: [B, C]}}",
        DidNot(("A",), other=Window(since=("B", "C"))),
        "did not do A since they last did B or C",
    ),
    (
        "did: {event: A, sum: {of: revenue, gte: 100}, within: 30d}",
        Amount(("A",), "revenue", "sum", {"gte": 100}, days=30, zone=ZONE),
        "did A with revenue adding up to at least 100 in the last 30 days",
    ),
    (
        "did: {event: A, where: {x: 1}, max: {of: revenue, lt: 9.5, gt: 1}}",
        Amount(("A",), "revenue", "max", {"lt": 9.5, "gt": 1}, {"x": 1}, zone=ZONE),
        "did A (x 1) with a greatest revenue of less than 9.5 and more than 1",
    ),
    (
        "since_last: {event: App Opened, gte: 14d, lt: 60d}",
        SinceLast(("App Opened",), {"gte": 14 * DAY, "lt": 60 * DAY}),
        "last did App Opened at least 14 days and less than 60 days ago",
    ),
    (
        "change: {event: A, measure: days, window: 14d, ratio: {lte: 0.5}}",
        Change(("A",), 14, {"lte": 0.5}, measure="days", zone=ZONE),
        "have days with A in the last 14 days at at most 0.5 times the 14 days before",
    ),
    (
        "returned: {after_gap: 30d, within: 7d}",
        Returned(30 * DAY, 7 * DAY),
        "came back in the last 7 days after 30 days or more away",
    ),
    (
        "consent: {topic: news, state: in}",
        HasConsent("news", "email", "in"),
        "have agreed to news by email",
    ),
    ("reachable: email", Reachable("email"), "can be reached by email"),
    (
        "trait: {ends: {in_next: 7d}, born: {anniversary: today}}",
        HasTrait({"ends": {"in_next": "7d"}, "born": {"anniversary": "today"}}, ZONE),
        "have ends within the next 7 days and born on this day of an earlier year",
    ),
    (
        "group: {account: {renewed: {older_than: 26w}}}",
        InGroup("account", {"renewed": {"older_than": "26w"}}, ZONE),
        "belong to an account with renewed 26 weeks ago or earlier",
    ),
    ("in_segment: regulars", InSegment("regulars"), "are in regulars"),
    (
        "sequence: {within: 30d, steps: "
        "[A, {not: X}, {event: B, within: 3d}, {not: {any_of: [C, D]}, within: 2h}]}",
        InSequence(
            (Step(Match(("A",))), Step(Match(("B",)), 3 * DAY, (Match(("X",)),))),
            Never((Match(("C", "D")),), 2 * HOUR),
            30 * DAY,
        ),
        "did A, then without X B within 3 days, then not C or D within 2 hours (begun in the last 30 days)",
    ),
]


@pytest.mark.parametrize(("text", "condition", "sentence"), KINDS)
def test_each_kind_is_typed_and_reads_as_english(text: str, condition: Condition, sentence: str) -> None:
    """Every kind, measure and window becomes what it says, and says it in words."""
    assert typed(text) == condition
    assert condition.sentence() == sentence


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "did: {event: A, times: 2, distinct: {of: x, gte: 1}}",
            "did needs one measure, found times and distinct",
        ),
        ("did: {event: A, within: 1d, today: yes}", "did needs one window, found within and today"),
        ("did_not: {event: A, within: 1d, since: B}", "did_not needs one window, found within and since"),
        ("did_not: {event: A, sum: {of: x, gte: 1}}", 'unknown key "sum" in did_not'),
        ("did: {event: A, sum: {gte: 1}}", 'expected a property under "of" and operators, found a mapping'),
        ("did: {event: A, sum: {of: x}}", "expected operators on a number, found an empty mapping"),
        ("did: {event: A, sum: {of: x, gte: a}}", 'expected a number, found "a"'),
        (
            "did: {event: A, sum: {of: x, gte: 1}, within: 36h}",
            'expected whole days up to 400d for sum, found "36h"',
        ),
        ("did: {event: A, sum: {of: x, gte: 1}, since: B}", "sum has no window since an event"),
        ("did: {event: A, distinct: {of: x, gte: 0}}", "this is always true of a count"),
        ('did: {event: A, between: ["2026-02-01", "2026-01-01"]}', "expected the earlier time first"),
        ("did: {event: A, today: no}", "expected yes, or nothing at all"),
        ("did: {event: A, since: entry}", '"since: entry" has a meaning in the steps of a campaign only'),
        ("since_last: {event: A}", "since_last needs a length of time"),
        ("change: {event: A, window: 1h, ratio: {lt: 1}}", 'expected whole days up to 200d, found "1h"'),
        ("returned: {after_gap: 1m, within: 30d}", "within is more than 100 times the gap"),
        ("sequence: {steps: [{not: A}, B]}", "a sequence begins with an event"),
        ("sequence: {steps: [{event: A, within: 1d}, B]}", "the first step has none before it"),
        ("sequence: {steps: [A, {not: X, within: 1d}, B]}", "only the last not has a time of its own"),
        ("sequence: {steps: [A, {not: X}, {not: Y}]}", "one not at the end is enough"),
    ],
)
def test_what_is_refused_says_why(text: str, message: str) -> None:
    """What means nothing, or could not be kept, is refused with what was expected."""
    with pytest.raises(HarkError) as caught:
        typed(text)
    assert caught.value.message == message


def problems(text: str) -> list[str]:
    try:
        read([("f", text)])
    except DefinitionError as error:
        return [str(one) for one in error.problems]
    return []


def test_segments_may_name_each_other_but_not_in_a_circle() -> None:
    """`in_segment` is looked up in the same files; a circle is refused where each of its segments stands."""
    chain = "segment: a\nwhere: {in_segment: b}\n---\nsegment: b\nwhere: {did: A}\n"
    assert problems(chain) == []
    assert problems("segment: a\nwhere:\n  not: {in_segment: c}\n") == [
        'f:3: there is no segment "c" (known: a)'
    ]
    circle = chain.replace("{did: A}", "{any: [{did: A}, {in_segment: a}]}")
    assert problems(circle) == [
        "f:2: segment a names itself: a → b → a",
        "f:5: segment b names itself: b → a → b",
    ]


def test_a_condition_of_a_campaign_may_name_a_segment() -> None:
    """An audience that names a segment which is not there is refused, as one in a policy is."""
    assert problems("policy: internal\nwhere: {in_segment: us}\n") == [
        'f:2: there is no segment "us" (there is none yet)'
    ]


def test_the_topic_of_a_consent_is_looked_up() -> None:
    """A condition on the answer about a topic that is not there is refused where it stands."""
    text = "segment: a\nwhere:\n  consent: {topic: news, state: in}\n"
    assert problems(text) == ['f:3: there is no topic "news" (there is none yet)']
    assert problems(text + "---\ntopic: news\n") == []
    topic, segment = (one.definition for one in parse("topic: news\ndefault: in\n---\n" + text))
    [found] = resolved([segment], [topic, segment])
    assert isinstance(found, Segment)
    assert found.where == HasConsent("news", "email", "in", Rule("in", "double"))
    assert found.where.met(Record(1), 0)


def test_since_entry_becomes_a_moment() -> None:
    """Bound to an entry, the condition asks for what came after it, also inside of others."""
    outside = AllOf((Not(Did(("A",), other=Window(entry=True))), DidNot(("B",), other=Window(entry=True))))
    bound = Window(entry=True, after=(5, 7))
    assert outside.since_entry(5, 7) == AllOf((Not(Did(("A",), other=bound)), DidNot(("B",), other=bound)))
    keys = [[leaf.key for leaf in one.leaves()] for one in (outside, outside.since_entry(5, 7))]
    assert keys[0] == keys[1]
