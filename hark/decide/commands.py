"""What the team or the engine tells one subject's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hark.decide import asked, standstill
from hark.decide.entry import consider
from hark.decide.membership import ask
from hark.decide.migration import migrate
from hark.decide.reasons import Why
from hark.decide.record import decode
from hark.decide.suppressions import EVERYTHING, bar, lift, tell, tell_release
from hark.decide.work import SOURCE, Work
from hark.errors import HarkError
from hark.model import JSON, Command, Event, FactName, Kind
from hark.understand.conditions import answers


def obey(work: Work, command: Command) -> None:
    """Carries the command out. Raises HarkError `decide.command` for a name it does not know."""
    act = COMMANDS.get(command.name)
    if act is None:
        raise HarkError(f"{command.name!r} is no command", f"known: {', '.join(COMMANDS)}", "decide.command")
    act(work, command.data or {})


def backfill(work: Work, data: Mapping[str, Any]) -> None:
    """Sets `summaries` from history and asks every segment again, for definitions that are new.

    Who is found inside has not just entered: the facts carry `backfill: true`, and start runs only of
    campaigns with `existing: yes`, as the batch "existing". Summaries of no definition are dropped.
    """
    work.backfill = True
    refold(work, data)


def refold(work: Work, data: Mapping[str, Any]) -> None:
    """Sets `summaries` from history after a merge: what changes by it has changed now.

    With `imported: true` it starts no run, as the import that caused it.
    """
    work.imported = bool(data.get("imported"))
    record, plan = work.record, work.plan
    record.summaries |= data.get("summaries") or {}
    record.summaries = {key: value for key, value in record.summaries.items() if key in plan.leaf_keys}
    for name in [name for name in record.members if name not in plan.segments]:
        del record.members[name]
    ask(work, plan.segments.values())


def existing(work: Work, data: Mapping[str, Any]) -> None:
    """Lets the customer into a new `campaign` with `existing: yes`, if inside its segment already."""
    course = work.plan.current.get(data["campaign"])
    if course is None or not course.campaign.trigger.existing:
        return
    segment = course.campaign.trigger.enters
    if segment in work.record.members:
        consider(work, course, _inside(work, segment), "existing")


def arm(work: Work, _data: Mapping[str, Any]) -> None:
    """Finds anew when campaigns start by time alone, since there are new ones."""
    work.arming = work.moved = True


def _inside(work: Work, segment: str) -> Event:
    """Stands in for the entry into the segment, as the run's trigger."""
    at, seq = work.now, work.record.last_seq
    return Event(
        work.record.subject, at, seq, FactName.SEGMENT_ENTERED.value, Kind.FACT.value, SOURCE, "", at, at, at,
        properties=msgspec.json.encode({"segment": segment}),
    )  # fmt: skip


def part(work: Work, data: Mapping[str, Any]) -> None:
    """Puts the `record` built from history in place of the one that held two customers, a merge having been
    undone. It starts no run; runs end as they do where a segment is left."""
    now = work.now
    work.record = decode(data["record"])
    work.record.now = now
    work.imported = work.moved = work.arming = True
    ask(work, work.plan.segments.values())


def suppress(work: Work, data: Mapping[str, JSON]) -> None:
    """The `address`, or without one the customer, must not be written to from now on, and `why`."""
    why, source, detail = (str(data.get(name) or "") for name in ("why", "source", "detail"))
    bar(work, str(data.get("address") or EVERYTHING), why or Why.TEAM, source, detail)


def unsuppress(work: Work, data: Mapping[str, JSON]) -> None:
    """The `address`, or without one the customer, may be written to again."""
    lift(work, str(data.get("address") or EVERYTHING))


def left(work: Work, data: Mapping[str, Any]) -> None:
    """Whoever reads the customer's `address` has left the `topic` on the `channel` (`listed`: as it stands in
    the suppression list). The fact that says so changes the answers."""
    one = data["listed"]
    said = (one["topic"], one["source"], one["detail"], one["since"])
    if answers.left(work.record.consents, one["topic"], data["channel"], one["since"], *said[1:3]):
        tell(work, data["address"], Why.UNSUBSCRIBED, *said)


def back(work: Work, data: Mapping[str, Any]) -> None:
    """Whoever reads the customer's `address` has taken it back, by the `source` that had said it."""
    if answers.taken_back(work.record.consents, data["channel"], data["source"], work.now):
        tell_release(work, data["address"], Why.UNSUBSCRIBED, source=data["source"])


COMMANDS: Mapping[str, Callable[[Work, Mapping[str, Any]], None]] = {
    "backfill": backfill,
    "refold": refold,
    "existing": existing,
    "arm": arm,
    "part": part,
    "suppress": suppress,
    "unsuppress": unsuppress,
    "left": left,
    "back": back,
    "migrate": migrate,
    "stand": standstill.stand,
    "go_on": standstill.go_on,
    "message": asked.message,
    "report": asked.report,
}
