"""What leaves by a step of a run: a message, by the first channel that the customer accepts and can be
reached by; a call of another system; a task for the team. In the control each is withheld at its moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from hark.clock import derived_id
from hark.decide import rules
from hark.decide.catalogue import pick
from hark.decide.course import Course
from hark.decide.limits import Withhold
from hark.decide.members import addressed
from hark.decide.messages import offer, withhold
from hark.decide.reasons import Held
from hark.decide.references import bound, found
from hark.decide.waiting import days_later
from hark.decide.work import Work
from hark.definitions.contents import Content
from hark.definitions.references import refers
from hark.definitions.types import Send, Task, Webhook
from hark.model import DAY, JSON, FactName, Instant, Run, Sent
from hark.understand.conditions.acquainted import ACQUAINTED


def send(work: Work, run: Run, course: Course, step: Send, entering: bool) -> None:
    """A message to the customer, or to members of the group. `entering`: all but timing was asked of them a
    moment ago."""
    if step.members:
        to_members(work, run, course, step)
        return
    channel, template = chosen(work, course, step)
    expires = None if step.expires_us is None else work.now + step.expires_us
    sent = _sent(work, run, course, step.id, channel, template, expires)
    said = {"data": step.data} | ({"sender": step.sender} if step.sender else {})
    if step.content is not None:
        item = pick(work, step.content, run)
        if isinstance(item, Withhold):
            run.done = [*run.done, step.id]
            withhold(work, sent, item)
            return
        said |= {"item": item.shown()}
        _bring(sent, item)
    known = entering and course.first_channels == {channel}
    _go(work, run, sent, said, known)


def _bring(sent: Sent, item: Content) -> None:
    """The message brings the item, and is worth sending only while that is offered."""
    sent.content = item.name
    if item.ends is not None:
        sent.expires_at = min(item.ends, sent.expires_at or item.ends)


def would_send(work: Work, course: Course, step: Send) -> Sent:
    """The message that a send would want now, of no run."""
    channel, template = chosen(work, course, step)
    due, about = work.now, course.campaign
    return Sent(
        "", "", course.name, template, about.topic or "", channel, due, "wanted", due,
        transactional=about.transactional, version=course.version,
    )  # fmt: skip


def tell(work: Work, run: Run, course: Course, step: Webhook, _entering: bool) -> None:
    """Another system is told."""
    sent = _sent(work, run, course, step.id, "webhook", "")
    body = {} if step.body is None else {"body": bound(step.body, run, work.record)}
    _go(work, run, sent, {"data": None, "sender": step.sender, **body})


def ask(work: Work, run: Run, course: Course, step: Task, _entering: bool) -> None:
    """People of ours are asked to do something."""
    sent = _sent(work, run, course, step.id, "task", "")
    said: dict[str, JSON] = {"data": None, "for": step.team, "says": step.says}
    _go(work, run, sent, said | _assigned(work, run, step) | _until(work, step))


def _assigned(work: Work, run: Run, step: Task) -> dict[str, JSON]:
    """Whose it is, as the console's accounts are called, and by which reference they were found."""
    if not refers(step.assignee):
        return {"assignee": step.assignee.lower()} if step.assignee else {}
    named = found(step.assignee, run, work.record)
    whose = named.strip().lower() if isinstance(named, str) else ""
    return {"assignee": whose, "assigned_by": step.assignee}


def _until(work: Work, step: Task) -> dict[str, JSON]:
    """Whole days end at the same time of day, over a change of clocks too."""
    if step.due_us is None:
        return {}
    days, rest = divmod(step.due_us, DAY)
    return {"due_by": days_later(work.now, days, ZoneInfo(step.zone)) + rest}


def chosen(work: Work, course: Course, step: Send) -> tuple[str, str]:
    """(channel, template): the first by which nothing stands against it now; if there is none, the first."""
    ways = step.ways
    if len(ways) == 1:
        return ways[0]
    return next((way for way in ways if _accepts(work, course, way[0])), ways[0])


def _accepts(work: Work, course: Course, channel: str) -> bool:
    """Whether the customer can be reached by the channel and has agreed to be."""
    if not rules.address(work.record, channel) or rules.suppressed(work.record, channel) is not None:
        return False
    topic = course.campaign.topic
    free = course.campaign.transactional or topic is None
    return free or rules.lacking_consent(work, topic or "", channel) is None


def _sent(
    work: Work,
    run: Run,
    course: Course,
    step: str,
    channel: str,
    template: str,
    expires: Instant | None = None,
) -> Sent:
    message = derived_id("message", *_place(run, step))
    sent = wanted(work, course, message, (channel, template), expires)
    sent.run, sent.arm, sent.step, sent.version = run.id, run.arm, step, course.version
    return sent


def wanted(work: Work, course: Course, message: str, way: tuple[str, str], expires: Instant | None) -> Sent:
    """A message of the campaign, wanted now, by (channel, template); of which run its caller says."""
    about = course.campaign
    return Sent(
        message=message,
        run="",
        campaign=course.name,
        template=way[1],
        topic=about.topic or "",
        channel=way[0],
        wanted_at=work.now,
        state="wanted",
        due_at=work.now,
        expires_at=expires,
        transactional=about.transactional,
    )


def _place(run: Run, step: str) -> Iterator[JSON]:
    """What makes the message's id: the run and its step; of another version a step without a name of its own
    is another one."""
    yield from (run.id, step)
    if run.walks and not named(step):
        yield f"version {run.walks}"
    if run.round:
        yield run.round


def named(id: str) -> bool:
    """Whether an author gave the id; other steps are called by their place."""
    return not id[:1].isdigit()


def _go(work: Work, run: Run, sent: Sent, said: Mapping[str, JSON], cleared: bool = False) -> None:
    repeats, run.done = sent.step in run.done, [*run.done, sent.step]
    if run.shadow:
        fact = withhold(work, sent, Withhold(Held(run.arm), {}))
        if sent.content:  # the next step of this moment chooses another one, as it would for the treated
            kept = work.record.summaries
            kept[ACQUAINTED.key] = ACQUAINTED.fold(kept.get(ACQUAINTED.key), fact)
    elif repeats:
        withhold(work, sent, Withhold(Held.ALREADY_DONE, {}))
    else:
        offer(work, sent, said, cleared)


def to_members(work: Work, run: Run, course: Course, step: Send) -> None:
    """A message to members of the group, each of whose own rules are asked once it comes to them."""
    channel, template = step.ways[0]
    expires = None if step.expires_us is None else work.now + step.expires_us
    sent = _sent(work, run, course, step.id, channel, template, expires)
    repeats, run.done = step.id in run.done, [*run.done, step.id]
    in_force = work.plan.current.get(course.name)
    if run.shadow:
        withhold(work, sent, Withhold(Held(run.arm), {}))
    elif repeats:
        withhold(work, sent, Withhold(Held.ALREADY_DONE, {}))
    elif in_force is None or in_force.campaign.paused:
        withhold(work, sent, Withhold(Held.PAUSED, {}))
    else:
        work.emit(FactName.MEMBERS_ADDRESSED, addressed(work.record, run, sent, step))
