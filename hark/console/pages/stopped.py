"""Who stopped at a step of a funnel: the people, a segment of them, and the draft of a campaign for them."""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import drafts, saving
from hark.console.asking import Ask, read
from hark.console.pages.asked import again, patience
from hark.console.pages.definitions import saved_address
from hark.console.pages.errors import unavailable
from hark.console.pages.segments import csv_file
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.conditions import read_condition
from hark.definitions.problems import DefinitionError
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress
from hark.understand.funnel.answer import Drop, Next

SHOWN = 30


class WaitingPage(Struct, frozen=True):
    """As long as there is no answer."""

    title: str
    progress: Progress
    back: str


class StoppedPage(Struct, frozen=True):
    """Those who reached a step and not the next, and what could be made of them."""

    ask: Ask
    step: int
    """Counted from 1."""
    here: JSON
    """The step they reached, as it is written in the question."""
    following: JSON
    count: int
    customers: tuple[str, ...]
    """By their ids, the first of them."""
    left_alone: tuple[str, ...]
    """Those of them in the global control."""
    where: JSON
    """The segment's condition: what they did, and what they did not."""
    sentence: str
    drop: Drop | None
    segment: str
    """The name proposed, or the one typed; likewise the others."""
    campaign: str
    topics: tuple[str, ...]
    topic: str
    hypothesis: str
    within: str
    problems: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The type of the groups that it is about; "": customers."""
        subject = (self.ask.body or {}).get("subject")
        return str(subject["group"]) if isinstance(subject, dict) else ""

    @property
    def shown(self) -> tuple[str, ...]:
        return self.customers[:SHOWN]

    @property
    def beyond(self) -> int:
        """How many are not shown."""
        return self.count - len(self.shown)

    @property
    def instead(self) -> list[tuple[Next, float]]:
        """What they did then, each with its share of those who stopped."""
        if self.drop is None or not self.drop.customers:
            return []
        return [(one, one.customers / self.drop.customers) for one in self.drop.then]

    @property
    def address(self) -> str:
        return f"/funnel/stopped?{self.ask.query}&step={self.step}"

    @property
    def note(self) -> str:
        """Where it comes from, for the record."""
        return (
            f"those who stopped after {self.here_words} in {' > '.join(self.ask.typed['steps'].splitlines())}"
        )

    @property
    def here_words(self) -> str:
        return drafts.words(self.here)

    @property
    def following_words(self) -> str:
        return drafts.words(self.following)

    @property
    def window(self) -> str:
        """How long they have for the goal."""
        return self.within or drafts.WITHIN


def view(request: HttpRequest) -> HttpResponse:
    """GET and POST /funnel/stopped?steps=A%0AB%0AC&within=7d&step=2"""
    ask, number = read("funnel", request.GET.dict()), request.GET.get("step", "")
    steps = [
        one for one in (ask.body or {}).get("steps", []) if not isinstance(one, dict) or "not" not in one
    ]
    if ask.body is None or not number.isdigit() or not 1 <= int(number) < len(steps):
        raise Http404
    reached, following = steps[int(number) - 1], steps[int(number)]
    if request.method != "POST" and (progress := _progress(source(), ask, int(number), patience(request))):
        page = WaitingPage(f"Who stopped after {drafts.words(reached)}", progress, ask.address)
        return respond(
            request, "progress.html" if request.headers.get("HX-Request") else "waiting.html", page
        )
    if request.headers.get("HX-Request"):
        return again()
    return _shown(request, stopped(source(), ask, int(number), reached, following))


def _shown(request: HttpRequest, page: StoppedPage) -> HttpResponse:
    if request.method == "POST":
        return _make(request, source(), page)
    if request.GET.get("format") == "csv":
        apart = () if request.GET.get("controls") == "yes" else page.left_alone
        return csv_file([("customer",), *((one,) for one in page.customers if one not in apart)], "stopped")
    return respond(request, "stopped.html", page)


def _questions(ask: Ask, step: int) -> list[JSON]:
    """What the page asks: who stopped, and the funnel with what they did instead."""
    return [{"stopped": {"funnel": ask.body, "step": step}}, {"funnel": ask.body}]


def _progress(here: Source, ask: Ask, step: int, patience_s: float) -> Progress | None:
    """How far the first of the questions is that has no answer yet."""
    found = (here.answer_or_progress(one, patience_s) for one in _questions(ask, step))
    return next((one for one in found if isinstance(one, Progress)), None)


def stopped(here: Source, ask: Ask, step: int, reached: JSON, following: JSON) -> StoppedPage:
    """The context of the page."""
    found, funnel = (here.ask(one) for one in _questions(ask, step))
    documents = here.state.documents()
    taken = {
        kind: [one.name for one in documents if one.kind == kind] for kind in ("segment", "campaign", "topic")
    }
    words, after = drafts.words(reached), drafts.words(following)
    return StoppedPage(
        ask=ask,
        step=step,
        here=reached,
        following=following,
        count=found["count"],
        customers=tuple(found["customers"]),
        left_alone=tuple(found["left_alone"]),
        where=found["segment"],
        sentence=f"{_whom(ask)} {read_condition(found['segment'], settings.HARK_ZONE).sentence()}.",
        drop=msgspec.convert(funnel["instead"][step - 1], Drop),
        segment=drafts.free(drafts.snake(f"stopped after {words}"), taken["segment"]),
        campaign=drafts.free(drafts.snake(f"on to {after}"), taken["campaign"]),
        topics=tuple(taken["topic"]),
        topic=drafts.topic(taken["topic"])[0],
        hypothesis=drafts.belief(reached, following),
        within=ask.typed["within"],
    )


def _whom(ask: Ask) -> str:
    subject = ask.typed["subject"]
    return "Customers who" if subject in ("", "customer") else f"Groups of type {subject} that"


def _make(request: HttpRequest, here: Source, page: StoppedPage) -> HttpResponse:
    """The segment, or the segment and the campaign's draft, put into force; or what is wrong with them."""
    said = {
        name: request.POST.get(name, "").strip() for name in ("segment", "campaign", "hypothesis", "topic")
    }
    page = msgspec.structs.replace(page, **{name: text for name, text in said.items() if text})
    campaign = request.POST.get("do") == "campaign" and not page.group
    try:
        wanted = saving.read_documents(here, documents(page, campaign))
        changes = saving.save(here, wanted, str(request.user), page.note)
    except DefinitionError as error:
        return respond(
            request, "stopped.html", msgspec.structs.replace(page, problems=saving.problems(error)), 400
        )
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))


def documents(page: StoppedPage, campaign: bool) -> list[JSON]:
    """What would be put into force."""
    made = [drafts.segment(page.segment, page.where, page.group)]
    if not campaign:
        return made
    topic, missing = drafts.topic([page.topic] if page.topic in page.topics else page.topics)
    drafted = drafts.campaign(
        page.campaign, page.segment, page.hypothesis, page.following, page.within, topic
    )
    return [*made, *missing, *drafted]
