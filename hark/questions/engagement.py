"""What engagement is here, asked, and at which stage people are: who stands where, how that changed, how long
it takes, and which definition tells more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from hark.definitions import weak
from hark.definitions.document import Document
from hark.definitions.engagement import PURCHASE
from hark.definitions.learned import STAYING, Signals
from hark.definitions.levels import Ladder, Level
from hark.definitions.parse import definition
from hark.definitions.problems import nearest
from hark.definitions.resolve import resolved
from hark.definitions.stages import built_in
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.learn.levels import compared
from hark.learn.statement import fingerprint
from hark.model import JSON, WEEK, Instant
from hark.questions.behaviour import whom
from hark.questions.segments import in_force
from hark.understand.engagement import AFTER_US, Standing, moves, returned, standing, told
from hark.understand.pace import compared as compared_pace
from hark.understand.people import People
from hark.understand.transitions import matrix, stays, transitions

if TYPE_CHECKING:
    from hark.learn.by_level import Steps
    from hark.questions.desk import Desk

MOST_WEEKS = 104


class EngagementQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Where customers stand in a definition, and stood in each of the weeks before."""

    name: str
    kind: Literal["engagement", "stage"] = "engagement"
    at: Instant | None = None
    """None: now."""
    weeks: int = 8
    compare: int | None = None
    """The version to compare with the one in force."""


def engagement(desk: Desk, asked: EngagementQuestion, snapshot: Snapshot) -> JSON:
    """{"definition", "version", "says", "ladder", "since", "author", "fingerprint": of the definition's body,
    "at", "customers", "levels": [{"level", "customers", "share", "says",
    "events": [{"event", "grade", "since"}]}], "warnings": [what rests on weak signals, in sentences],
    "over_time": [{"at", "customers": [below all, each level]}], "moves": [{"from", "to", "customers"}],
    "rates": [{"from", "to", "times", "rate"}], "stays": [{"level", "began", "rose", "fell", "weeks"}],
    "compare": null or {"version", "at", "customers", "came_back", "this", "other", "difference", "moved"}}.

    A level of null is below all, for stages the first one's name; "moves" are those of the whole time, from
    null's "not here yet" too; "events" are those that lead to the level, with the grades known at "at";
    "rates" from the end of a week to the next; "weeks" as `transitions.Stay`.
    Raises HarkError `engagement.unknown`, `engagement.version`, `question.wrong`.
    """
    if not 1 <= asked.weeks <= MOST_WEEKS:
        raise HarkError(f"{asked.weeks} weeks", f"ask for 1 to {MOST_WEEKS}", "question.wrong")
    documents = _versions(desk, asked.kind, asked.name)
    current = _typed(desk, documents[-1])
    at = desk.clock.now() if asked.at is None else asked.at
    everybody, signals = whom(desk, snapshot), _signals(desk, at)
    ends = [at - (asked.weeks - number) * WEEK for number in range(asked.weeks + 1)]
    found = [standing(everybody, current, end) for end in ends]
    return {
        "definition": current.name,
        "version": documents[-1].version,
        "says": current.says,
        "ladder": current.ladder,
        "since": documents[-1].applied_at,
        "author": documents[-1].author,
        "fingerprint": fingerprint(documents[-1].body),
        "at": at,
        "customers": sum(found[-1].counts(len(current.levels))),
        "levels": _levels(current, found[-1], signals),
        "warnings": list(weak.said(current, signals)),
        "over_time": [{"at": one.at, "customers": one.counts(len(current.levels))} for one in found],
        "moves": _moves(current, found[0], found[-1]),
        **_week_by_week(current, matrix(found)),
        "compare": _compared(desk, everybody, documents, asked.compare, at),
    }


def steps_of(desk: Desk, people: People, name: str) -> Steps:
    """The levels of an engagement definition in force, or of the stages, for a report: with the pace tables
    of today. Raises HarkError `engagement.unknown`."""
    from hark.learn.by_level import Step, Steps

    kind = "stage" if name == PURCHASE else "engagement"
    found, now = _typed(desk, _versions(desk, kind, name)[-1]), desk.clock.now()
    steps = (
        Step(one.name, compared_pace(people, found.at_least(one.name), now), one.own.sentence())
        for one in found.levels
    )
    return Steps(found.name, found.floor or "below all levels", tuple(steps))


def _versions(desk: Desk, kind: str, name: str) -> list[Document]:
    """All of them, oldest first; of the stages the built-in ones come before."""
    found = desk.state.versions(kind, name)
    if kind == "stage" and name == PURCHASE:
        found = [built_in(desk.zone)[0], *found]
    if not found:
        known = [one.name for one in desk.state.documents() if one.kind == kind]
        hint = nearest(name, known) or f"there are: {', '.join(known) or 'none'}"
        raise HarkError(f"no {kind} {name}", hint, "engagement.unknown")
    return found


def _typed(desk: Desk, document: Document) -> Ladder:
    """A version, with what its conditions name as that stands today."""
    [found] = resolved([definition(document, desk.zone)], in_force(desk))
    assert isinstance(found, Ladder)
    return found


def _week_by_week(of: Ladder, rows: Ints) -> dict[str, JSON]:
    """How often people went from one level to another, and how long they stay at each."""
    names = _names(of)
    table = transitions(rows, len(of.levels))
    totals = table.sum(axis=1)
    rates = [
        {"from": names[origin], "to": names[to], "times": n, "rate": n / int(totals[origin])}
        for origin, row in enumerate(table.tolist())
        for to, n in enumerate(row)
        if n
    ]
    kept = [msgspec.to_builtins(one) for one in stays(rows, len(of.levels))]
    return {"rates": rates, "stays": [one | {"level": names[one["level"]]} for one in kept]}


def _names(of: Ladder) -> list[str]:
    return [of.floor or "below", *of.names]


def _levels(of: Ladder, now: Standing, signals: Signals | None) -> list[JSON]:
    counts = now.counts(len(of.levels))
    names, says = [of.floor or None, *of.names], ["", *(level.own.sentence() for level in of.levels)]
    events: list[JSON] = [[], *(_graded(level, signals) for level in of.levels)]
    return [
        {"level": name, "customers": n, "share": n / max(1, sum(counts)), "says": say, "events": graded}
        for name, n, say, graded in zip(names, counts, says, events, strict=True)
    ]


def _graded(level: Level, signals: Signals | None) -> JSON:
    """The events that lead to a level, each with its grade."""
    known = signals.grades if signals else {}
    return [
        {
            "event": name,
            "grade": weak.grade_of(name, signals),
            "since": known[name].since if name in known else None,
        }
        for name in weak.done_in(level.when)
        if name != weak.UNTOLD
    ]


def _signals(desk: Desk, at: Instant) -> Signals | None:
    """The grades that were in force then."""
    known = [one for one in desk.state.versions("signals", STAYING) if one.applied_at <= at]
    return weak.kept(known[-1:])


def _moves(of: Ladder, before: Standing, now: Standing) -> list[JSON]:
    """Who went from where to where; only ways that somebody went."""
    froms = [*_names(of), "new"]
    table = moves(before, now, len(of.levels)).tolist()
    return [
        {"from": origin, "to": to, "customers": n}
        for origin, row in zip(froms, table, strict=True)
        for to, n in zip(_names(of), row, strict=True)
        if n
    ]


def _compared(
    desk: Desk, everybody: People, documents: list[Document], version: int | None, now: Instant
) -> JSON:
    """Of two versions, which tells better who comes back within 28 days: as of 28 days ago."""
    if version is None:
        return None
    other = next((one for one in documents if one.version == version), None)
    if other is None:
        known = ", ".join(str(one.version) for one in documents)
        raise HarkError(f"no version {version}", f"there are: {known}", "engagement.version")
    this, that, at = _typed(desk, documents[-1]), _typed(desk, other), now - AFTER_US
    mine, theirs = standing(everybody, this, at), standing(everybody, that, at)
    table = told(mine, theirs, returned(everybody, at), (len(this.levels), len(that.levels)))
    found = compared(table)
    about: JSON = {"version": version, "at": at, "customers": int(table.sum())}
    if found is None:
        return about | {"why": "fewer than 20 customers came back, or did not: too few to compare"}
    return about | msgspec.to_builtins(found)
