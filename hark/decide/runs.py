"""Walking: a run's steps, waits, goal and end. The control walks the same way, as a shadow."""

from __future__ import annotations

import msgspec

from hark.decide.course import GRACE_US, Course
from hark.decide.localtime import minutes_of, next_time_of_day, zone_of
from hark.decide.messages import want
from hark.decide.plan import Watch
from hark.decide.profile import text
from hark.decide.reasons import Exit
from hark.decide.work import Work, whole_ms
from hark.definitions.types import Wait
from hark.model import JSON, Event, FactName, Instant, Record, Run
from hark.understand.operators import is_number, value_at


def advance(work: Work, run: Run, course: Course, entering: bool = False) -> None:
    """Goes through the steps up to the next wait, or to the end; `entering`: eligible a moment ago."""
    work.moved = True
    steps = course.steps[run.variant]
    while run.step < len(steps):
        step = steps[run.step]
        if isinstance(step, Wait):
            run.wake_at = whole_ms(_wait_ends(work, step))
            run.since_at, run.since_seq = work.now, work.record.last_seq
            return
        run.step += 1
        want(work, run, course, step, run.step - 1, entering)
    leave(work, run, Exit.FINISHED)


def _wait_ends(work: Work, wait: Wait) -> Instant:
    if wait.at is None:
        return work.now + (wait.for_us or 0)
    hours = work.plan.attention.quiet_hours
    fallback = hours.fallback_zone if hours else "UTC"
    zone = zone_of(wait.zone, text(work.record.traits, "timezone"), fallback)
    return next_time_of_day(work.now, minutes_of(wait.at), zone, wait.days)


def leave(work: Work, run: Run, reason: Exit, values: dict[str, JSON] | None = None) -> None:
    """Ends the steps. The run stays in the record until its goal can no longer come."""
    work.moved = True
    run.finished, run.exited, run.wake_at = True, reason.value, None
    facts: dict[str, JSON] = {**about(run), "reason": reason}
    if values:
        facts["values"] = values
    work.emit(FactName.CAMPAIGN_EXITED, facts)


def about(run: Run) -> dict[str, JSON]:
    """What every fact about a run says of it."""
    return {"campaign": run.campaign, "version": run.version, "run": run.id, "arm": run.arm}


def go_on(work: Work, run: Run, course: Course) -> None:
    """The wait is over."""
    run.step += 1
    run.wake_at = None
    advance(work, run, course)


def exits(work: Work, _event: Event | None = None, _watch: Watch | None = None) -> None:
    """Ends the runs that were to end on leaving one of the segments just left."""
    if not work.left:
        return
    for run in work.record.runs:
        course = None if run.finished else work.plan.course(run.campaign, run.version)
        if course and course.campaign.exit_leaves in work.left:
            leave(work, run, Exit.LEFT_SEGMENT, {"segment": course.campaign.exit_leaves})
    work.left = ()


def goals(work: Work, event: Event, watch: Watch) -> None:
    """Writes `Goal Reached` for each run whose goal this is, whatever its arm, at the goal's own time."""
    if not watch.goals:
        return
    taken = {course.key: course for course in watch.goals if course.goal and course.goal.takes(event)}
    for course in taken.values():
        remember_goal(work, course, event)
    for run in work.record.runs:
        walked = taken.get((run.campaign, run.version))
        if walked and counts(run, event, work.now):
            reach(work, run, walked, event)


def remember_goal(work: Work, course: Course, event: Event) -> None:
    """Keeps the latest goal of campaigns that an event starts, since that event may come after it."""
    if course.starts_when is None or work.plan.current.get(course.name) is not course:
        return
    known = work.record.goals.get(course.name)
    if known is None or (event.at, event.seq) > tuple(known):
        work.record.goals[course.name] = (event.at, event.seq)


def counts(run: Run, event: Event, now: Instant) -> bool:
    """Strictly after the entry in (at, seq), no later than the window's end, arrived within the grace."""
    after = (event.at, event.seq) > (run.entered_at, run.entered_seq)
    return after and event.at <= run.goal_until and now <= run.goal_until + GRACE_US


def reach(work: Work, run: Run, course: Course, event: Event) -> None:
    first = run.goal_at is None
    run.goal_at = event.at if run.goal_at is None else min(run.goal_at, event.at)
    facts = {**about(run), "value": value_of(course, event), "first": first, "event": event.name}
    work.emit(FactName.GOAL_REACHED, facts, at=event.at)
    if course.campaign.exit_on_goal and not run.finished:
        leave(work, run, Exit.GOAL)
    elif course.campaign.exit_on_goal and run.exited == Exit.FINISHED:
        run.exited = Exit.GOAL.value


def value_of(course: Course, event: Event) -> float | None:
    """The goal's value that one event brings; None where the campaign names none or it is no number."""
    path = course.campaign.goal.value if course.campaign.goal else None
    if path is None:
        return None
    value = value_at(tuple(path.split(".")), msgspec.json.decode(event.properties))
    return float(value) if is_number(value) else None


def waits(work: Work, event: Event, watch: Watch) -> None:
    """Lets the runs go on that were waiting for this event, strictly after their wait began."""
    if not watch.waits:
        return
    for run in work.record.runs:
        if run.wake_at is None or (run.campaign, run.version) not in watch.waits:
            continue
        course = work.plan.course(run.campaign, run.version)
        until = course.until(run.variant, run.step) if course else None
        after = (event.at, event.seq) > (run.since_at, run.since_seq)
        if course and until and after and until.takes(event):
            go_on(work, run, course)


def wakes(work: Work) -> None:
    """Lets the runs go on whose wait is over by time."""
    for run in work.record.runs:
        if run.wake_at is not None and run.wake_at <= work.now:
            course = work.plan.course(run.campaign, run.version)
            if course is None:
                raise KeyError(f"{run.campaign} version {run.version} is walked but not in the plan")
            go_on(work, run, course)


def forget(record: Record, now: Instant) -> None:
    """Drops the runs whose steps and goal are over, unless a message of theirs is not out yet."""
    waited_for = {one.run for one in record.sends if one.state in ("wanted", "sending")}
    record.runs = [
        run
        for run in record.runs
        if not run.finished or now <= run.goal_until + GRACE_US or run.id in waited_for
    ]
