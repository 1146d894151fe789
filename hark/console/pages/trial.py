"""What a draft would have done, before it is saved: its check list, and its back-test as plots."""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from msgspec import Struct
from msgspec.structs import replace

from hark.console import saving
from hark.console.launch import Check, checks
from hark.console.pages.asked import FOREVER_S, PATIENCE_S
from hark.console.pages.backtest import BacktestPage
from hark.console.respond import respond, wants_json
from hark.console.source import Source
from hark.definitions.parse import Parsed, definition
from hark.definitions.problems import DefinitionError
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.learn.backtest.answer import Backtest
from hark.model import JSON
from hark.questions import Progress


class TrialPage(Struct, frozen=True):
    """A draft's check list, and its back-test or how far that is."""

    text: str
    """The draft, which is asked about again until the answer is there."""
    checks: tuple[Check, ...] = ()
    tested: BacktestPage | None = None
    problem: str = ""

    @property
    def progress(self) -> Progress | None:
        return self.tested.progress if self.tested else None


def trial(request: HttpRequest, here: Source, text: str) -> HttpResponse:
    """Answers a post of an editor by `do=try`, and `do=stop` with the question's `id`."""
    if request.POST.get("do") == "stop":
        stopped(here, request.POST.get("id", ""))
        page = TrialPage(text, problem="The question was cancelled; nothing was changed.")
    else:
        partly = request.headers.get("HX-Request") and not wants_json(request)
        page = tried(here, text, PATIENCE_S if partly else FOREVER_S)
    return respond(request, "trial.html" if request.headers.get("HX-Request") else "trial_page.html", page)


def stopped(here: Source, id: str) -> None:
    """Ends a question; one that is over already is no mistake."""
    try:
        here.cancel(id)
    except HarkError as error:
        if error.id != "question.gone":
            raise


def tried(here: Source, text: str, patience_s: float) -> TrialPage:
    """What is to be looked at, and after `patience_s` at most how far the back-test is."""
    try:
        wanted = saving.read(here, text)
    except DefinitionError as error:
        return TrialPage(text, problem=f"Mend what is wrong first: {error.problems[0]}")
    campaign = wanted[-1].definition if wanted else None
    if not isinstance(campaign, Campaign):
        return TrialPage(text, problem="There is no campaign in the text.")
    tested = _tested(here, campaign.name, wanted, patience_s)
    return TrialPage(text, _listed(here, campaign, wanted, tested.answer), tested)


def _tested(here: Source, name: str, wanted: list[Parsed], patience_s: float) -> BacktestPage:
    documents: JSON = [{"kind": one.kind, "name": one.name, "body": one.body} for one in wanted]
    page = BacktestPage(name, "", "")
    try:
        found = here.answer_or_progress({"backtest": {"campaign": name, "documents": documents}}, patience_s)
    except HarkError as error:
        return replace(page, problem=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return replace(page, progress=found)
    return replace(page, answer=msgspec.convert(found, Backtest))


def _listed(
    here: Source, campaign: Campaign, wanted: list[Parsed], found: Backtest | None
) -> tuple[Check, ...]:
    """The list as it would be once the draft is saved; what leads to a page of its own leads to this one."""
    mine = {(one.kind, one.name) for one in wanted}
    kept = [one for one in here.state.documents() if (one.kind, one.name) not in mine]
    in_force = [definition(one, settings.HARK_ZONE) for one in kept] + [one.definition for one in wanted]
    own = {
        f"/campaigns/{campaign.name}/backtest": "#tried",
        f"/definitions/campaign/{campaign.name}": "#fields",
    }
    return tuple(replace(one, link=own.get(one.link, one.link)) for one in checks(campaign, in_force, found))
