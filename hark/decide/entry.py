"""Entering a campaign: the trigger, the rules of re-entry, eligibility, the draw, the first steps."""

from __future__ import annotations

import msgspec

from hark.clock import derived_id
from hark.decide.assignment import Draw, draw, drawn_by
from hark.decide.course import Course
from hark.decide.goals import awaited, watched_until
from hark.decide.holdouts import CONTROL, NEVER_COMPARED
from hark.decide.reasons import Refusal
from hark.decide.rules import Values, refused
from hark.decide.runs import about, advance, restart
from hark.decide.watch import Watch
from hark.decide.work import Work
from hark.model import JSON, Entry, Event, Exposure, FactName, ProgrammeArm, Record, Run
from hark.understand.operators import value_at

MOST_ENTRIES = 512
"""How many (campaign, key) a record remembers as entered; the oldest are forgotten beyond."""


MOST_GATHERED = 100
"""How many triggers that came again a run keeps; the oldest are forgotten beyond."""
UNSAID = (Refusal.PAUSED, Refusal.OUT_OF_DATES, Refusal.NOT_IN_AUDIENCE, Refusal.INTERNAL)
"""What is not written down where a campaign starts at a time, hence for everybody, again and again."""


class Crossing(msgspec.Struct, frozen=True):
    """What is read of a `Segment Entered` fact."""

    segment: str
    backfill: bool = False


class Change(msgspec.Struct, frozen=True, rename={"before": "from"}):
    """What is read of a `Level Changed` or `Stage Changed` fact."""

    to: str | None
    before: str | None
    engagement: str = ""
    stage: str = ""
    backfill: bool = False

    @property
    def of(self) -> str:
        """The definition's name."""
        return self.engagement or self.stage


class Call(msgspec.Struct, frozen=True):
    """What is read of a `Campaign Triggered`."""

    data: msgspec.Raw = msgspec.Raw()


_crossing = msgspec.json.Decoder(Crossing)
_change = msgspec.json.Decoder(Change)
_call = msgspec.json.Decoder(Call)


def triggers(work: Work, event: Event, watch: Watch) -> None:
    """Considers an entry into each campaign that the event triggers. What was imported starts nothing."""
    if work.imported:
        return
    for course in watch.triggers:
        if course.starts_when and course.starts_when.takes(event):
            consider(work, course, _said(course, event))
    if watch.enters:
        crossing = _crossing.decode(event.properties)
        for course in work.plan.entering(crossing.segment):
            if not crossing.backfill or course.campaign.trigger.existing:
                consider(work, course, event, "existing" if crossing.backfill else "")
    if watch.levels:
        change = _change.decode(event.properties)
        if not change.backfill:
            for course in work.plan.levels.started(change.of, change.before, change.to):
                consider(work, course, event)


def _said(course: Course, event: Event) -> Event:
    """What started it; of a call what the caller gave with it, to which the run refers."""
    if not course.campaign.trigger.api:
        return event
    return msgspec.structs.replace(event, properties=bytes(_call.decode(event.properties).data) or b"{}")


def consider(work: Work, course: Course, trigger: Event, batch: str = "") -> None:
    """Enters the customer, or writes why not."""
    key = key_of(course, trigger)
    if course.campaign.on_retrigger != "ignore" and came_again(work, course, key, trigger):
        return
    entry = work.record.entries.get(entry_key(course, key))
    again = entry and may_not_again(work, course, key, entry)
    if entry and again:
        if not entry.told:
            entry.told = True
            decline(work, course, trigger, *again)
        return
    no = refused(work, course, trigger)
    if no:
        if no[0] not in UNSAID or course.campaign.trigger.timed is None:
            decline(work, course, trigger, *no)
    else:
        enter(work, course, trigger, key, batch)


def came_again(work: Work, course: Course, key: str, trigger: Event) -> bool:
    """Whether a run of this key is live, and now has the trigger that came again.

    It is added to those the run has (`gather`); or the steps begin anew with it (`restart`), in the version
    that the run walks. A stale trigger, and one after the goal's window, leaves the run as it is.
    """
    run = _live(work, course, key)
    walked = work.plan.walked(run) if run else None
    if run is None or walked is None or work.age > course.campaign.fresh_us:
        return False
    if course.campaign.on_retrigger == "gather":
        run.gathered = [*run.gathered, trigger.properties][-MOST_GATHERED:]
        work.moved = True
    elif walked.goal is None or work.now <= run.goal_until:
        restart(work, run, walked, trigger)
    return True


def _live(work: Work, course: Course, key: str) -> Run | None:
    live = (run for run in work.record.runs if not run.finished and run.campaign == course.name)
    return next((run for run in live if run.key == key), None)


def entry_key(course: Course, key: str) -> str:
    """Under what an entry is remembered: who went through a rehearsal has not entered the campaign."""
    return f"{course.name}{REHEARSED if course.campaign.rehearsal else ''}/{key}"


REHEARSED = "~rehearsal"


def key_of(course: Course, trigger: Event) -> str:
    """The key under which at most one run is live: a property of the trigger; "" without one."""
    path = course.campaign.key
    if path is None:
        return ""
    value = value_at(tuple(path.split(".")), msgspec.json.decode(trigger.properties))
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def may_not_again(work: Work, course: Course, key: str, entry: Entry) -> tuple[Refusal, Values] | None:
    """Whether a live run, or the re-entry rule, stands against another entry under this key."""
    run = _live(work, course, key)
    if run is not None:
        return Refusal.ALREADY_RUNNING, {"run": run.id, "since": run.entered_at}
    after = course.campaign.reenter_us
    if after is None:
        return Refusal.ALREADY_ENTERED, {"last": entry.at, "again": None}
    if work.now < entry.at + after:
        return Refusal.ALREADY_ENTERED, {"last": entry.at, "again": entry.at + after}
    return None


def decline(work: Work, course: Course, trigger: Event, reason: Refusal, values: Values) -> None:
    facts = {"campaign": course.name, "version": course.version, "reason": reason, "values": values}
    work.emit(FactName.NOT_ELIGIBLE, {**facts, "trigger": trigger.name, "trigger_at": trigger.at})


def enter(work: Work, course: Course, trigger: Event, key: str, batch: str) -> None:
    """Draws, writes the exposure of every arm alike, and walks the first steps."""
    record = work.record
    times = occurrence(course, trigger)
    drawn = draw(record, course, work.plan.holdouts, work.now, times)
    if drawn.programme:
        qualified(work, course, drawn.programme)
    run = Run(
        id=derived_id("run", course.name, record.subject, key, times),
        campaign=course.name,
        version=course.version,
        key=key,
        occurrence=times,
        arm=drawn.arm,
        variant=drawn.variant,
        shadow=drawn.shadow,
        entered_at=work.now,
        entered_seq=0,
        goal_until=course.goal_until(work.now),
        trigger=trigger.properties,
        judging=awaited(course.pursued, work.now),
        watched_until=watched_until(course.pursued, work.now),
    )
    first = expose(record, _exposure(run, drawn, record.last_seq + 1))
    facts: dict[str, JSON] = {
        **about(run),
        "variant": drawn.variant,
        "share": drawn.share,
        "propensity": drawn.propensity,
        "carried": drawn.carried,
        "first": first,
        "key": key,
        "assignment_key": drawn_by(record, course),
        "batch": batch or (str(drawn.batch) if drawn.batch else ""),
        "trigger": trigger.name,
        "trigger_at": trigger.at,
    }
    run.entered_seq = work.emit(FactName.CAMPAIGN_ENTERED, facts).seq
    record.runs.append(run)
    remember_entry(record, entry_key(course, key), Entry(work.now))
    advance(work, run, course, entering=True)


def qualified(work: Work, course: Course, drawn: ProgrammeArm) -> None:
    """The exposure to a programme, written for both arms alike when a customer first qualifies for it."""
    programme = course.campaign.programme
    facts = {"programme": programme, "version": drawn.version, "arm": drawn.arm, "share": drawn.share}
    propensity = drawn.share if drawn.arm == CONTROL else 1 - drawn.share
    more = {"propensity": propensity, "campaign": course.name, "assignment_key": work.record.key}
    work.emit(FactName.PROGRAMME_ENTERED, {**facts, **more})


def occurrence(course: Course, trigger: Event) -> str:
    """Which of a customer's entries this is: the only one, the trigger's message, the instant of entering."""
    if course.campaign.rehearsal:
        return f"{REHEARSED}/{course.version}/{trigger.message_id or trigger.at}"
    if course.campaign.reenter_us is None:
        return "0"
    return trigger.message_id if course.starts_when is not None else str(trigger.at)


def _exposure(run: Run, drawn: Draw, seq: int) -> Exposure:
    return Exposure(
        run.campaign, run.version, run.arm, run.entered_at, seq, run.id, 1, run.entered_at,
        drawn.share, drawn.propensity, drawn.batch,
    )  # fmt: skip


def expose(record: Record, new: Exposure) -> bool:
    """Keeps the first entry into this version's comparison; whether this is it.

    An entry in the global or a programme's control is in no comparison, so that a later one, drawn, is it.
    """
    for place, old in enumerate(record.exposures):
        if (old.campaign, old.version) == (new.campaign, new.version):
            if old.arm in NEVER_COMPARED and new.arm not in NEVER_COMPARED:
                record.exposures[place] = new
                return True
            old.entries += 1
            old.last_at = new.at
            return False
    record.exposures.append(new)
    return True


def remember_entry(record: Record, key: str, entry: Entry) -> None:
    record.entries[key] = entry
    if len(record.entries) > MOST_ENTRIES:
        del record.entries[min(record.entries, key=lambda one: record.entries[one].at)]
