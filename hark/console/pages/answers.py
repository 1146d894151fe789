"""/s/TOKEN and /w/TOKEN: an answer to a survey, or whether a message was worth somebody's time.

A GET shows the question with the answer that the link stands for, and counts nothing: mail is read by
machines first. A person's browser then sends it by itself, a moment later (`one_click.js`), which is refused
for what a machine is likely to have sent; the button, which works without script, always counts. An answer
may be changed: the latest holds. It is said to have reached us once it is on disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TypeAlias

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.clock import derived_id
from hark.console.pages.clicks import asked_for
from hark.console.pages.errors import unavailable
from hark.console.reader import record_of, surveys, words_for
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.survey import Survey, answered, said
from hark.errors import HarkError
from hark.model import HOUR, JSON, SECOND, Instant
from hark.speak.links import SurveyLink, WorthLink
from hark.speak.machines import Asked, machines
from hark.speak.words import Words

Answering: TypeAlias = SurveyLink | WorthLink
REMEMBERED_US = 60 * SECOND
MOST = 1_000
"""Messages of which requests are remembered at once."""
WORTH = ("yes", "no")


class Option(Struct, frozen=True):
    value: str
    label: str
    chosen: bool


class AnswerPage(Struct, frozen=True):
    """A question and what was chosen."""

    words: Words
    asks: str
    options: tuple[Option, ...]
    low: str = ""
    high: str = ""
    takes_text: bool = False
    text: str = ""
    done: bool = False
    at_once: bool = False
    """The link stands for an answer, which a person's browser sends by itself."""


class Lately(Struct):
    """Requests for answers, by message: who asks for all of them at once is a machine."""

    lock: threading.Lock
    by: dict[str, list[Asked]]

    def add(self, message: str, one: Asked, now: Instant) -> list[Asked]:
        """With those of the last minute, of this message."""
        with self.lock:
            if len(self.by) >= MOST:
                self.by = {key: found for key, found in self.by.items() if found[-1].at > now - REMEMBERED_US}
            kept = [other for other in self.by.get(message, []) if other.at > now - REMEMBERED_US]
            self.by[message] = [*kept[-20:], one]
            return self.by[message]


lately = Lately(threading.Lock(), {})


# A mail program has no cookie to prove anything by; the signed token is the proof.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """/s/TOKEN and /w/TOKEN"""
    here, link = source(), source().links.read(token)
    if not isinstance(link, SurveyLink | WorthLink):
        raise Http404
    survey = surveys(here).get(link.survey) if isinstance(link, SurveyLink) else None
    if isinstance(link, SurveyLink) and survey is None:
        raise Http404
    words = words_for(request, record_of(here, link.subject))
    machine = _machine(here, request, link, survey)
    option, text = request.POST.get("option", link.choice), request.POST.get("text", "")
    done = request.method == "POST" and not (machine and "at_once" in request.POST)
    if done:
        told = _told(survey, option, text)
        done = told is not None
        if told is not None and not written(here, link, told):
            return unavailable(request, words["not_kept"])
    return respond(request, "answer.html", _page(words, survey, option, text, done, not machine))


def _page(
    words: Words, survey: Survey | None, option: str, text: str, done: bool, person: bool
) -> AnswerPage:
    if survey is None:
        options = tuple(Option(one, words[one], one == option) for one in WORTH)
        return AnswerPage(words, words["worth_title"], options, done=done, at_once=bool(option) and person)
    language = words["language"]
    return AnswerPage(
        words,
        said(survey.asks, language),
        tuple(Option(one, survey.label(one, language), one == option) for one in survey.options),
        said(survey.low, language),
        said(survey.high, language),
        survey.takes_text,
        text,
        done,
        at_once=bool(option) and person,
    )


def _told(survey: Survey | None, option: str, text: str) -> tuple[str, dict[str, JSON]] | None:
    """The event's name and properties; None for what is no answer."""
    if survey is None:
        return ("Worth It", {"worth": option == "yes"}) if option in WORTH else None
    found = answered(survey, option, text)
    return None if found is None else ("Survey Answered", found)


def _machine(here: Source, request: HttpRequest, link: Answering, survey: Survey | None) -> bool:
    """Whether the request is likely a machine's, by itself and beside the others of its message."""
    options = survey.options if survey else WORTH
    place = options.index(link.choice) if link.choice in options else len(options)
    asked = asked_for(here, request, place)
    if request.method == "POST":
        asked = Asked(asked.at, asked.agent, place, "GET", asked.headers, asked.address)
    row = here.state.message(link.message)
    handed_over = row.updated_at if row and row.state in ("sent", "delivered") else None
    return machines(lately.add(link.message, asked, here.now()), handed_over)[-1] is not None


def call_of(here: Source, link: Answering, name: str, said: Mapping[str, JSON], at: Instant) -> JSON | None:
    """The event, as a client of the customer's would send it; None: there is no such customer any more. Only
    who was written to has such a link, so it is no activity."""
    ids = here.state.ids(here.state.canonical(link.subject))
    who = next((one for kind in ("user", "anonymous") for one in ids if one[0] == kind), None)
    if who is None:
        return None
    row = here.state.message(link.message)
    about = {"campaign": row.campaign, "template": row.template, "channel": row.channel} if row else {}
    return {
        "userId" if who[0] == "user" else "anonymousId": who[1],
        "event": name,
        # The same answer within an hour is the same answer, by whichever way it came.
        "messageId": derived_id("answer", name, link.subject, link.message, at // HOUR, *_parts(said)),
        "properties": {**said, "message": link.message, **about},
        "context": {"active": False},
    }


def _parts(said: Mapping[str, JSON]) -> list[str]:
    return [f"{name}={said[name]}" for name in sorted(said)]


def written(here: Source, link: Answering, told: tuple[str, dict[str, JSON]]) -> bool:
    """Whether it is on disk; why not is for the team, not for their customer."""
    call = call_of(here, link, *told, here.now())
    if call is None:
        return True
    try:
        here.track("hark", call)
    except HarkError as error:
        logging.getLogger(__name__).warning("%s was not written: %s", told[0], error)
        return False
    return True
