"""What a week was like, as a question: people, verdicts, steps that slowed, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hark.clock import instant, moment
from hark.definitions.asked import Funnel, Lifecycle
from hark.definitions.parse import definition
from hark.definitions.types import Question
from hark.history.reader import Snapshot
from hark.model import JSON, WEEK, Instant
from hark.questions.authors import campaigns, forecasts
from hark.questions.behaviour import whom
from hark.questions.subjects import reports_of
from hark.understand.funnel import ask_funnel
from hark.understand.lifecycle import ask_lifecycle
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.learn.report import Report
    from hark.questions.desk import Desk

MADE_DAILY = ("allocation", "effect", "pace", "signals")
"""Kinds that the day's work writes."""
SPAN_US = 4 * WEEK
"""Attempts of a funnel that are compared with as many before."""


class DigestQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: of the last whole week before this instant; None: now."""

    at: Instant | None = None


def digest(desk: Desk, asked: DigestQuestion, snapshot: Snapshot) -> JSON:
    """{"week": "2026-W48", "since", "until", "people": {"now", "before"}, "changes": [{"kind", "name",
    "version", "author", "note"}], "verdicts": [{"campaign", "word", "new", "says"}], "authors":
    [`learn.authors.Author`], "steps": [`learn.digest.Step`]}.

    Weeks begin on Monday in the workspace's zone; "people" are those of `understand.lifecycle`.
    """
    now = desk.clock.now() if asked.at is None else asked.at
    since, until = last_week(now, desk.zone)
    everybody = whom(desk, snapshot)
    return {
        "week": week_of(since, desk.zone),
        "since": since,
        "until": until,
        "people": _people(everybody, since, until, desk.zone),
        "changes": list(_changes(desk, since, until)),
        **_campaigns(desk, snapshot, until),
        "steps": list(_steps(desk, everybody, until)),
    }


def last_week(now: Instant, zone: str) -> tuple[Instant, Instant]:
    """The last whole week, Monday to Monday, before a moment."""
    local = moment(now).astimezone(ZoneInfo(zone))
    monday = (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return _instant(monday - timedelta(days=7)), _instant(monday)


def _instant(local: datetime) -> Instant:
    return instant(local.isoformat())


def week_of(at: Instant, zone: str) -> str:
    """ "2026-W48", of ISO 8601."""
    year, week, _ = moment(at).astimezone(ZoneInfo(zone)).isocalendar()
    return f"{year}-W{week:02}"


def _people(everybody: People, since: Instant, until: Instant, zone: str) -> JSON:
    """Lifecycle of the week and of the week before."""
    asked = Lifecycle(period="week", zone=zone, start=since - 2 * WEEK, end=until)
    found = ask_lifecycle(everybody, asked, until).periods
    named = {"now": found[-1] if found else None, "before": found[-2] if len(found) > 1 else None}
    return msgspec.to_builtins(named)


def _changes(desk: Desk, since: Instant, until: Instant) -> Iterator[JSON]:
    """What was put into force in the week, by people."""
    for one in sorted(desk.state.all_documents(), key=lambda one: one.applied_at):
        if since <= one.applied_at < until and one.kind not in MADE_DAILY:
            told = {"kind": one.kind, "name": one.name, "version": one.version}
            yield {**told, "author": one.author, "note": one.note}


def _campaigns(desk: Desk, snapshot: Snapshot, until: Instant) -> dict[str, JSON]:
    """What campaigns did, and how good their authors' forecasts were."""
    from hark.learn.authors import authors

    versions = campaigns(desk)
    now, before = (reports_of(desk, snapshot, versions, at) for at in (until, until - WEEK))
    scored = authors(forecasts(versions, now))
    return {"verdicts": list(_verdicts(now, before)), "authors": msgspec.to_builtins(scored)}


def _verdicts(now: Mapping[str, Report], before: Mapping[str, Report]) -> Iterator[JSON]:
    """The word of every campaign, those that are known first; `new`: it was another one a week before."""
    order = sorted(now, key=lambda name: (not now[name].verdict.known, name))
    for name in order:
        word, was = now[name].verdict.word, before[name].verdict.word
        says = next(iter(now[name].sentences), "")
        yield {"campaign": name, "word": word.value, "new": word != was, "says": says}


def _steps(desk: Desk, everybody: People, until: Instant) -> Iterator[JSON]:
    """Steps of saved funnels that lost people or time, else the slowest of each."""
    from hark.learn.digest import steps

    for document in desk.state.documents():
        typed = definition(document, desk.zone) if document.kind == "question" else None
        if not isinstance(typed, Question) or not isinstance(typed.asks, Funnel):
            continue
        end = until - (typed.asks.within_us or 0)
        asked = [
            _between(typed.asks, end - SPAN_US, end),
            _between(typed.asks, end - 2 * SPAN_US, end - SPAN_US),
        ]
        now, before = (ask_funnel(everybody, one, until) for one in asked)
        yield from map(msgspec.to_builtins, steps(document.name, now, before))


def _between(asked: Funnel, start: Instant, end: Instant) -> Funnel:
    return msgspec.structs.replace(asked, start=start, end=end, by=None, instead=False, trend=None)
