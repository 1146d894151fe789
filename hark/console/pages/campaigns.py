"""Campaigns: what they do, and what they change."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import charts, saving
from hark.console.campaigns import CampaignLine, lines, standing, state_of, told, typed
from hark.console.pages.backtest import LaunchPage, listed
from hark.console.pages.definitions import saved_address
from hark.console.pages.errors import unavailable
from hark.console.pages.journey import JourneyPage, drawn
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.assignment import CONTROL
from hark.definitions import weak
from hark.definitions.document import Document
from hark.definitions.sentences import of_campaign
from hark.definitions.steps import every
from hark.definitions.turns import NOTES, turned
from hark.definitions.types import Campaign, Send
from hark.errors import HarkError
from hark.learn.compare import Interval
from hark.learn.report import Arm, Report
from hark.model import JSON, Instant


class CampaignsPage(Struct, frozen=True):
    campaigns: tuple[CampaignLine, ...]


class Stage(Struct, frozen=True):
    """One step on the way from entering to the goal, over all arms that were written to."""

    says: str
    customers: int
    share: float | None


class CampaignPage(Struct, frozen=True):
    """One campaign, as one of its versions."""

    name: str
    version: int
    versions: tuple[int, ...]
    state: str
    """Of the version in force, whichever is shown."""
    hypothesis: str
    expects: float | None
    sentence: str
    """What it does, in English."""
    warnings: tuple[str, ...]
    """What its goal rests on, where that tells little of staying."""
    control: float
    control_auto: bool
    control_why: str
    transactional: bool
    launch: LaunchPage | None
    """What to look at before it is started; None once it runs."""
    keeps_timers: bool
    """Paused so that whoever is on the way stands still."""
    ramp: float
    """The share of people who may enter."""
    templates: tuple[str, ...]
    """What it sends."""
    applied_at: Instant
    author: str
    note: str
    journey: JourneyPage
    """Its drawing; the counts come by an address of their own."""
    report: Report | None
    standing: str
    problem: str
    """Why there is no report; "" where there is one."""

    @property
    def counted(self) -> bool:
        """Whether there is anything to count: somebody entered, and messages went."""
        rehearsed = self.state == "rehearsal"
        return not rehearsed and any(arm.entered for arm in self._arms)

    @property
    def control_rate(self) -> float | None:
        return self._rate([arm for arm in self._arms if arm.arm == CONTROL])

    @property
    def treated_rate(self) -> float | None:
        """Of all who were not left alone, together."""
        return self._rate([arm for arm in self._arms if arm.arm != CONTROL])

    @property
    def _arms(self) -> tuple[Arm, ...]:
        return self.report.arms if self.report else ()

    @staticmethod
    def _rate(arms: Sequence[Arm]) -> float | None:
        complete = sum(arm.complete for arm in arms)
        return sum(arm.goals for arm in arms) / complete if complete else None

    @property
    def has_value(self) -> bool:
        return self.report is not None and any(arm.value is not None for arm in self.report.arms)

    @property
    def chart(self) -> JSON:
        """The lift as a plotly figure; None without an interval."""
        return charts.lift(self.report, self.shown) if self.report and self.shown else None

    @property
    def weeks(self) -> JSON:
        """The effect by week of entry as a figure; None under two weeks."""
        several = (
            self.counted
            and self.report is not None
            and sum(one.lift is not None for one in self.report.weeks) > 1
        )
        return charts.weeks(self.report) if self.report and several else None

    @property
    def days(self) -> JSON:
        """Goals by days since the entry as a figure; None where nobody counts or the window is one day."""
        several = (
            self.counted
            and self.report is not None
            and len(self.report.days) > 1
            and self.report.lift is not None
        )
        return charts.days(self.report) if self.report and several else None

    @property
    def shown(self) -> Interval | None:
        """The interval that the verdict rests on, or would: of the latest planned look, or of every look."""
        if self.report is None:
            return None
        return self.report.verdict.lift or self.report.always

    @property
    def off_by(self) -> float | None:
        """The measured lift less the author's forecast; None without either, or before it is decided."""
        decided = self.report is not None and self.report.verdict.lift is not None
        known = self.shown is not None and self.expects is not None and decided
        return self.shown.estimate - self.expects if known and self.shown and self.expects else None

    @property
    def stages(self) -> tuple[Stage, ...]:
        return stages(self.report) if self.report else ()


def index(request: HttpRequest) -> HttpResponse:
    """GET /campaigns"""
    return respond(request, "campaigns.html", CampaignsPage(tuple(lines(source()))))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME, with ?version=N for an older one."""
    versions = source().state.versions("campaign", name)
    asked = request.GET.get("version", "")
    if not versions or (asked and not any(str(one.version) == asked for one in versions)):
        raise Http404
    return respond(request, "campaign.html", campaign(source(), versions, int(asked) if asked else None))


def turn(request: HttpRequest, name: str, how: str) -> HttpResponse:
    """POST /campaigns/NAME/start, pause ...: the next version, as TURNS says."""
    versions = source().state.versions("campaign", name)
    if not versions or request.method != "POST":
        raise Http404
    newest = max(versions, key=lambda one: one.version)
    here = source()
    try:
        wanted = saving.read_documents(here, [turned(newest.body, how, here.now())])
        changes = saving.save(here, wanted, str(request.user), NOTES[how])
    except HarkError as error:
        return unavailable(request, f"Nothing was changed: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))


def campaign(here: Source, versions: list[Document], asked: int | None) -> CampaignPage:
    """The context of one campaign's page: the version asked for, else the one its report is about."""
    found = told(here, versions[0].name, asked)
    report = None if isinstance(found, HarkError) else found
    chosen = asked or (report.version if report else versions[-1].version)
    document = next(one for one in versions if one.version == chosen)
    defined, newest = typed(document), versions[-1]
    in_force = typed(newest)
    return CampaignPage(
        name=defined.name,
        version=chosen,
        versions=tuple(one.version for one in versions),
        state=state_of(here, newest),
        hypothesis=" ".join(defined.hypothesis.split()),
        expects=defined.expects,
        sentence=of_campaign(defined),
        warnings=weak.said(defined, weak.kept(here.state.documents())),
        control=defined.control,
        control_auto=defined.control_auto,
        control_why=defined.control_why,
        transactional=defined.transactional,
        launch=_launch(here, newest),
        keeps_timers=in_force.keeps_timers,
        ramp=in_force.ramp,
        templates=_templates(defined),
        applied_at=document.applied_at,
        author=document.author,
        note=document.note,
        journey=drawn(document),
        report=report,
        standing=standing(report) if report else "",
        problem="" if report else str(found),
    )


def _launch(here: Source, document: Document) -> LaunchPage | None:
    return None if state_of(here, document) in ("live", "ended") else listed(here, document)


def _templates(defined: Campaign) -> tuple[str, ...]:
    """The names of what it sends, each once."""
    steps = (step for variant in defined.variants for step in every(variant.steps))
    sends = (step for step in steps if isinstance(step, Send))
    return tuple(dict.fromkeys(template for send in sends for _, template in send.ways))


def stages(report: Report) -> tuple[Stage, ...]:
    """From entering to the goal, over everybody who was not left alone."""
    arms = [arm for arm in report.arms if arm.arm != CONTROL]
    entered = sum(arm.entered for arm in arms)
    rows = [
        ("entered", entered),
        ("have their whole window behind them", sum(arm.complete for arm in arms)),
        ("reached the goal within it", sum(arm.goals for arm in arms)),
    ]
    return tuple(Stage(says, count, count / entered if entered else None) for says, count in rows)
