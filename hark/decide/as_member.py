"""A group's message as it comes to a member: whether it is for them, and may be said to them."""

from __future__ import annotations

from hark.clock import derived_id
from hark.decide.holdouts import in_global_control
from hark.decide.leaving import chosen, wanted
from hark.decide.limits import Withhold
from hark.decide.members import read
from hark.decide.messages import offer, withhold
from hark.decide.reasons import Held
from hark.decide.watch import Watch
from hark.decide.work import Work
from hark.definitions.group_campaigns import sends
from hark.definitions.types import Send
from hark.model import GROUP_MESSAGE, Event


def asked(work: Work, event: Event, _watch: Watch) -> None:
    """Wants the message for this member, if it is for them at all; our own people are never meant."""
    if event.name != GROUP_MESSAGE:
        return
    said = read(event.properties)
    course = work.plan.course(said.campaign, said.walks)
    step = next((one for one in sends(course.campaign) if one.id == said.step), None) if course else None
    if course is None or step is None or not _meant(work, step):
        return
    message = derived_id(said.message, work.record.subject)
    sent = wanted(work, course, message, chosen(work, course, step), said.expires)
    sent.run, sent.arm, sent.step, sent.version = said.run, said.arm, said.step, said.version
    sent.of_group = said.of_group
    if any(one.message == sent.message for one in work.record.sends):
        return
    if not sent.transactional and in_global_control(work.record, work.plan.holdouts, work.now):
        withhold(work, sent, Withhold(Held.GLOBAL_CONTROL, {}))
        return
    more = {"sender": step.sender} if step.sender else {}
    offer(work, sent, {"data": step.data, "group": said.group, "event": said.event, **more})


def _meant(work: Work, step: Send) -> bool:
    internal = work.plan.internal
    if internal is not None and internal.met(work.record, work.now):
        return False
    return step.to is None or step.to.met(work.record, work.now)
