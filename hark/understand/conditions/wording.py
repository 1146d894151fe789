"""Plain English for the parts of conditions: counts, spans of time, predicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hark.clock import moment
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK, Instant
from hark.understand.conditions.moments import span_of

if TYPE_CHECKING:
    from hark.understand.conditions.window import Window

_COUNTS = {
    "eq": "exactly {}",
    "ne": "not exactly {}",
    "gte": "at least {}",
    "gt": "more than {}",
    "lte": "at most {}",
    "lt": "fewer than {}",
}
_VALUES = {
    "eq": "{}",
    "ne": "other than {}",
    "in": "any of {}",
    "not_in": "none of {}",
    "gte": "of at least {}",
    "gt": "over {}",
    "lte": "of at most {}",
    "lt": "under {}",
    "contains": "containing {}",
    "starts_with": "starting with {}",
    "ends_with": "ending with {}",
    "matches": "matching {}",
}

TIMED = {
    "in_next": "within the next {}",
    "older_than": "{} ago or earlier",
    "newer_than": "in the last {}",
    "anniversary": "on this day of an earlier year",
}


def listed(items: Sequence[str], word: str) -> str:
    """ "a, b or c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def one(noun: str) -> str:
    """ "an account"."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def span(us: int) -> str:
    """A span of time in its largest whole unit: "45 days"."""
    for unit, name in ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if us % unit == 0 and (unit != WEEK or us >= 8 * WEEK):
            return f"{us // unit} {name}" + ("" if us == unit else "s")
    return f"{us / 1e6:g} seconds"


def about(us: int) -> str:
    """Any span of time in the largest unit of which there is one: "3.1 days"."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if us >= unit:
            return f"{us / unit:.3g} {name}"
    return f"{us / 1e6:.3g} seconds"


def _value(value: JSON) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return f"the run's {value['ref']}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _count(name: str, number: JSON) -> str:
    if name == "between":
        return f"{number[0]} to {number[1]}"
    if name in ("in", "not_in"):
        return ("" if name == "in" else "not ") + listed([_value(one) for one in number], "or")
    return _COUNTS[name].format(_value(number))


def _operator(name: str, value: JSON) -> str:
    if name == "exists":
        return "known" if value else "unknown"
    if name == "between":
        return f"between {_value(value[0])} and {_value(value[1])}"
    if name in TIMED:
        return TIMED[name] if name == "anniversary" else TIMED[name].format(span(span_of(value)))
    many = isinstance(value, list)
    return _VALUES[name].format(listed([_value(one) for one in value], "or") if many else _value(value))


def predicate(where: Mapping[str, JSON]) -> str:
    """ "country any of GB or IE and revenue of at least 50"."""
    return " and ".join(
        f"{path} " + " and ".join(_operator(*pair) for pair in operand.items())
        if isinstance(operand, Mapping) and "ref" not in operand
        else f"{path} {_value(operand)}"
        for path, operand in where.items()
    )


def event(names: Sequence[str], where: JSON = None) -> str:
    """ "Order Completed or Order Paid (revenue of at least 50)"."""
    return listed(list(names), "or") + (f" ({predicate(where)})" if where else "")


def counted(count: Mapping[str, JSON], measure: str, of: str | None) -> str:
    """ "at least 2 times", "on at least 3 days", "with at least 5 different product_id"."""
    numbers = " and ".join(_count(*pair) for pair in count.items())
    if measure == "distinct":
        return f"with {numbers} different {of}"
    noun = measure[:-1] if numbers.endswith(" 1") else measure
    on = {"times": "", "days": "on ", "weeks": "in ", "months": "in "}[measure]
    return f"{on}{numbers} {noun}"


def did(
    names: Sequence[str],
    where: JSON,
    measure: str,
    count: Mapping[str, JSON],
    window: Window,
    of: str | None = None,
    zone: str = "UTC",
) -> str:
    """What follows "did": "Order Completed at least 2 times in the last 45 days"."""
    words = event(names, where)
    if measure != "times" or dict(count) != {"gte": 1}:
        words += f" {counted(count, measure, of)}"
    return words + inside(window, zone)


def inside(window: Window, zone: str) -> str:
    """ " in the last 45 days", with a space before; "" for ever."""
    if window.within_us is not None:
        return f" in the last {span(window.within_us)}"
    if window.between:
        first, last = (_when(at, zone) for at in window.between)
        return f" from {first} until before {last}"
    if window.since:
        return f" since they last did {listed(list(window.since), 'or')}"
    return " today" if window.today else " since entering the campaign" if window.entry else ""


def _when(at: Instant, zone: str) -> str:
    local = moment(at).astimezone(ZoneInfo(zone))
    return (
        f"{local:%Y-%m-%d}"
        if (local.hour, local.minute, local.second) == (0, 0, 0)
        else f"{local:%Y-%m-%d %H:%M}"
    )


def compared(compare: Mapping[str, JSON], say: Callable[[JSON], str]) -> str:
    """ "at least 100 and under 200": operators on a quantity, its values as `say` says them."""
    return " and ".join(_QUANTITIES[name].format(_said(value, say)) for name, value in compare.items())


def _said(value: JSON, say: Callable[[JSON], str]) -> str:
    if isinstance(value, list):
        return listed([say(one) for one in value], "or")
    return say(value)


def number(value: JSON) -> str:
    return _value(value)


_QUANTITIES = {
    "eq": "exactly {}",
    "ne": "not {}",
    "gt": "more than {}",
    "gte": "at least {}",
    "lt": "less than {}",
    "lte": "at most {}",
    "between": "between {}",
    "in": "any of {}",
    "not_in": "none of {}",
}
