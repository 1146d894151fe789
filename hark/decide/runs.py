"""Walking: a run's steps, waits and end. The control walks the same way, as a shadow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hark.clock import moment, unit_hash
from hark.decide import leaving
from hark.decide.course import GRACE_US, Course, Match
from hark.decide.messages import withdraw
from hark.decide.profile import keep
from hark.decide.program import Draw, Fork, Jump
from hark.decide.reasons import Exit, Held
from hark.decide.references import bound, compares
from hark.decide.waiting import wait_ends
from hark.decide.watch import Watch
from hark.decide.work import Work, whole_ms
from hark.definitions.types import Leave, Send, Task, Update, Wait, Webhook
from hark.model import JSON, Event, FactName, Instant, Record, Run, Trait
from hark.understand.conditions import Condition


def advance(work: Work, run: Run, course: Course, entering: bool = False) -> None:
    """Goes through the steps up to the next wait, or to the end; `entering`: eligible a moment ago."""
    work.moved = True
    code = course.steps[run.variant]
    while run.step < len(code) and not run.finished:
        step = code[run.step]
        if isinstance(step, Wait):
            if _begins(work, run, course, step):
                return
        else:
            run.step += 1
            DOES[type(step)](work, run, course, step, entering)
    if not run.finished:
        leave(work, run, Exit.FINISHED)


def _begins(work: Work, run: Run, course: Course, wait: Wait) -> bool:
    """Whether the run waits now; one that would wait for what is past goes on, or ends."""
    ends = wait_ends(work, run, wait, work.now)
    if wait.to is not None and (ends is None or ends <= work.now):
        if wait.if_past == "exit":
            leave(work, run, Exit.PAST, {"until": ends})
        else:
            skipping = wait.if_past == "skip"
            run.step = course.skips[run.variant][run.step] if skipping else run.step + 1
        return False
    assert ends is not None
    if (wait.to or run.shifted) and course.goal is not None and ends > run.goal_until:
        leave(work, run, Exit.TOO_LATE, {"until": ends})
        return False
    run.wake_at = whole_ms(ends)
    run.since_at, run.since_seq = work.now, work.record.last_seq
    if work.plan.stands_still(run.campaign):
        run.left_us, run.wake_at = run.wake_at - work.now, None
    return True


def _jump(_work: Work, run: Run, _course: Course, step: Jump, _entering: bool) -> None:
    run.step = step.to


def _fork(work: Work, run: Run, _course: Course, step: Fork, _entering: bool) -> None:
    run.step = next(to for when, to in step.ways if when is None or holds(work, run, when))


def holds(work: Work, run: Run, when: Condition) -> bool:
    """Whether it holds now; what it asks since the entry, it asks since that of the run."""
    return when.since_entry(run.entered_at, run.entered_seq).met(work.record, work.now)


def _draw(work: Work, run: Run, course: Course, step: Draw, _entering: bool) -> None:
    """The way by the stable key, alike in every arm, and the fact that tells of it."""
    u = unit_hash(f"campaign/{course.name}/split/{step.id}", work.record.key)
    _, name, share, run.step = next((way for way in step.ways if u < way[0]), step.ways[-1])
    work.emit(FactName.SPLIT_ENTERED, {**about(run), "split": step.id, "way": name, "share": share})


def _update(work: Work, run: Run, _course: Course, step: Update, _entering: bool) -> None:
    """States traits, which the next steps see already; in the control nothing."""
    if run.shadow:
        return
    now = moment(work.now).isoformat().replace("+00:00", "Z")
    values = {name: now if value == "now" else value for name, value in step.traits.items()}
    traits = {name: bound(value, run, work.record) for name, value in values.items()}
    context = msgspec.json.encode({"traits": traits})
    facts = {**about(run), "step": step.id, "traits": traits}
    fact = work.emit(FactName.TRAITS_UPDATED, facts, context=context)
    for name, value in traits.items():
        if keep(work.record.traits, name, Trait(value, fact.at, fact.seq)):
            work.traits_changed = work.arming = True


def _leave(work: Work, run: Run, _course: Course, step: Leave, _entering: bool) -> None:
    leave(work, run, Exit.STEP, {"says": step.reason})


DOES: Mapping[type, Callable[[Work, Run, Course, Any, bool], None]] = {
    Send: leaving.send,
    Webhook: leaving.tell,
    Task: leaving.ask,
    Jump: _jump,
    Fork: _fork,
    Draw: _draw,
    Update: _update,
    Leave: _leave,
}
"""What each step does at its moment; waits aside."""


def leave(work: Work, run: Run, reason: Exit, values: dict[str, JSON] | None = None) -> None:
    """Ends the steps. The run stays in the record until its goal can no longer come."""
    work.moved = True
    run.finished, run.exited, run.wake_at, run.left_us = True, reason.value, None, None
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


def restart(work: Work, run: Run, course: Course, trigger: Event) -> None:
    """Begins the steps anew with a trigger that came again. The entry, its arm and its goal's window stay;
    what was wanted and has not gone is withdrawn."""
    withdraw(work, run, Held.RESTARTED)
    run.round, run.step, run.wake_at, run.left_us = run.round + 1, 0, None, None
    run.done.clear()
    run.trigger = trigger.properties
    facts = {**about(run), "round": run.round, "trigger": trigger.name, "trigger_at": trigger.at}
    work.emit(FactName.CAMPAIGN_RESTARTED, facts)
    advance(work, run, course)


def exits(work: Work, _event: Event | None = None, _watch: Watch | None = None) -> None:
    """Ends the runs that were to end on leaving one of the segments just left."""
    if not work.left:
        return
    for run in work.record.runs:
        course = None if run.finished else work.plan.walked(run)
        if course and course.campaign.exit_leaves in work.left:
            leave(work, run, Exit.LEFT_SEGMENT, {"segment": course.campaign.exit_leaves})
    work.left = ()


def fits(match: Match | None, event: Event, run: Run, record: Record) -> bool:
    """Whether the event passes what the match says by references to this run."""
    return not (match and match.referring) or compares(match.referring, event, run, record)


def waits(work: Work, event: Event, watch: Watch) -> None:
    """Lets the runs go on that were waiting for this event, strictly after their wait began."""
    if not watch.waits:
        return
    for run in work.record.runs:
        if not _waits(run) or (run.campaign, run.walks or run.version) not in watch.waits:
            continue
        course = work.plan.walked(run)
        until = course.until(run.variant, run.step) if course else None
        after = (event.at, event.seq) > (run.since_at, run.since_seq)
        if course and until and after and until.takes(event) and fits(until, event, run, work.record):
            _ended(work, run, course)


def _waits(run: Run) -> bool:
    return run.wake_at is not None or run.left_us is not None


def _ended(work: Work, run: Run, course: Course) -> None:
    """What the run waits for has come; one that stands still goes on as soon as its campaign does."""
    if run.left_us is None:
        go_on(work, run, course)
    else:
        run.left_us = 0


def wakes(work: Work) -> None:
    """Lets the runs go on whose wait is over by time."""
    for run in work.record.runs:
        if run.wake_at is not None and run.wake_at <= work.now:
            course = work.plan.walked(run)
            if course is None:
                raise KeyError(
                    f"{run.campaign} version {run.walks or run.version} is walked but not in the plan"
                )
            go_on(work, run, course)


def forget(record: Record, now: Instant) -> None:
    """Drops the runs whose steps and goal are over, unless a message of theirs is not out yet."""
    waited_for = {one.run for one in record.sends if one.state in ("wanted", "sending")}
    record.runs = [
        run
        for run in record.runs
        if not run.finished
        or now <= max(run.goal_until, run.watched_until) + GRACE_US
        or run.id in waited_for
    ]
