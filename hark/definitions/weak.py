"""What rests on weak signals of staying: a campaign's goal, a level of engagement. Never wrong, but to be
known.

By the grades in force (`signals: staying`); opens and clicks are weak by definition. What names no event, or
one that could not be judged, is not doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hark.definitions.document import Document
from hark.definitions.goals import tells_of_looking
from hark.definitions.learned import STAYING, Grade, Signals
from hark.definitions.levels import Engagement, Ladder
from hark.definitions.problems import Problem
from hark.definitions.types import Campaign, Definition
from hark.understand.conditions import ACTIVITY, TRAITS, AllOf, AnyOf, Condition, DidNot, Named, Not

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed

GOAL_HINT = "`hark signals` shows what tells more; a goal that is worth something in itself is right as it is"
LEVEL_HINT = "`hark signals` shows what tells more"
UNTOLD = ""
"""In place of a name: something that no grade speaks of."""


def kept(documents: Iterable[Document]) -> Signals | None:
    """The grades among these documents, if there are any."""
    from hark.definitions.parse import definition

    for one in documents:
        if (one.kind, one.name) == ("signals", STAYING):
            found = definition(one)
            assert isinstance(found, Signals)
            return found
    return None


def warnings(parsed: Sequence[Parsed], signals: Signals | None) -> list[Problem]:
    """What of these documents rests on weak signals alone, with its lines."""
    return [
        Problem(one.file, one.line_of(*path), message, hint)
        for one in parsed
        for path, message, hint in _found(one.definition, signals)
    ]


def said(definition: Definition | Ladder, signals: Signals | None) -> tuple[str, ...]:
    """The same of one definition, in sentences."""
    return tuple(f"{message}." for _, message, _ in _found(definition, signals))


def _found(
    definition: Definition | Ladder, signals: Signals | None
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    if isinstance(definition, Campaign) and definition.goal and not definition.goal.response:
        names = definition.goal.event.names
        names = done_in(definition.goal.when) if definition.goal.when else names
        if doubt := _doubt(names, signals):
            yield (
                ("goal",),
                f"the goal of {definition.name} rests on what tells little of staying: {doubt}",
                GOAL_HINT,
            )
    if isinstance(definition, Engagement):
        for place, level in enumerate(definition.levels):
            if doubt := _doubt(done_in(level.when), signals):
                message = f'level "{level.name}" rests on what tells little of staying: {doubt}'
                yield ("levels", place), message, LEVEL_HINT


def _doubt(names: Sequence[str], signals: Signals | None) -> str:
    """The figures, if all of these events are weak or none; else ""."""
    if not names or any(grade_of(name, signals) not in ("weak", "none") for name in names):
        return ""
    return "; ".join(_told(name, signals) for name in names)


def grade_of(event: str, signals: Signals | None) -> Grade:
    """Of an event. Opens and clicks are weak, whatever the figures say."""
    if tells_of_looking(event):
        return "weak"
    return signals.grade(event) if signals else "too few"


def _told(event: str, signals: Signals | None) -> str:
    if tells_of_looking(event):
        return f"{event} (that somebody opened or clicked is a weak sign)"
    assert signals
    one = signals.grades[event]
    word = "a weak sign" if one.grade == "weak" else "no sign"
    return f"{event} ({word} since {one.since}: {one.figures})"


def done_in(condition: Condition) -> tuple[str, ...]:
    """The events that somebody must have done for it, each once; `UNTOLD` among them for what names none."""
    return tuple(dict.fromkeys(_done(condition)))


def _done(condition: Condition) -> Iterator[str]:
    match condition:
        case AllOf() | AnyOf():
            for part in condition.parts:
                yield from _done(part)
        case Not() | DidNot():
            return
        case Named():
            yield from _done(condition.where) if condition.where else (UNTOLD,)
        case _:
            names = frozenset[str]().union(*(leaf.watches() for leaf in condition.leaves()))
            yield from sorted(names - {TRAITS, ACTIVITY})
            if ACTIVITY in names:
                yield UNTOLD
