"""What a campaign would have done, as plots; and the list to look at before it is started."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import charts
from hark.console.accounts.models import Account
from hark.console.campaigns import typed
from hark.console.launch import Check, checks
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.reasons import HELD, REFUSALS
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.errors import HarkError
from hark.learn.backtest.answer import Backtest
from hark.model import JSON
from hark.questions import Progress


class Reason(Struct, frozen=True):
    """Why so many entries were refused, or messages withheld or put off."""

    name: str
    says: str
    count: int


class BacktestPage(Struct, frozen=True):
    """One campaign's back-test, or how far it is."""

    name: str
    since: str
    until: str
    answer: Backtest | None = None
    progress: Progress | None = None
    problem: str = ""

    @property
    def back(self) -> str:
        """Where to go when it is cancelled."""
        return f"/campaigns/{self.name}"

    @property
    def withheld(self) -> list[Reason]:
        return reasons(self.answer.withheld) if self.answer else []

    @property
    def deferred(self) -> list[Reason]:
        return reasons(self.answer.deferred) if self.answer else []

    @property
    def days(self) -> JSON:
        """Entries by day as a figure."""
        found = self.answer.by_day if self.answer else ()
        return charts.bars([one.day for one in found], [one.entries for one in found], height=190)

    @property
    def hours(self) -> JSON:
        """Messages by the hour of the day as a figure."""
        return charts.hours(self.answer.by_hour) if self.answer else None

    @property
    def reasons(self) -> JSON:
        """What was refused or withheld, by reason, as a figure."""
        return charts.reasons([(one.name, one.count) for one in self.withheld])

    @property
    def rates(self) -> JSON:
        """The base rate with its interval as a figure; None without one."""
        found = self.answer
        if found is None or found.base_rate is None:
            return None
        rows = [("of all entries", found.base_rate), ("of first entries", found.first_rate)]
        return charts.rates([(name, one.estimate, one.low, one.high) for name, one in rows if one])

    @property
    def detectable(self) -> JSON:
        """The smallest effect that is found, by weeks, as a figure; None where none is."""
        found = [one for one in self.answer.detectable if one.lift is not None] if self.answer else []
        return charts.detectable([(one.weeks, one.lift or 0.0) for one in found]) if found else None


class LaunchPage(Struct, frozen=True):
    """The check list, with what its back-test says once that is known."""

    name: str
    checks: tuple[Check, ...]
    progress: Progress | None = None
    problem: str = ""
    asked: bool = True
    """False: the back-test is still to be asked for."""


def reasons(found: dict[str, int]) -> list[Reason]:
    """The most frequent first, each with the start of its sentence."""
    said = {str(one): text for one, text in [*REFUSALS.items(), *HELD.items()]}
    says = {name: said.get(name, "").split("{")[0].strip(" ,(") for name in found}
    return [Reason(name, says[name], count) for name, count in found.items()]


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/backtest, with ?since= and ?until= for entries of that time alone."""
    _newest(name)
    page = backtest(source(), name, request.GET, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "backtest.html", page, 400 if page.problem else 200)


def backtest(here: Source, name: str, given: Any, patience_s: float) -> BacktestPage:
    """The context of the page."""
    since, until = (given.get(key, "").strip() for key in ("since", "until"))
    found = _asked(here, name, since, until, patience_s)
    page = BacktestPage(name, since, until)
    if isinstance(found, Backtest):
        return msgspec.structs.replace(page, answer=found)
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    return msgspec.structs.replace(page, problem=found)


def _asked(here: Source, name: str, since: str, until: str, patience_s: float) -> Backtest | Progress | str:
    """The answer, how far it is, or in words why there is none."""
    asked = {"campaign": name, "since": since or None, "until": until or None}
    try:
        found = here.answer_or_progress({"backtest": asked}, patience_s)
    except HarkError as error:
        return f"{error.message}. {error.hint}".strip()
    return found if isinstance(found, Progress) else msgspec.convert(found, Backtest)


def launch(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/launch: the check list with its back-test."""
    page = looked(source(), _newest(name), patience(request))
    return respond(request, "launch.html", page)


def listed(here: Source, document: Document, found: Backtest | None = None) -> LaunchPage:
    """The list; without a back-test it is not asked yet."""
    in_force = [definition(one, settings.HARK_ZONE) for one in here.state.documents()]
    lines = checks(typed(document), in_force, found, Account.objects.addresses())
    return LaunchPage(document.name, lines, asked=found is not None)


def looked(here: Source, document: Document, patience_s: float) -> LaunchPage:
    """The list with its back-test, or how far that is."""
    found = _asked(here, document.name, "", "", patience_s)
    if isinstance(found, Backtest):
        return listed(here, document, found)
    page = msgspec.structs.replace(listed(here, document), asked=True)
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    return msgspec.structs.replace(page, problem=found)


def _newest(name: str) -> Document:
    versions = source().state.versions("campaign", name)
    if not versions:
        raise Http404
    return versions[-1]
