"""Signals: what people do early that tells they stay, and from each such moment a way to test it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import drafts
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.yaml import write
from hark.errors import HarkError
from hark.learn.signals.grade import Signal
from hark.learn.signals.moments import Moment, MomentsAnswer
from hark.questions import Progress

BEGINS = ("Signed Up", "User Signed Up", "Account Created", "Subscription Started")
"""Usual names of what people do first; the first of them that comes starts a draft."""
SHOWN = 30


class Candidate(Struct, frozen=True):
    """A moment after which people stay, and the documents that would test it."""

    moment: Moment
    text: str


class SignalsPage(Struct, frozen=True):
    """The answer of the question `moments`, or why there is none."""

    answer: MomentsAnswer | None = None
    candidates: tuple[Candidate, ...] = ()
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/signals"

    @property
    def signals(self) -> tuple[Signal, ...]:
        return self.answer.signals if self.answer else ()


def view(request: HttpRequest) -> HttpResponse:
    """GET /signals"""
    page = asked(source(), patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "signals.html", page)


def asked(here: Source, patience_s: float) -> SignalsPage:
    """The context of the page."""
    try:
        found = here.answer_or_progress({"moments": {}}, patience_s)
    except HarkError as error:
        return SignalsPage(note=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return SignalsPage(progress=found)
    answer = msgspec.convert(found, MomentsAnswer)
    telling = [one for one in answer.moments if one.signal.grade in ("strong", "weak")]
    return SignalsPage(answer, tuple(_candidates(here, telling[:SHOWN])))


def _candidates(here: Source, found: Sequence[Moment]) -> list[Candidate]:
    documents, seen = here.state.documents(), set(here.names())
    taken = {one.name for one in documents if one.kind in ("campaign", "template", "hypothesis")}
    topic, missing = drafts.topic([one.name for one in documents if one.kind == "topic"])
    begins = next((name for name in BEGINS if name in seen), BEGINS[0])
    made = []
    for one in found:
        name = drafts.free(drafts.snake(f"lead to {one.signal.event}"), taken)
        made.append(Candidate(one, write([*missing, *drafts.payoff(name, one, begins, topic)])))
    return made
