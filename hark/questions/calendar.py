"""The attention calendar of the next days, as a question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.clock import instant
from hark.decide.ahead import Coming, Withheld, ahead
from hark.decide.course import Course
from hark.decide.limits import NOT_TO_CUSTOMERS
from hark.decide.plan import Plan
from hark.errors import HarkError
from hark.history.columns import micros
from hark.history.reader import Snapshot
from hark.history.watching import watching
from hark.learn.calendar import DAYS, LOOKED_BACK, Answered, calendar, expectation, midnights
from hark.model import DAY, JSON, FactName, Instant

if TYPE_CHECKING:
    from hark.questions.desk import Desk

MOST_DAYS = 31
MOST = 10_000
"""Customers whose timers are followed; of more every so manyth."""
READ = (FactName.CAMPAIGN_ENTERED.value, FactName.MESSAGE_SENT.value)


class CalendarQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """So many days, today the first of them."""

    days: int = DAYS


class Said(Struct, frozen=True, gc=False):
    """What is read of an entry and of a message."""

    campaign: str = ""
    run: str = ""
    channel: str = ""


def ask_calendar(desk: Desk, asked: CalendarQuestion, snapshot: Snapshot) -> JSON:
    """`learn.calendar.Calendar` as plain data. Raises HarkError `question.wrong`."""
    from hark.questions.kinds import known_as

    if not 1 <= asked.days <= MOST_DAYS:
        raise HarkError(f"{asked.days} days", f"ask for 1 to {MOST_DAYS}", "question.wrong")
    now, zone = desk.clock.now(), desk.zone
    plan = Plan.compile(desk.state.documents(), desk.state.all_documents(), zone)
    until = instant(midnights(now, asked.days, zone)[-1])
    subjects, every = _whom(desk, until)
    coming, withheld = _followed(desk, plan, subjects, max(until, now))
    expected = expectation(_answered(snapshot, now), *_rated(desk, plan, now), now, asked.days, zone)
    made = calendar(coming, withheld, expected, now, zone, len(subjects), every)
    busy = tuple(
        msgspec.structs.replace(one, customer=known_as(desk.state, one.subject)) for one in made.busiest
    )
    return msgspec.to_builtins(msgspec.structs.replace(made, busiest=busy))


def _whom(desk: Desk, until: Instant) -> tuple[list[int], int]:
    """Whose timers are followed, and of how many each stands for."""
    subjects = desk.state.due_before(until)
    every = -(-len(subjects) // MOST) or 1
    return (subjects if every == 1 else desk.state.due_before(until, every)), every


def _followed(
    desk: Desk, plan: Plan, subjects: list[int], until: Instant
) -> tuple[list[Coming], list[Withheld]]:
    coming: list[Coming] = []
    withheld: list[Withheld] = []
    for place, subject in enumerate(subjects):
        if place % 100 == 0:
            watching.get().bucket(place, len(subjects))
        record = desk.state.record(subject)
        if record is not None:
            came, held = ahead(record, plan, until)
            coming += came
            withheld += held
    return coming, withheld


def _rated(desk: Desk, plan: Plan, now: Instant) -> tuple[dict[str, Instant], dict[str, Instant | None]]:
    """Of each campaign in force that people enter by what they do: since when it takes them, and how long."""
    began: dict[str, Instant] = {}
    ends: dict[str, Instant | None] = {}
    for course in plan.current.values():
        if _open(course, now):
            first = min(one.applied_at for one in desk.state.versions("campaign", course.name))
            began[course.name] = max(now - LOOKED_BACK * DAY, first, course.campaign.starts or 0)
            ends[course.name] = course.campaign.ends
    return began, ends


def _open(course: Course, now: Instant) -> bool:
    one = course.campaign
    over = one.ends is not None and one.ends <= now
    return not (one.paused or one.rehearsal or over or one.trigger.timed is not None)


def _answered(snapshot: Snapshot, now: Instant) -> Iterator[Answered]:
    """The messages of the last weeks, with when their runs were entered."""
    since, read = now - LOOKED_BACK * DAY, msgspec.json.Decoder(Said)
    for bucket in range(snapshot.buckets):
        entered: dict[str, Instant] = {}
        sent: list[tuple[Said, Instant]] = []
        for rows in snapshot.rows(bucket, ("subject", "at", "name", "properties"), ("name",), _told):
            cells = (rows["name"].cast(pa.string()).to_pylist(), micros(rows["at"]).tolist())
            for name, at, text in zip(*cells, rows["properties"].to_pylist(), strict=True):
                if at < since:
                    continue
                said = read.decode(text)
                if name == FactName.CAMPAIGN_ENTERED:
                    entered[said.run] = at
                elif said.channel not in NOT_TO_CUSTOMERS:
                    sent.append((said, at))
        yield from (Answered(one.campaign, entered[one.run], at) for one, at in sent if one.run in entered)


def _told(rows: pa.Table) -> pa.Array:
    return pc.is_in(rows["name"].cast(pa.string()), pa.array(READ, pa.string()))
