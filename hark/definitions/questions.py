"""How questions are written: in documents, over HTTP, in Python and on the command line alike.

A question is a mapping of its kind to what it asks: `{funnel: {steps: [...], within: 7d}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hark.definitions.asked import (
    MOST_STEPS,
    Asked,
    By,
    Funnel,
    Lifecycle,
    Paths,
    Retention,
    Sessions,
    Trend,
    When,
)
from hark.definitions.conditions import ANYWHERE, event_record
from hark.definitions.shapes import (
    NAME,
    PATH,
    Choice,
    Duration,
    Either,
    Invalid,
    Mapped,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Share,
    Text,
    Truth,
    Values,
)
from hark.definitions.subjects import SUBJECT
from hark.definitions.types import EventMatch, Question
from hark.definitions.yaml import Node
from hark.errors import HarkError
from hark.model import JSON, Instant
from hark.understand.conditions.calendar import day_start
from hark.understand.operators import time_of

PERIOD = Choice(("day", "week", "month"))
LISTED = 20
"""Groups, branches and events that an answer lists one by one before it folds the rest into "other"."""


def _any_of(text: str, node: Node, reading: Reading) -> EventMatch | Invalid:
    names = tuple(name.strip() for name in text.split("|"))
    if all(names):
        return EventMatch(names)
    return reading.refuse(node, f"a step without a name: {text!r}", 'write "A|B" for any of two')


STEP: Shape[EventMatch] = Either(Mapped(Text("the name of an event"), _any_of), event_record("a step"))


@dataclass(frozen=True)
class Steps(Shape[tuple[tuple[EventMatch, ...], tuple[tuple[EventMatch, ...], ...]]]):
    """Steps in their order, and between them `{not: step}` for what must not happen in that gap."""

    def read(self, node: Node, reading: Reading) -> Any:
        if not isinstance(node.value, list) or not node.value:
            return reading.expected(node, "a list of steps of at least one", "for example [Signed Up, Paid]")
        steps: list[EventMatch | Invalid] = []
        barred: list[list[EventMatch | Invalid]] = []
        for child in node.value:
            if isinstance(child.value, dict) and child.value.keys() == {"not"}:
                if not steps:
                    return reading.refuse(child, '"not" before the first step', "it stands between two steps")
                barred[-1].append(STEP.read(child.value["not"], reading))
            else:
                steps.append(STEP.read(child, reading))
                barred.append([])
        return self._sound(steps, barred, node, reading)

    def _sound(self, steps: list[Any], barred: list[list[Any]], node: Node, reading: Reading) -> Any:
        if any(isinstance(one, Invalid) for one in [*steps, *(one for gap in barred for one in gap)]):
            return Invalid.INVALID
        if barred[-1]:
            return reading.refuse(node, '"not" after the last step', "it stands between two steps")
        if not 1 <= len(steps) <= MOST_STEPS:
            return reading.refuse(node, f"1 to {MOST_STEPS} steps, not {len(steps)}")
        gaps = tuple(tuple(gap) for gap in barred[:-1])
        return tuple(steps), gaps if any(gaps) else ()

    def schema(self) -> JSON:
        denied = {"type": "object", "properties": {"not": STEP.schema()}, "required": ["not"]}
        return {"type": "array", "minItems": 1, "items": {"anyOf": [STEP.schema(), denied]}}


def _moment(text: str, node: Node, reading: Reading) -> Instant | Invalid:
    """A date is its first instant in the workspace's zone."""
    at = time_of(text)
    if at is None:
        return reading.expected(node, "a date, or a time with a zone", 'for example "2026-03-01"')
    return at if "T" in text or " " in text else day_start(at // (24 * 3600 * 1_000_000), reading.zone)


MOMENT: Shape[Instant] = Mapped(Text("a date or a time with a zone"), _moment)


def _by(text: str, node: Node, reading: Reading) -> By | Invalid:
    kind, colon, name = text.partition(":")
    if colon and kind in ("property", "trait", "segment"):
        return By(kind, name) if name else reading.refuse(node, f"{kind}: without a name")  # type: ignore[arg-type]
    return By("property", text)


def _by_kind(values: Values, _node: Node, _reading: Reading) -> By:
    ((kind, name),) = values.items()
    return By(kind, name)  # type: ignore[arg-type]


BY: Shape[By] = Either(
    Mapped(Text("a property, trait:NAME or segment:NAME"), _by),
    Record(
        "by",
        {"property": PATH, "trait": PATH, "segment": NAME},
        _by_kind,
        one_of=(("property", "trait", "segment"),),
    ),
)

RANGE: Mapping[str, Shape[Any]] = {"since": MOMENT, "until": MOMENT, "among": NAME, "subject": SUBJECT}
ENDS = {"since": "start", "until": "end", "subject": "group"}


def _range(values: Values) -> Values:
    """The range's ends under the names that questions have for them."""
    return {ENDS.get(key, key): value for key, value in values.items()}


def _funnel(values: Values, _node: Node, reading: Reading) -> Funnel | Invalid:
    steps, barred = values.pop("steps")
    within = values.pop("within", None)
    try:
        return Funnel(steps, within, barred=barred, zone=reading.zone, **_range(values))
    except HarkError as error:
        return reading.refuse(_node, error.message, error.hint)


FUNNEL: Shape[Funnel] = Record(
    "a funnel",
    {
        "steps": Steps(),
        "within": Duration(),
        "order": Choice(("ordered", "strict", "unordered")),
        "by": BY,
        "instead": Truth(),
        "trend": PERIOD,
        **RANGE,
    },
    _funnel,
    required=("steps",),
)


@dataclass(frozen=True)
class StepOrWhen(Shape[EventMatch | When]):
    """A step, or `{when: condition}`."""

    def read(self, node: Node, reading: Reading) -> EventMatch | When | Invalid:
        is_when = isinstance(node.value, dict) and "when" in node.value
        return (WHEN if is_when else STEP).read(node, reading)

    def schema(self) -> JSON:
        return {"anyOf": [STEP.schema(), WHEN.schema()]}


WHEN: Shape[When] = Record(
    "a start or return", {"when": ANYWHERE}, lambda values, _node, _reading: When(values["when"])
)


def _retention(values: Values, node: Node, reading: Reading) -> Retention | Invalid:
    renamed = {**ENDS, "return": "returns", "since": "begin"}
    named = {renamed.get(key, key): value for key, value in values.items()}
    try:
        return Retention(**named, zone=reading.zone)
    except HarkError as error:
        return reading.refuse(node, error.message, error.hint)


RETENTION: Shape[Retention] = Record(
    "a retention",
    {
        "start": StepOrWhen(),
        "return": StepOrWhen(),
        "period": PERIOD,
        "cohorts": Choice(("first", "first_time", "recurring")),
        "on_or_after": Truth(),
        "by": BY,
        "returned_to": Truth(),
        **RANGE,
    },
    _retention,
    required=("start",),
)


def _gap(value: str, node: Node, reading: Reading) -> int | Invalid | None:
    return None if value == "none" else Duration().read(node, reading)


def _paths(values: Values, node: Node, reading: Reading) -> Paths | Invalid:
    if "from" not in values and "to" not in values:
        return reading.refuse(node, "paths need an anchor", '"from" an event, or "to" one')
    renamed = {"from": "origin", "to": "target", "gap": "gap_us", **ENDS}
    return Paths(**{renamed.get(key, key): value for key, value in values.items()})


PATHS: Shape[Paths] = Record(
    "paths",
    {
        "from": STEP,
        "to": STEP,
        "depth": Number(1, 50, whole=True),
        "top": Number(1, 1000, whole=True),
        "rare": Share(0, 1),
        "collapse": Truth(),
        "gap": Mapped(Text("a duration, or none"), _gap),
        "facts": Truth(),
        **RANGE,
    },
    _paths,
)
SESSIONS: Shape[Sessions] = Record(
    "sessions",
    {"gap": Duration(), "period": PERIOD, **RANGE},
    lambda values, _node, reading: Sessions(
        values.pop("gap", Sessions().gap_us), zone=reading.zone, **_range(values)
    ),
)
LIFECYCLE: Shape[Lifecycle] = Record(
    "a lifecycle",
    {"period": PERIOD, **RANGE},
    lambda values, _node, reading: Lifecycle(zone=reading.zone, **_range(values)),
)


def _trend(values: Values, node: Node, reading: Reading) -> Trend | Invalid:
    try:
        return Trend(zone=reading.zone, **_range(values))
    except HarkError as error:
        return reading.refuse(node, error.message, error.hint)


TREND: Shape[Trend] = Record(
    "a trend",
    {"event": STEP, "period": PERIOD, "of": PATH, "by": BY, "compare": Truth(), **RANGE},
    _trend,
)
ASKS: Mapping[str, Shape[Asked]] = {
    "funnel": FUNNEL,
    "retention": RETENTION,
    "paths": PATHS,
    "sessions": SESSIONS,
    "lifecycle": LIFECYCLE,
    "trend": TREND,
}


def _question(values: Values, _node: Node, _reading: Reading) -> Question:
    (kind,) = ASKS.keys() & values.keys()
    return Question(values["question"], values[kind], values.get("says", ""))


QUESTION: Shape[Question] = Record(
    "question",
    {"question": NAME, "says": Prose(), **ASKS},
    _question,
    required=("question",),
    one_of=(tuple(ASKS),),
)


def read_question(kind: str, body: JSON, zone: str) -> Asked:
    """The typed question. Raises HarkError `question.wrong` with everything that is wrong."""
    from hark.definitions.yaml import located

    reading = Reading(kind, zone)
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if value is not None}
    found = ASKS[kind].read(located(body), reading)
    if isinstance(found, Invalid):
        first = reading.found[0]
        raise HarkError(f"{kind}: {first.message}", first.hint, "question.wrong")
    return found


def read_moment(text: str, zone: str) -> Instant:
    """A date (its first instant in the zone) or a time with a zone. Raises HarkError `question.wrong`."""
    from hark.definitions.yaml import located

    reading = Reading("time", zone)
    found = MOMENT.read(located(text), reading)
    if isinstance(found, Invalid):
        raise HarkError(reading.found[0].message, reading.found[0].hint, "question.wrong")
    return found
