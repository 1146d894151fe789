"""What can be asked: each kind's question, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Struct

from hark.clock import instant, moment
from hark.definitions.questions import ASKS, read_question
from hark.definitions.subjects import group_of
from hark.definitions.types import Segment
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.history.runs import Ints, Run
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK, Instant
from hark.questions.allocation import AllocationQuestion, allocation
from hark.questions.attention import AttentionQuestion, attention
from hark.questions.authors import AuthorsQuestion, authors
from hark.questions.behaviour import SavedQuestion, StoppedQuestion, asked, saved, stopped, whom
from hark.questions.calendar import CalendarQuestion, ask_calendar
from hark.questions.champions import ChampionsQuestion, ReferralsQuestion, champions, referrals
from hark.questions.content import ContentQuestion, PagesQuestion, content, pages
from hark.questions.digest import DigestQuestion, digest
from hark.questions.effects import EffectsQuestion, learned
from hark.questions.engagement import EngagementQuestion, engagement, steps_of
from hark.questions.estimates import EstimatesQuestion, estimates
from hark.questions.events import EventsQuestion, events
from hark.questions.hypotheses import HypothesesQuestion, hypotheses
from hark.questions.journeys import JourneyQuestion, journey
from hark.questions.migration import MigrationQuestion, migration
from hark.questions.pace import PaceQuestion, PacesQuestion, pace, paces
from hark.questions.programmes import ProgrammeQuestion, programme
from hark.questions.segments import SEGMENT_KINDS
from hark.questions.signals import GradesQuestion, MomentsQuestion, SignalsQuestion, grades, moments, signals
from hark.questions.subjects import reports_of
from hark.questions.subscriptions import SubscriptionsQuestion, subscriptions
from hark.questions.surveys import SurveyQuestion, survey
from hark.questions.ties import TiesQuestion, ties
from hark.questions.worth import WorthQuestion, worth
from hark.store.state import StateReader

if TYPE_CHECKING:
    from hark.learn.situations import Asked
    from hark.questions.desk import Desk
    from hark.understand.people import People


class ReportQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign changed; `version` None: the newest that somebody entered."""

    campaign: str
    version: int | None = None
    by_segment: bool = False
    """With the effect among those who were in each segment when they entered."""
    by_level: str = ""
    """With the effect at each level of this engagement definition, or of the stages: purchase."""


class ReportsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """What each campaign changed, all at once."""


class ActivityQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of customers by day, in the workspace's zone, the last of them today."""

    days: int = 30


class BacktestQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`documents` ({"kind", "name", "body"}) stand in for those in force, or beside them."""

    campaign: str
    documents: list[JSON] = []
    since: str | None = None
    """Entries from this date, or time with a zone, on; None: from the history's beginning."""
    until: str | None = None
    """Entries before it; None: to the history's end."""
    everybody: bool = False
    """As if everybody could be reached, and topics had to be left rather than joined."""


_SPAN = re.compile("([0-9]{1,9})([mhdw])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def span_us(text: str) -> int:
    """ "30m", "6h", "7d" or "2w" in microseconds. Raises HarkError `question.span`."""
    found = _SPAN.fullmatch(text)
    if not found or not int(found[1]):
        raise HarkError(f"{text!r} is no length of time", "write 30m, 6h, 7d or 2w", "question.span")
    return int(found[1]) * _UNITS[found[2]]


def known_as(state: StateReader, subject: int) -> str:
    """The id a person would know the customer by: a userId, else an anonymousId, else "#12"."""
    ids = state.ids(subject)
    users = [value for kind, value in ids if kind == "user"]
    return next(iter(users or [value for _, value in ids]), f"#{subject}")


def report(desk: Desk, asked: ReportQuestion, snapshot: Snapshot) -> JSON:
    """`learn.report.Report` as plain data; our own people are in no comparison."""
    from hark.learn.report import report as learn_report

    versions = desk.state.versions("campaign", asked.campaign)
    if not versions:
        raise HarkError(f"no campaign {asked.campaign}", "see `hark export`", "campaign.unknown")
    group = group_of(versions[-1])
    people, now = whom(desk, snapshot, group), desk.clock.now()
    if group and asked.by_level:
        raise HarkError("levels are of customers, not of groups", "ask by segment", "report.level")
    segments = situations(desk, people, group) if asked.by_segment else ()
    levels = steps_of(desk, people, asked.by_level) if asked.by_level else None
    return learn_report(people, versions, now, asked.version, desk.zone, segments, levels).to_json()


def situations(desk: Desk, people: People, group: str = "") -> list[Asked]:
    """Every segment in force (of groups of this type), with the pace tables of today. Raises HarkError
    `segment.none`."""
    from hark.learn.situations import Asked
    from hark.questions.segments import in_force
    from hark.understand.pace import compared

    since = {one.name: one.applied_at for one in desk.state.documents() if one.kind == "segment"}
    found = [one for one in in_force(desk) if isinstance(one, Segment) and one.group == group]
    if not found:
        hint = "a segment document says in which situation people are"
        raise HarkError("there is no segment to ask the effect for", hint, "segment.none")
    now = desk.clock.now()
    return [Asked(one.name, compared(people, one.where, now), since[one.name]) for one in found]


def reports(desk: Desk, _asked: ReportsQuestion, snapshot: Snapshot) -> JSON:
    """{campaign: its report}: as `report`, of all campaigns in force, the history read once."""
    names = [one.name for one in desk.state.documents() if one.kind == "campaign"]
    versions = {name: desk.state.versions("campaign", name) for name in names}
    found = reports_of(desk, snapshot, versions, desk.clock.now())
    return {name: one.to_json() for name, one in found.items()}


def backtest(desk: Desk, asked: BacktestQuestion, snapshot: Snapshot) -> JSON:
    """`learn.backtest.answer.Backtest` as plain data."""
    # Late: all that decides is loaded for it, as in the engine.
    from hark.questions.backtest import ask_backtest

    return ask_backtest(desk, asked, snapshot)


def activity(desk: Desk, asked: ActivityQuestion, snapshot: Snapshot) -> JSON:
    """{"days": [{"day": "2026-03-01", "events": 12}]}, the last of them today."""
    if not 1 <= asked.days <= 400:
        raise HarkError(f"{asked.days} days", "ask for 1 to 400", "question.wrong")
    edges = day_edges(desk.clock.now(), asked.days, ZoneInfo(desk.zone))
    counts = np.zeros(asked.days, np.int64)
    for bucket in range(snapshot.buckets):
        for run in snapshot.runs(bucket):
            counts += _counted(run, np.array([instant(edge) for edge in edges], np.int64))
    days = [{"day": f"{edge:%Y-%m-%d}", "events": int(n)} for edge, n in zip(edges, counts, strict=False)]
    return {"days": days}


def day_edges(now: Instant, days: int, zone: ZoneInfo) -> list[datetime]:
    """The beginnings of the last `days` days and of tomorrow, at midnight in the zone."""
    today = moment(now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=days - 1 - number) for number in range(days + 1)]


def _counted(run: Run, edges: Ints) -> Ints:
    """Active events of a run between each edge and the next."""
    counts = np.zeros(len(edges) - 1, np.int64)
    for first, last in run.kept.tolist():
        at = run.at[first:last][run.active[first:last]]
        place = np.searchsorted(edges, at, side="right") - 1
        inside = place[(place >= 0) & (place < len(counts))]
        counts += np.bincount(inside, minlength=len(counts))
    return counts


Answer: TypeAlias = "Callable[[Desk, Any, Snapshot], JSON]"
KINDS: dict[str, tuple[type[Struct], Answer]] = {
    "question": (SavedQuestion, saved),
    "stopped": (StoppedQuestion, stopped),
    **SEGMENT_KINDS,
    "report": (ReportQuestion, report),
    "reports": (ReportsQuestion, reports),
    "activity": (ActivityQuestion, activity),
    "allocation": (AllocationQuestion, allocation),
    "effects": (EffectsQuestion, learned),
    "pace": (PaceQuestion, pace),
    "paces": (PacesQuestion, paces),
    "backtest": (BacktestQuestion, backtest),
    "migration": (MigrationQuestion, migration),
    "engagement": (EngagementQuestion, engagement),
    "hypotheses": (HypothesesQuestion, hypotheses),
    "worth": (WorthQuestion, worth),
    "subscriptions": (SubscriptionsQuestion, subscriptions),
    "authors": (AuthorsQuestion, authors),
    "digest": (DigestQuestion, digest),
    "estimates": (EstimatesQuestion, estimates),
    "attention": (AttentionQuestion, attention),
    "content": (ContentQuestion, content),
    "pages": (PagesQuestion, pages),
    "ties": (TiesQuestion, ties),
    "champions": (ChampionsQuestion, champions),
    "referrals": (ReferralsQuestion, referrals),
    "survey": (SurveyQuestion, survey),
    "calendar": (CalendarQuestion, ask_calendar),
    "journey": (JourneyQuestion, journey),
    "programme": (ProgrammeQuestion, programme),
    "signals": (SignalsQuestion, signals),
    "grades": (GradesQuestion, grades),
    "moments": (MomentsQuestion, moments),
    "events": (EventsQuestion, lambda desk, asked, _: events(desk, asked)),
}


def read(question: JSON, zone: str) -> tuple[Answer, Struct]:
    """What computes the answer, and the typed question. Raises HarkError `question.wrong`."""
    known = (*ASKS, *KINDS)
    if not isinstance(question, dict) or len(question) != 1 or not set(known) & question.keys():
        raise HarkError("that is no question", f"ask one of: {', '.join(known)}", "question.wrong")
    ((kind, body),) = question.items()
    if kind in ASKS:
        return asked, read_question(kind, body, zone)
    type_, answer = KINDS[kind]
    try:
        return answer, msgspec.convert(body, type_)
    except msgspec.ValidationError as error:
        hint = f"it has {', '.join(type_.__struct_encode_fields__)}"
        raise HarkError(f"{kind}: {error}", hint, "question.wrong") from None
