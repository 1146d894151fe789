"""A paused campaign that keeps its timers: runs stand still, and go on with what was left of their waits.

A pause that lets them pass needs nothing: waits end at their moments, and what they lead to is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hark.decide.limits import Withhold
from hark.decide.messages import described, withhold
from hark.decide.migration import live, standing_at
from hark.decide.reasons import Exit, Held
from hark.decide.runs import about, leave
from hark.decide.work import Work, whole_ms
from hark.model import FactName, Run, Sent


def stand(work: Work, data: Mapping[str, Any]) -> None:
    """The live runs of a `campaign` stand still from now on."""
    for run in live(work.record, data["campaign"]):
        if run.wake_at is not None:
            run.left_us, run.wake_at = max(0, run.wake_at - work.now), None
            work.moved = True
            _tell(work, FactName.CAMPAIGN_PAUSED, run, {"left_us": run.left_us})


def go_on(work: Work, data: Mapping[str, Any]) -> None:
    """The live runs of a `campaign` wait for what was left, and its messages go as soon as they may.

    A run whose wait would now end after its goal's window ends, as one that waits for a moment past it.
    """
    for run in live(work.record, data["campaign"]):
        if run.left_us is not None:
            _resume(work, run, run.left_us)
    for sent in [one for one in work.record.sends if one.stands and one.campaign == data["campaign"]]:
        _release(work, sent)


def _resume(work: Work, run: Run, left_us: int) -> None:
    ends = whole_ms(work.now + left_us)
    run.left_us, run.shifted, work.moved = None, True, True
    course = work.plan.walked(run)
    if course is not None and course.goal is not None and ends > run.goal_until:
        leave(work, run, Exit.TOO_LATE, {"until": ends})
        return
    run.wake_at = ends
    _tell(work, FactName.CAMPAIGN_RESUMED, run, {"until": ends})


def _release(work: Work, sent: Sent) -> None:
    run = next((one for one in work.record.runs if one.id == sent.run), None)
    sent.stands, sent.due_at = False, work.now
    course = work.plan.walked(run) if run else None
    if run and course and course.goal is not None and work.now > run.goal_until:
        work.record.sends.remove(sent)
        withhold(work, sent, Withhold(Held.PAUSED, {}))
        return
    facts = {"until": work.now, "reason": Held.RESUMED, "values": {}}
    work.emit(FactName.MESSAGE_DEFERRED, described(sent) | facts)


def _tell(work: Work, name: FactName, run: Run, facts: dict[str, Any]) -> None:
    course = work.plan.walked(run)
    step = standing_at(run, course) if course else ""
    work.emit(name, {**about(run), "step": step, **facts})
