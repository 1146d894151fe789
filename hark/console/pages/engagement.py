"""Engagement and stages: how many stand where, who rose and who fell, and how long it takes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.clock import moment
from hark.console import ladders
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.document import Document
from hark.definitions.levels import Ladder
from hark.definitions.parse import definition
from hark.definitions.stages import built_in
from hark.errors import HarkError
from hark.learn.statement import public_key, signed, statement
from hark.model import JSON, Instant
from hark.questions import Progress
from hark.speak.keyfile import open_keys

WEEKS = (4, 8, 13, 26)
BELOW, NEW = "below all levels", "not here yet"


class Line(Struct, frozen=True):
    name: str
    says: str
    levels: tuple[str, ...]
    version: int
    applied_at: Instant


class EngagementsPage(Struct, frozen=True):
    definitions: tuple[Line, ...]


class GradeLine(Struct, frozen=True):
    """An event that leads to a level, and what it tells of staying."""

    event: str
    grade: str
    since: str | None


class LevelLine(Struct, frozen=True):
    """One level, or below all of them."""

    name: str
    says: str
    customers: int
    share: float
    change: int
    """Since the first of the weeks."""
    events: tuple[GradeLine, ...]


class Move(Struct, frozen=True):
    origin: str
    to: str
    customers: int


class Step(Struct, frozen=True):
    """How people go on from one level."""

    name: str
    rises: float
    """The share of those at it at a week's end who stand higher at the next."""
    falls: float
    began: int
    rose: int
    fell: int
    weeks: int | None
    """By then half of those who came to it had risen."""


class EngagementPage(Struct, frozen=True):
    """One definition."""

    name: str
    kind: str
    """engagement or stage."""
    says: str
    version: int
    applied_at: Instant
    ladder: bool
    weeks: int
    versions: tuple[int, ...]
    """Earlier ones."""
    levels: tuple[LevelLine, ...] = ()
    """The strongest first."""
    customers: int = 0
    days: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What of it rests on weak signals."""
    counts: tuple[tuple[int, ...], ...] = ()
    ways: tuple[Move, ...] = ()
    steps: tuple[Step, ...] = ()
    """The strongest first."""
    comparison: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def spans(self) -> tuple[int, ...]:
        return WEEKS

    @property
    def back(self) -> str:
        return "/stages" if self.kind == "stage" else "/engagement"

    @property
    def built_in(self) -> bool:
        """No document says which the stages are."""
        return self.kind == "stage" and self.version == 0

    @property
    def names(self) -> list[str]:
        return [one.name for one in reversed(self.levels)]

    @property
    def chart(self) -> JSON:
        return ladders.over_time(self.names, self.days, self.counts)

    @property
    def rose(self) -> int:
        return sum(one.customers for one in self.ways if self._step(one) > 0)

    @property
    def fell(self) -> int:
        return sum(one.customers for one in self.ways if self._step(one) < 0)

    @property
    def streams(self) -> JSON:
        known = [(one.origin, one.to, one.customers) for one in self.ways]
        return ladders.moves(self.names, known) if known else None

    def _step(self, one: Move) -> int:
        """How far up, 0 for those who stayed or were not here yet."""
        return 0 if one.origin == NEW else self.names.index(one.to) - self.names.index(one.origin)


class StatementPage(Struct, frozen=True):
    name: str
    text: str
    key: str
    """The workspace's public key for statements."""


def index(request: HttpRequest) -> HttpResponse:
    """GET /engagement"""
    documents = source().state.documents()
    lines = tuple(_line(one) for one in documents if one.kind == "engagement")
    return respond(request, "engagements.html", EngagementsPage(lines))


def _line(document: Document) -> Line:
    found = _typed(document)
    return Line(document.name, found.says, found.names, document.version, document.applied_at)


def _typed(document: Document) -> Ladder:
    found = definition(document, settings.HARK_ZONE)
    assert isinstance(found, Ladder)
    return found


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /engagement/NAME?weeks=8&compare=VERSION"""
    versions = source().state.versions("engagement", name)
    if not versions:
        raise Http404
    return _answered(request, versions)


def stages(request: HttpRequest) -> HttpResponse:
    """GET /stages?weeks=8&compare=VERSION"""
    built = built_in(settings.HARK_ZONE)[0]
    return _answered(request, [built, *source().state.versions("stage", built.name)])


def stated(request: HttpRequest, name: str) -> HttpResponse:
    """GET /engagement/NAME/statement: one signed page to print; ?format=text for the text that is signed."""
    here = source()
    if not here.state.versions("engagement", name):
        raise Http404
    answer = here.ask({"engagement": {"name": name}})
    secret = open_keys(here.data)[-1].secret
    text = signed(statement(answer, here.now()), secret)
    if request.GET.get("format") == "text":
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    return respond(request, "statement.html", StatementPage(name, text, public_key(secret)))


def _answered(request: HttpRequest, versions: list[Document]) -> HttpResponse:
    weeks, compare = request.GET.get("weeks", "8"), request.GET.get("compare", "")
    page = engagement(source(), versions, weeks, compare, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "engagement.html", page, 400 if page.note else 200)


def engagement(
    here: Source, versions: list[Document], weeks: str, compare: str, patience_s: float
) -> EngagementPage:
    """The context of one definition's page."""
    document = versions[-1]
    found = _typed(document)
    span = int(weeks) if weeks.isdigit() else 8
    page: dict[str, Any] = {
        "name": document.name,
        "kind": document.kind,
        "says": found.says,
        "version": document.version,
        "applied_at": document.applied_at,
        "ladder": found.ladder,
        "weeks": span,
        "versions": tuple(one.version for one in versions[:-1]),
    }
    asked = {"name": document.name, "kind": document.kind, "weeks": span}
    asked["compare"] = int(compare) if compare.isdigit() else None
    try:
        answer = here.answer_or_progress({"engagement": asked}, patience_s)
    except HarkError as error:
        return EngagementPage(**page, note=f"{error.message}. {error.hint}".strip())
    if isinstance(answer, Progress):
        return EngagementPage(**page, progress=answer)
    return EngagementPage(**page, **_told(answer))


def _told(answer: Any) -> dict[str, Any]:
    """The answer in the page's words."""
    before = answer["over_time"][0]["customers"]
    levels = [
        LevelLine(
            one["level"] or BELOW,
            one["says"],
            one["customers"],
            one["share"],
            one["customers"] - was,
            tuple(GradeLine(**each) for each in one["events"]),
        )
        for one, was in zip(answer["levels"], before, strict=True)
    ]
    words = {"below": BELOW, "new": NEW}
    order = [one["level"] for one in answer["stays"]]
    return {
        "levels": tuple(reversed(levels)),
        "warnings": tuple(answer["warnings"]),
        "customers": answer["customers"],
        "days": tuple(f"{moment(one['at']):%Y-%m-%d}" for one in answer["over_time"]),
        "counts": tuple(tuple(one["customers"]) for one in answer["over_time"]),
        "ways": tuple(
            Move(words.get(one["from"], one["from"]), words.get(one["to"], one["to"]), one["customers"])
            for one in answer["moves"]
        ),
        "steps": tuple(_step(one, order, answer["rates"]) for one in reversed(answer["stays"])),
        "comparison": answer["compare"],
    }


def _step(stay: Any, order: list[str], rates: list[Any]) -> Step:
    """One level and those who go on from it, or back."""
    place, name = order.index(stay["level"]), stay["level"]
    mine = [(order.index(one["to"]) - place, one["rate"]) for one in rates if one["from"] == name]
    return Step(
        BELOW if name == "below" else name,
        sum(rate for way, rate in mine if way > 0),
        sum(rate for way, rate in mine if way < 0),
        stay["began"],
        stay["rose"],
        stay["fell"],
        stay["weeks"],
    )
