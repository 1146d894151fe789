"""Questions about behaviour: funnels, retention, paths, sessions, lifecycle, trends, and saved questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hark.definitions.asked import Asked, Funnel, Lifecycle, Paths, Retention, Sessions, Trend, When
from hark.definitions.parse import definition
from hark.definitions.questions import read_question
from hark.definitions.resolve import resolved
from hark.definitions.subject_check import refuse_senseless
from hark.definitions.types import EventMatch, Policy, Question, Segment
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON
from hark.questions.left_alone import LeftAlone
from hark.understand.conditions import Condition
from hark.understand.funnel import ask_funnel, who_stopped
from hark.understand.lifecycle import ask_lifecycle
from hark.understand.paths import ask_paths
from hark.understand.people import People, everybody, groups_of
from hark.understand.retention import ask_retention
from hark.understand.sessions import ask_sessions
from hark.understand.trend import ask_trend

if TYPE_CHECKING:
    from hark.questions.desk import Desk

ASK: dict[type[Struct], Callable[[People, Any, int], Any]] = {
    Funnel: ask_funnel,
    Retention: ask_retention,
    Paths: ask_paths,
    Sessions: ask_sessions,
    Lifecycle: ask_lifecycle,
    Trend: ask_trend,
}
LISTED = 1000
"""Customers of a drop that are listed; all are counted."""


class SavedQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """A `question:` document by its name; `version` None: the one in force."""

    name: str
    version: int | None = None


class StoppedQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who reached a step of a funnel (counted from 1) and no further."""

    funnel: JSON
    step: int


def asked(desk: Desk, question: Asked, snapshot: Snapshot) -> JSON:
    """The answer as plain data; our own people are left out."""
    from hark.questions.segments import in_force

    for when in _conditions(question) if question.group else ():
        refuse_senseless(Segment("", when, group=question.group), in_force(desk))
    [complete] = resolved([question], in_force(desk))
    people = whom(desk, snapshot, _seen(desk, question.group))
    found: JSON = ASK[type(question)](people, complete, desk.clock.now()).to_json()
    return found


def _conditions(question: Asked) -> list[Condition]:
    """What it asks by conditions in place of events."""
    ends = (question.start, question.returns) if isinstance(question, Retention) else ()
    return [one.where for one in ends if isinstance(one, When)]


def saved(desk: Desk, question: SavedQuestion, snapshot: Snapshot) -> JSON:
    """The answer, with "question": what was asked, and "version". Raises HarkError `question.unknown`."""
    versions = desk.state.versions("question", question.name)
    found = next((one for one in versions if question.version in (None, one.version)), None)
    if question.version is None and versions:
        found = max(versions, key=lambda one: one.version)
    if found is None:
        names = [one.name for one in desk.state.documents() if one.kind == "question"]
        message = f"no question {question.name}" + (f" of version {question.version}" if versions else "")
        raise HarkError(message, f"there are: {', '.join(names) or 'none'}", "question.unknown")
    typed = definition(found, desk.zone)
    assert isinstance(typed, Question)
    return {**asked(desk, typed.asks, snapshot), "question": found.body, "version": found.version}


def stopped(desk: Desk, question: StoppedQuestion, snapshot: Snapshot) -> JSON:
    """{"count", "customers": [ids], "left_alone": [those of them in the global control], "segment": {...}}:
    the segment says the same as a condition."""
    from hark.questions.kinds import known_as

    funnel = read_question("funnel", question.funnel, desk.zone)
    assert isinstance(funnel, Funnel)
    if not 1 <= question.step <= len(funnel.steps):
        raise HarkError(f"there is no step {question.step}", f"1 to {len(funnel.steps)}", "question.wrong")
    people = whom(desk, snapshot, _seen(desk, funnel.group))
    found = who_stopped(people, funnel, desk.clock.now(), question.step)
    subjects = [subject for bucket in found for subject in bucket.tolist()]
    names = {subject: known_as(desk.state, subject) for subject in sorted(subjects)[:LISTED]}
    alone = [] if funnel.group else [names[subject] for subject in LeftAlone(desk).among(names)]
    said = {"customers": list(names.values()), "left_alone": alone}
    return {"count": len(subjects), **said, "segment": drop_segment(funnel, question.step)}


def drop_segment(funnel: Funnel, step: int) -> JSON:
    """The condition for those who did the steps so far and not the next, as a segment document's `where`.

    It says what they did, not in which order or how quickly: a segment holds from now on.
    """
    parts: list[JSON] = [{"did": _written(one)} for one in funnel.steps[:step]]
    return {"all": parts + [{"did_not": _written(one)} for one in funnel.steps[step : step + 1]]}


def _written(step: EventMatch) -> JSON:
    names = {"event": step.names[0]} if len(step.names) == 1 else {"any_of": list(step.names)}
    return {**names, "where": step.where} if step.where else names


def whom(desk: Desk, snapshot: Snapshot, group: str = "") -> People:
    """Everybody but our own people, as the definitions in force say; with `group` the groups of this type.
    Customers and groups are never in one question."""
    from hark.questions.segments import in_force

    typed = in_force(desk)
    segments = {one.name: one.where for one in typed if isinstance(one, Segment) and one.group == group}
    internal = next((one.where for one in typed if isinstance(one, Policy) and one.where), None)

    def condition(name: str) -> Condition:
        if name not in segments:
            raise HarkError(
                f"no segment {name}", f"there are: {', '.join(segments) or 'none'}", "segment.unknown"
            )
        return segments[name]

    if group:
        return groups_of(snapshot, desk.clock.now(), desk.state.groups(group), condition)
    return everybody(snapshot, desk.clock.now(), condition, internal)


def _seen(desk: Desk, kind: str) -> str:
    """The type of groups. Raises HarkError `question.subject` where none of it was ever seen."""
    if kind and not desk.state.groups(kind):
        known = ", ".join(desk.state.group_types()) or "none yet"
        message = f"no group of type {kind} has been seen"
        raise HarkError(message, f"types of groups: {known}", "question.subject")
    return kind
