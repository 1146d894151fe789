"""Moving live runs to another version of their campaign: which can be moved, to which step, which cannot.

A live run stands at a wait. It is moved to the wait with the same id, in the same variant of the other
version; its entry, arm, goals and comparison stay those of the version it began with, and what it did is not
done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hark.decide.course import Course
from hark.decide.leaving import named
from hark.decide.plan import Plan
from hark.decide.reasons import Stays
from hark.decide.runs import about
from hark.decide.waiting import wait_ends
from hark.decide.work import Work, whole_ms
from hark.definitions.sending import LEAVING
from hark.definitions.types import Send, Step, Task, Wait, Webhook
from hark.model import JSON, FactName, Instant, Record, Run


class Move(Struct, frozen=True):
    """Where one run goes."""

    place: int
    step: str
    until: Instant | None
    """When its wait there ends by time; None while its campaign is paused and keeps the timers."""
    done: tuple[str, ...]
    """The steps of the other version that count as done."""


def live(record: Record, campaign: str) -> Iterator[Run]:
    """Its runs of this campaign whose steps are not over."""
    return (run for run in record.runs if run.campaign == campaign and not run.finished)


def movable(record: Record, plan: Plan, campaign: str, to: int) -> Iterator[tuple[Run, Course]]:
    """The live runs that do not walk the version yet, each with the one it walks."""
    for run in live(record, campaign):
        course = plan.walked(run)
        if course is not None and course.version != to:
            yield run, course


def where(work: Work, run: Run, old: Course, new: Course, renamed: Mapping[str, str]) -> Move | Stays:
    """Where the run goes in the other version, or why it stays; `renamed`: the new ids of waits by the old.

    Its wait there counts from when the present one began, and is over at once where that is past.
    """
    place = _place(run, old, new, renamed)
    if isinstance(place, Stays):
        return place
    wait = new.steps[run.variant][place]
    if not isinstance(wait, Wait):
        return Stays.NO_WAIT
    until = None if run.left_us is not None else _until(work, run, wait, new)
    if isinstance(until, Stays):
        return until
    return Move(place, wait.id, until, tuple(dict.fromkeys(_done(run, old, new, place))))


def _place(run: Run, old: Course, new: Course, renamed: Mapping[str, str]) -> int | Stays:
    """Where the step with the id of the run's wait stands."""
    code = new.steps.get(run.variant)
    if old.campaign.rehearsal != new.campaign.rehearsal:
        return Stays.REHEARSAL
    if code is None:
        return Stays.VARIANT_GONE
    wanted = renamed.get(standing_at(run, old), standing_at(run, old))
    places = (place for place, step in enumerate(code) if getattr(step, "id", None) == wanted)
    return next(places, Stays.STEP_GONE)


def _until(work: Work, run: Run, wait: Wait, new: Course) -> Instant | Stays:
    ends = wait_ends(work, run, wait, run.since_at)
    if ends is None:
        return Stays.NO_MOMENT
    late = new.goal is not None and ends > run.goal_until
    return Stays.TOO_LATE if late else whole_ms(max(ends, work.now))


def standing_at(run: Run, course: Course) -> str:
    """The id of the wait at which the run stands."""
    return course.steps[run.variant][run.step].id  # type: ignore[union-attr]


def _done(run: Run, old: Course, new: Course, place: int) -> Iterator[str]:
    """The ids that count as done: a step with a name of its own by that name, one without by what it does.

    What another step before `place` does as well is no repetition: the author meant it twice.
    """
    yield from filter(named, run.done)
    before = {one.id: one for one in _leaving(old.steps[run.variant])}
    said = [_says(before[step]) for step in run.done if step in before]
    code = new.steps[run.variant]
    passed = [_says(one) for one in _leaving(code[:place])]
    for number, step in enumerate(code):
        if isinstance(step, LEAVING) and not (named(step.id) and step.id in before):
            repeats = _says(step) in said and (number < place or _says(step) not in passed)
            if repeats:
                yield step.id


def _leaving(code: Iterable[Any]) -> Iterator[Send | Webhook | Task]:
    return (step for step in code if isinstance(step, LEAVING))


def _says(step: Step) -> JSON:
    """What a step lets leave, whatever it is called."""
    match step:
        case Send():
            return [list(way) for way in step.ways]
        case Webhook():
            return [step.sender, step.body]
        case Task():
            return [step.team, step.says]
        case _:
            return None


def migrate(work: Work, data: Mapping[str, Any]) -> None:
    """Moves the subject's live runs of a `campaign` to the version `to`; what cannot be moved goes on as it
    was."""
    new = work.plan.course(data["campaign"], data["to"])
    if new is None:
        return
    renamed = data.get("steps") or {}
    for run, old in movable(work.record, work.plan, new.name, new.version):
        found = where(work, run, old, new, renamed)
        if isinstance(found, Move):
            _move(work, run, old, new, found)


def _move(work: Work, run: Run, old: Course, new: Course, move: Move) -> None:
    facts = {"from": old.version, "to": new.version, "from_step": standing_at(run, old), "step": move.step}
    run.walks, run.step, run.done = new.version, move.place, list(move.done)
    run.wake_at, run.shifted, work.moved = move.until, True, True
    work.emit(FactName.CAMPAIGN_MIGRATED, {**about(run), **facts, "until": move.until})


class Group(Struct, frozen=True):
    """Runs that stand alike, and what a migration would do with them."""

    version: int
    """That they walk."""
    variant: str
    step: str
    """The wait at which they stand."""
    to_step: str | None
    """None: they cannot be moved."""
    why: str
    """Why not; "" where they are moved."""
    runs: int
    at_once: int
    """How many of them have waited long enough already for where they go."""
    done: int
    """How many of them have steps before them that they did, and which are left out."""


def preview(
    records: Iterable[Record], plan: Plan, campaign: str, to: int, renamed: Mapping[str, str], now: Instant
) -> list[Group]:
    """What a migration now would do with the live runs of these records. Nothing is changed.

    Raises LookupError for a version that there is not.
    """
    new = plan.course(campaign, to)
    if new is None:
        raise LookupError(f"{campaign} has no version {to}")
    groups: dict[tuple[int, str, str, str | None, str], list[int]] = {}
    for record in records:
        work = Work(record, plan)
        work.now = max(now, record.now)
        for run, old in movable(record, plan, campaign, to):
            found = where(work, run, old, new, renamed)
            goes = (found.step, "") if isinstance(found, Move) else (None, str(found))
            key = (old.version, run.variant, standing_at(run, old), *goes)
            counts = groups.setdefault(key, [0, 0, 0])
            for place, holds in enumerate((True, *_special(found, new, run, work.now))):
                counts[place] += holds
    return [Group(*key, *counts) for key, counts in sorted(groups.items(), key=lambda one: str(one[0]))]


def _special(found: Move | Stays, new: Course, run: Run, now: Instant) -> tuple[bool, bool]:
    """Whether a run goes on at once, and whether it leaves steps out."""
    if not isinstance(found, Move):
        return False, False
    ahead = {one.id for one in _leaving(new.steps[run.variant][found.place :])}
    return found.until is not None and found.until <= whole_ms(now), bool(ahead & set(found.done))
