"""What a run is for: goals that happen, goals that are judged at their window's end, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hark.decide.course import GRACE_US, Course, Pursued
from hark.decide.messages import BY_ITSELF
from hark.decide.reasons import Exit
from hark.decide.runs import about, fits, holds, leave
from hark.decide.watch import Watch
from hark.decide.work import Work, whole_ms
from hark.model import JSON, Event, FactName, Instant, Run
from hark.understand.operators import is_number, value_at


def goals(work: Work, event: Event, watch: Watch) -> None:
    """Writes `Goal Reached` for each run one of whose goals this is, in any arm, at the event's time."""
    if not watch.goals:
        return
    taken = {course.key: [one for one in course.pursued if one.match.takes(event)] for course in watch.goals}
    for course in watch.goals:
        if any(one.place == 0 for one in taken[course.key]):
            remember_goal(work, course, event)
    for run in work.record.runs:
        for one in taken.get((run.campaign, run.version), ()):
            until = run.entered_at + one.goal.within_us
            if counts(run, until, event, work.now) and fits(one.match, event, run, work.record):
                _happened(work, run, one, event)


def remember_goal(work: Work, course: Course, event: Event) -> None:
    """Keeps the latest goal of campaigns that an event starts, since that event may come after it. What a run
    would have to compare it with is not known without one."""
    if (
        course.starts_when is None
        or (course.goal and course.goal.referring)
        or work.plan.current.get(course.name) is not course
    ):
        return
    known = work.record.goals.get(course.name)
    if known is None or (event.at, event.seq) > tuple(known):
        work.record.goals[course.name] = (event.at, event.seq)


def counts(run: Run, until: Instant, event: Event, now: Instant) -> bool:
    """Strictly after the entry in (at, seq), no later than the window's end, arrived within the grace."""
    after = (event.at, event.seq) > (run.entered_at, run.entered_seq)
    return after and event.at <= until and now <= until + GRACE_US


def _happened(work: Work, run: Run, one: Pursued, event: Event) -> None:
    facts = {"value": value_of(one, event), "event": event.name}
    if one.place:
        _reach_also(work, run, one, event.at, facts)
    else:
        _reach(work, run, event.at, facts)


def _reach(work: Work, run: Run, at: Instant, facts: dict[str, JSON]) -> None:
    """The goal itself: every time is written down, the first ends the steps if the campaign exits on it."""
    first = run.goal_at is None
    run.goal_at = at if run.goal_at is None else min(run.goal_at, at)
    work.emit(FactName.GOAL_REACHED, {**about(run), **facts, "first": first}, at=at)
    course = work.plan.walked(run)
    if course is None or not course.campaign.exit_on_goal:
        return
    if not run.finished:
        leave(work, run, Exit.GOAL)
    elif run.exited in BY_ITSELF:
        run.exited = Exit.GOAL.value


def _reach_also(work: Work, run: Run, one: Pursued, at: Instant, facts: dict[str, JSON]) -> None:
    """One of `also`, once a run: it is followed, and changes nothing."""
    if one.place not in run.also_met:
        run.also_met.append(one.place)
        work.emit(FactName.GOAL_REACHED, {**about(run), **facts, "first": True, "also": one.place}, at=at)


def value_of(one: Pursued, event: Event) -> float | None:
    """The goal's value that one event brings; None where the goal names none or it is no number."""
    if one.goal.value is None:
        return None
    value = value_at(tuple(one.goal.value.split(".")), msgspec.json.decode(event.properties))
    return float(value) if is_number(value) else None


def awaited(pursued: Sequence[Pursued], entered_at: Instant) -> list[tuple[Instant, int]]:
    """When which of the goals that are conditions will be judged, the earliest first."""
    judged = [one for one in pursued if one.goal.when is not None]
    return sorted((entered_at + one.goal.within_us, one.place) for one in judged)


def watched_until(pursued: Sequence[Pursued], entered_at: Instant) -> Instant:
    """The end of the longest window; 0 without any goal."""
    return max((entered_at + one.goal.within_us for one in pursued), default=0)


def judge(work: Work) -> None:
    """Judges the goals whose window is over now, in every arm; what comes later changes nothing of it."""
    for run in work.record.runs:
        while run.judging and whole_ms(run.judging[0][0]) <= work.now:
            at, place = run.judging.pop(0)
            work.moved = True
            course = work.plan.course(run.campaign, run.version)
            one = next((one for one in course.pursued if one.place == place), None) if course else None
            if one and one.goal.when is not None and holds(work, run, one.goal.when):
                _held(work, run, one, at)


def _held(work: Work, run: Run, one: Pursued, at: Instant) -> None:
    facts = {"value": None, "event": "", "held": one.goal.when.sentence() if one.goal.when else ""}
    if one.place:
        _reach_also(work, run, one, at, facts)
    else:
        _reach(work, run, at, facts)
