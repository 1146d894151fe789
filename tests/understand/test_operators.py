"""The operators over plain values, and predicates over raw properties."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.model import JSON
from hark.understand import operators

NOON = "2026-03-01T12:00:00Z"
SAME_NOON = "2026-03-01T14:00:00+02:00"

TABLE: list[tuple[JSON, list[JSON], list[JSON]]] = [
    ("pro", ["pro"], ["Pro", "", 1, None, ["pro"], True]),
    (1, [1, 1.0], [True, "1", None, 2]),
    (True, [True], [1, "true", False, None]),
    ({"eq": 1.5}, [1.5], ["1.5", 1]),
    ({"ne": "pro"}, ["free", ""], ["pro", None, 5, True]),
    ({"ne": 5}, [4, 5.5], [5, 5.0, "4", None, True]),
    ({"in": ["GB", "IE"]}, ["GB", "IE"], ["gb", None, 1, ["GB"]]),
    ({"in": [1, "a", True]}, [1, "a", True, 1.0], [0, "b", False]),
    ({"not_in": ["GB", "IE"]}, ["DE", ""], ["GB", None, 4]),
    ({"gt": 5}, [6, 5.01], [5, "6", None, True]),
    ({"gte": 5}, [5, 6], [4.99, "5"]),
    ({"lt": 5}, [4, -1], [5, False, None]),
    ({"lte": 5}, [5, 4], [5.01]),
    ({"gte": 5, "lt": 10}, [5, 9.9], [4, 10]),
    ({"between": [5, 10]}, [5, 10, 7.5], [4.9, 10.1, "7"]),
    ({"gt": "b"}, ["c", "ba"], ["b", "B", 7]),
    ({"exists": True}, [0, "", False, [], {}], [None]),
    ({"exists": False}, [None], [0, ""]),
    ({"contains": "ok"}, ["book", ["ok", 1]], ["Ok", ["book"], 3, None]),
    ({"contains": 3}, [[1, 3]], ["3", [True], 3]),
    ({"starts_with": "bo"}, ["book"], ["Book", "abo", ["bo"], 1]),
    ({"ends_with": "@x.io"}, ["me@x.io"], ["me@X.io", None]),
    ({"matches": "^a.c$"}, ["abc"], ["abcd", "", 5]),
    ({"matches": "(?i)gift"}, ["A GIFT card"], ["card"]),
    (NOON, [NOON, SAME_NOON, "2026-03-01 12:00:00.000Z"], ["2026-03-01T12:00:00", "2026-03-01", 5]),
    ({"lt": NOON}, ["2026-03-01T13:00:00+02:00", "2026-03-01"], [SAME_NOON, "abc", None, 0]),
    ({"between": ["2026-01-01", "2026-02-01"]}, ["2026-01-01", "2026-01-31T23:59:59Z"], ["2026-02-01"]),
    ({"between": ["2026-01-01", "2026-02-01"]}, ["2026-01-31"], ["2025-12-31", "2026-02-01T00:00:00Z"]),
    ({"gte": "2026-01-01"}, ["2026-01-01T00:00:00Z"], ["2026-01-01T00:30:00+01:00", "20260201"]),
]  # fmt: skip


@pytest.mark.parametrize(("operand", "passing", "failing"), TABLE, ids=lambda value: str(value)[:40])
def test_operators(operand: JSON, passing: list[JSON], failing: list[JSON]) -> None:
    """Each operator passes what it names; unlike types are false, never an error."""
    test = operators.test_of(operand)
    assert [value for value in passing if not test(value)] == []
    assert [value for value in failing if test(value)] == []


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        (None, "exists: false"),
        (["GB"], "in: [...]"),
        ({"in": "GB"}, "a list of values"),
        ({"in": []}, "a list of values"),
        ({"gt": True}, "a number, a text or a quoted time"),
        ({"gt": "2026-03-01T12:00"}, "a time with a zone, for example 2026-03-01T12:00Z"),
        ({"between": [10, 5]}, "the smaller first"),
        ({"between": [1, "z"]}, "one type"),
        ({"between": [1]}, "two values"),
        ({"exists": "yes"}, "true or false"),
        ({"matches": "(a"}, "an RE2 pattern"),
        ({"matches": "(?=a)"}, "an RE2 pattern"),
        ({"starts_with": 5}, "a text"),
    ],
)
def test_a_wrong_operand_is_told(operand: JSON, expected: str) -> None:
    """An operand that cannot be compared with says what was expected."""
    with pytest.raises(ValueError, match=expected.replace("[", r"\[").replace("(", r"\(")):
        operators.test_of(operand)


def test_matching_takes_linear_time() -> None:
    """A pattern that takes a backtracking matcher 2^60 steps answers (RE2 has no backtracking)."""
    assert not operators.test_of({"matches": "^(a|a)*$"})("a" * 60 + "b")


SCALARS: st.SearchStrategy[JSON] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
NAMES = st.sampled_from(["a", "b", "c c"])
VALUES: st.SearchStrategy[JSON] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c c", "z"]), VALUES),
    st.dictionaries(
        st.sampled_from(["a", "b.a", "c c.b.a", "z", "a.a"]),
        st.sampled_from(
            [1, "x", {"exists": True}, {"exists": False}, {"lt": 5, "gte": -5}, {"contains": "a"}]
        ),
    ),
)
def test_the_fast_path_is_the_plain_meaning(properties: dict[str, JSON], where: dict[str, JSON]) -> None:
    """Reading only the named members of raw JSON gives what comparing the decoded properties gives."""
    raw = msgspec.json.encode(properties)
    assert operators.compile(where)(raw) is operators.matches(where, msgspec.json.decode(raw))


@pytest.mark.parametrize("raw", [b"[]", b"7", b"{", b"", b'{"a": 1e999}', b"\xff"])
def test_bytes_that_are_no_object_match_nothing(raw: bytes) -> None:
    """What cannot be read is never an error and never a match."""
    assert operators.compile({"a": {"gte": 0}})(raw) is False
