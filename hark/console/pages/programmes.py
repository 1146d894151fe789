"""What a programme, or all messaging together, changes; and how campaigns change each other's effect."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import charts
from hark.console.campaigns import all_told
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.engagement import PURCHASE
from hark.definitions.parse import definition
from hark.definitions.sentences import of_goal
from hark.definitions.types import Campaign, Programme
from hark.errors import HarkError
from hark.learn.by_level import ByLevel
from hark.learn.compare import Interval
from hark.learn.interactions import Interaction
from hark.learn.programmes import ProgrammeReport
from hark.model import JSON
from hark.questions import Progress

WITHIN = "28d"


class ProgrammeLine(Struct, frozen=True):
    """One programme among others."""

    name: str
    control: float
    goal: str
    campaigns: tuple[str, ...]


class ProgrammesPage(Struct, frozen=True):
    """All programmes."""

    lines: tuple[ProgrammeLine, ...]


class ProgrammePage(Struct, frozen=True):
    """What one changes; `name` "" is all messaging."""

    name: str
    goal: str
    """The event looked at; "" for a programme's own goal."""
    within: str
    value: str
    levels: str = ""
    """The engagement definition whose levels are shown, or purchase."""
    definitions: tuple[str, ...] = ()
    """Those whose levels can be shown."""
    report: ProgrammeReport | None = None
    progress: Progress | None = None
    problem: str = ""

    @property
    def back(self) -> str:
        """Where to go when it is cancelled."""
        return "/programmes"

    @property
    def address(self) -> str:
        return f"/programmes/{self.name}" if self.name else "/messaging"

    @property
    def asked(self) -> bool:
        return bool(self.name or self.goal)

    @property
    def shown(self) -> Interval | None:
        """The interval that is right at every look, else that of this one; None while an arm is too small."""
        found = (self.report.always or self.report.lift) if self.report else None
        return found if found and found.low < found.high else None

    @property
    def rates(self) -> tuple[float | None, float | None]:
        """Goal rate of the treated and of the control."""
        if self.report is None:
            return None, None
        arms = (self.report.treated, self.report.control)
        treated, control = (arm.goals / arm.subjects if arm.subjects else None for arm in arms)
        return treated, control

    @property
    def by_level(self) -> ByLevel | None:
        return self.report.levels if self.report else None

    @property
    def query(self) -> str:
        """What is asked besides the levels, for links."""
        given = {"goal": self.goal, "within": self.within, "value": self.value} if self.goal else {}
        return urlencode({key: value for key, value in given.items() if value})

    @property
    def forest(self) -> JSON:
        """The lifts by level as a figure; None where none has enough people."""
        lines = self.by_level.levels if self.by_level else ()
        known = [(one.segment, one.lift, one.shrunk) for one in lines if one.lift and one.shrunk]
        return charts.forest(self.shown, known) if known and self.shown else None

    @property
    def chart(self) -> JSON:
        """The lift as a figure; None without an interval."""
        return charts.interval(self.name or "all messaging", self.shown) if self.shown else None


class Between(Struct, frozen=True):
    """One campaign's lift by the arm in another."""

    campaign: str
    with_: Interaction


class InteractionsPage(Struct, frozen=True):
    """Campaigns that share people."""

    rows: tuple[Between, ...]
    """Those with people enough."""
    small: int = 0
    """Pairs that share people, of which a cell has too few with the goal or without."""
    problem: str = ""


def index(request: HttpRequest) -> HttpResponse:
    """GET /programmes"""
    wanted = [one for one in source().state.documents() if one.kind in ("programme", "campaign")]
    typed = [definition(one, settings.HARK_ZONE) for one in wanted]
    campaigns = [one for one in typed if isinstance(one, Campaign)]
    lines = tuple(
        ProgrammeLine(
            one.name, one.control, of_goal(one.goal),
            tuple(campaign.name for campaign in campaigns if campaign.programme == one.name),
        )
        for one in typed
        if isinstance(one, Programme)
    )  # fmt: skip
    return respond(request, "programmes.html", ProgrammesPage(lines))


def view(request: HttpRequest, name: str = "") -> HttpResponse:
    """GET /programmes/NAME, and /messaging?goal=EVENT&within=28d for all messaging together."""
    here = source()
    if name and not any((one.kind, one.name) == ("programme", name) for one in here.state.documents()):
        raise Http404
    goal, within, value = (request.GET.get(key, "").strip() for key in ("goal", "within", "value"))
    written = [one.name for one in here.state.documents() if one.kind == "engagement"]
    levels, known = request.GET.get("levels", ""), (*written, PURCHASE)
    page = ProgrammePage(name, goal, within or WITHIN, value, levels, known)
    page = programme(here, page, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "programme.html", page)


def programme(here: Source, page: ProgrammePage, patience_s: float) -> ProgrammePage:
    """The context of the page."""
    if not page.asked:
        return page
    own = {"event": page.goal, "within": page.within} if page.goal else None
    if own and page.value:
        own["value"] = page.value
    try:
        asked = {"programme": page.name, "goal": own, "by_level": page.levels}
        found = here.answer_or_progress({"programme": asked}, patience_s)
    except HarkError as error:
        return msgspec.structs.replace(page, problem=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    return msgspec.structs.replace(page, report=msgspec.convert(found, ProgrammeReport))


def between(request: HttpRequest) -> HttpResponse:
    """GET /interactions: how campaigns that share people change each other's effect."""
    told = all_told(source())
    if isinstance(told, HarkError):
        return respond(request, "interactions.html", InteractionsPage((), problem=str(told)))
    rows = [Between(name, one) for name, report in sorted(told.items()) for one in report.interactions]
    enough = tuple(one for one in rows if one.with_.difference is not None)
    return respond(request, "interactions.html", InteractionsPage(enough, len(rows) - len(enough)))
