"""The operators of the language over plain values, and predicates over an event's properties.

A predicate is a mapping of property path to a bare value (equal) or to a mapping of operators, all of
which must hold: ``{"revenue": {"gte": 50, "lt": 100}, "country": "GB"}``. Comparing unlike types is
false, never an error, also for `ne` and `not_in`; an absent property and a null are the same and
unlike everything. Texts that are times with a zone, or dates, compare as instants (a date as its
first instant in UTC); other texts compare case-sensitively, code point by code point.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias

import msgspec

from hark.clock import instant
from hark.model import JSON, Instant

Test: TypeAlias = Callable[[JSON], bool]
"""Whether one value (None: absent) passes."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?P<clock>[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?")


def is_number(value: JSON) -> bool:
    """A number and not a truth value, which Python counts among the numbers."""
    return type(value) is int or type(value) is float


@lru_cache(maxsize=65536)
def time_of(text: str) -> Instant | None:
    """The instant that a text names: a time with a zone, or a date (its midnight in UTC); else None."""
    found = _TIME.fullmatch(text)
    if found is None or (found["clock"] and not found["zone"]):
        return None
    try:
        return instant(text if found["clock"] else text + "T00:00:00Z")
    except ValueError:
        return None


def _time_of_value(value: JSON) -> Instant | None:
    return time_of(value) if type(value) is str else None


def _equal(operand: JSON) -> Test:
    if isinstance(operand, bool):
        return lambda value: value is operand
    if is_number(operand):
        return lambda value: (type(value) is int or type(value) is float) and bool(value == operand)
    if not isinstance(operand, str):
        raise ValueError("a text, a number, true or false" + _hint_for(operand))
    at = time_of(operand)
    if at is None:
        return lambda value: type(value) is str and value == operand
    return lambda value: _time_of_value(value) == at


def _hint_for(operand: JSON) -> str:
    if operand is None:
        return " (for a missing value write {exists: false})"
    return " (for any of several write {in: [...]})" if isinstance(operand, list) else ""


def _alike(operand: JSON) -> Test:
    """Whether a value is of the operand's type, so that comparing the two means something."""
    if isinstance(operand, bool):
        return lambda value: isinstance(value, bool)
    if is_number(operand):
        return is_number
    if time_of(operand) is not None:
        return lambda value: _time_of_value(value) is not None
    return lambda value: isinstance(value, str)


def _not_equal(operand: JSON) -> Test:
    equal, alike = _equal(operand), _alike(operand)
    return lambda value: alike(value) and not equal(value)


def _listed(operand: JSON) -> list[JSON]:
    if not isinstance(operand, list) or not operand:
        raise ValueError("a list of values, for example [GB, IE]")
    return operand


def _in(operand: JSON) -> Test:
    values = _listed(operand)
    tests = [_equal(value) for value in values]
    if all(isinstance(value, str) and time_of(value) is None for value in values):
        texts = frozenset(values)
        return lambda value: type(value) is str and value in texts
    return lambda value: any(test(value) for test in tests)


def _not_in(operand: JSON) -> Test:
    among = _in(operand)
    alike = [_alike(value) for value in operand]
    return lambda value: any(test(value) for test in alike) and not among(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[JSON], Test]:
    def make(operand: JSON) -> Test:
        if is_number(operand):
            return lambda value: (type(value) is int or type(value) is float) and compare(value, operand)
        if not isinstance(operand, str):
            raise ValueError("a number, a text or a quoted time")
        at = _orderable_time(operand)
        if at is None:
            return lambda value: type(value) is str and compare(value, operand)
        return lambda value: (other := _time_of_value(value)) is not None and compare(other, at)

    return make


def _orderable_time(operand: str) -> Instant | None:
    found = _TIME.fullmatch(operand)
    if found and found["clock"] and not found["zone"]:
        raise ValueError(f"a time with a zone, for example {operand.replace(' ', 'T')}Z")
    return time_of(operand)


def _between(operand: JSON) -> Test:
    if not isinstance(operand, list) or len(operand) != 2:
        raise ValueError("two values, for example [10, 20]")
    first, last = operand
    is_time = isinstance(last, str) and time_of(last) is not None
    if is_number(first) != is_number(last) or not _ordered(operator.le)(last)(first):
        raise ValueError("two values of one type, the smaller first")
    above = _ordered(operator.ge)(first)
    below = _ordered(operator.lt if is_time else operator.le)(last)
    return lambda value: above(value) and below(value)


def _exists(operand: JSON) -> Test:
    if not isinstance(operand, bool):
        raise ValueError("true or false")
    return lambda value: (value is not None) is operand


def _contains(operand: JSON) -> Test:
    equal = _equal(operand)

    def test(value: JSON) -> bool:
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        return isinstance(value, list) and any(equal(item) for item in value)

    return test


def _text(operand: JSON) -> str:
    if not isinstance(operand, str) or not operand:
        raise ValueError("a text")
    return operand


def _starts_with(operand: JSON) -> Test:
    start = _text(operand)
    return lambda value: isinstance(value, str) and value.startswith(start)


def _ends_with(operand: JSON) -> Test:
    end = _text(operand)
    return lambda value: isinstance(value, str) and value.endswith(end)


def _matches(operand: JSON) -> Test:
    """RE2 syntax, found anywhere in the text, in time linear in it (Arrow's RE2)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = _text(operand)
    try:
        pc.match_substring_regex(pa.scalar(""), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"an RE2 pattern ({error})") from None

    @lru_cache(maxsize=4096)
    def found(text: str) -> bool:
        return bool(pc.match_substring_regex(pa.scalar(text), pattern).as_py())

    return lambda value: isinstance(value, str) and found(value)


OPERATORS: Mapping[str, Callable[[JSON], Test]] = {
    "eq": _equal,
    "ne": _not_equal,
    "in": _in,
    "not_in": _not_in,
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "between": _between,
    "exists": _exists,
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "matches": _matches,
}
"""From an operand to its test; an operand that does not fit raises ValueError("what was expected")."""


def test_of(operand: JSON) -> Test:
    """The test that a bare value, or a mapping of operators, stands for; ValueError if it is none."""
    if not isinstance(operand, Mapping):
        return _equal(operand)
    tests = [OPERATORS[name](value) for name, value in operand.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def value_at(path: tuple[str, ...], properties: JSON) -> JSON:
    """The value under a dotted path, None where there is none."""
    for name in path:
        if not isinstance(properties, Mapping):
            return None
        properties = properties.get(name)
    return properties


def matches(where: JSON, properties: Mapping[str, JSON]) -> bool:
    """Whether decoded properties fulfil a predicate (None: always)."""
    return all(
        test_of(operand)(value_at(tuple(path.split(".")), properties))
        for path, operand in (where or {}).items()
    )


@cache
def _reader(names: tuple[str, ...]) -> Callable[[bytes], Any]:
    """Decodes only these members of a JSON object, into attributes p0, p1, ...; no other is built."""
    fields = [(f"p{number}", Any, None) for number in range(len(names))]
    wanted = msgspec.defstruct(
        "Wanted", fields, rename={f"p{number}": name for number, name in enumerate(names)}, gc=False
    )
    return msgspec.json.Decoder(wanted).decode


def value_reader(path: str) -> Callable[[bytes], JSON]:
    """What reads the value under a dotted path out of a raw JSON object; None where there is none."""
    first, *rest = path.split(".")
    read = _reader((first,))

    def value(raw: bytes) -> JSON:
        try:
            return value_at(tuple(rest), read(raw).p0)
        except msgspec.DecodeError:
            return None

    return value


def compile(where: JSON) -> Callable[[bytes], bool]:  # noqa: A001 - as in re.compile
    """`matches` over a raw JSON object, decoding only what the predicate names.

    Bytes that are no JSON object, or whose named members no number can hold, do not match.
    """
    paths = {tuple(path.split(".")): test_of(operand) for path, operand in (where or {}).items()}
    names = tuple(dict.fromkeys(path[0] for path in paths))
    read = _reader(names)
    checks = [(f"p{names.index(path[0])}", path[1:], test) for path, test in paths.items()]

    def test(raw: bytes) -> bool:
        try:
            wanted = read(raw)
        except msgspec.DecodeError:
            return False
        for member, rest, check in checks:
            value = getattr(wanted, member)
            if not check(value_at(rest, value) if rest else value):
                return False
        return True

    return test
