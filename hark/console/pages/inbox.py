"""GET /in-app/messages, POST /in-app/events and /in-app/answers: the inbox of whom a token names, what they
did with it, and what they answered.

Pages of the product ask from their own address, so every answer says that any page may read it: the token is
the proof, there is no cookie. The stream of the same is `console.inbox.stream`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import wraps
from typing import TypeAlias, TypeVar

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from msgspec import Struct

from hark.clock import moment
from hark.collect.sources import Sources
from hark.console.api import answered, said
from hark.console.inbox.entries import (
    ANSWERED,
    CLICKED,
    DISMISSED,
    HANDLINGS,
    MOST,
    OPENED,
    SHOWN,
    Inbox,
    inbox,
)
from hark.console.inbox.models import Handled
from hark.console.inbox.tokens import Claim, claimed
from hark.console.pages.answers import written
from hark.console.reader import record_of, surveys, topics
from hark.console.source import Source, source
from hark.decide.consents import held
from hark.decide.suppressions import EVERYTHING
from hark.definitions.survey import answered as answered_by
from hark.errors import HarkError
from hark.model import JSON, Instant, ResponseName
from hark.speak.links import Preferences, SurveyLink
from hark.speak.words import language, words
from hark.store.contracts import OutboxRow
from hark.understand.conditions.answers import State
from hark.understand.conditions.reachable import IN_APP

Body = TypeVar("Body", "Did", "Answered")
View: TypeAlias = Callable[[HttpRequest], HttpResponse]

OPEN = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
NAMES = {
    SHOWN: ResponseName.SHOWN,
    OPENED: ResponseName.OPENED,
    CLICKED: ResponseName.CLICKED,
    DISMISSED: ResponseName.DISMISSED,
}
SAYS = ("messages", "unread", "hide", "nothing_new", "open", "preferences", "send", "add_text", "answered")
"""What the inbox itself says, in the customer's language."""
FETCHED = 4 * MOST
"""Handed over lately; some may be put away."""


class Did(Struct, frozen=True, forbid_unknown_fields=True):
    """What a page tells."""

    message: str
    what: str


def to_pages(view: View) -> View:
    """For pages of other origins, with their preflights."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        found = HttpResponse(status=204) if request.method == "OPTIONS" else view(request)
        for name, value in OPEN.items():
            found[name] = value
        return found

    return answer


@to_pages
def messages(request: HttpRequest) -> HttpResponse:
    """200 and the inbox; 401 for a token that does not hold."""
    if request.method != "GET":
        return said(405, "method", "send GET")
    here, claim = source(), claim_in(request)
    if claim is None:
        return nobody()
    return answered(200, look(here, claim.user))


class Answered(Struct, frozen=True, forbid_unknown_fields=True):
    """What a page sends for its customer."""

    message: str
    option: str = ""
    text: str = ""


@to_pages
def answers(request: HttpRequest) -> HttpResponse:
    """200 once an answer to the message's survey is in the log; the latest holds."""
    found = _about(request, Answered)
    if isinstance(found, HttpResponse):
        return found
    did, row = found
    asked = (row.content.get("said") or {}).get("survey") or {}
    survey = surveys(source()).get(asked.get("name", ""))
    given = answered_by(survey, did.option, did.text) if survey else None
    if survey is None or given is None:
        return said(400, "answer", "that is no answer to a survey of this message")
    link = SurveyLink(row.subject, survey.name, row.message, "")
    return _once(row, ANSWERED, lambda: written(source(), link, ("Survey Answered", given)))


@to_pages
def events(request: HttpRequest) -> HttpResponse:
    """200 once it is in the log, and again for the same; 404 for a message that is not this customer's."""
    found = _about(request, Did)
    if isinstance(found, HttpResponse):
        return found
    did, row = found
    if did.what not in HANDLINGS:
        return said(400, "what", f"what is one of {', '.join(HANDLINGS)}")
    if Handled.objects.filter(message=row.message, what=did.what).exists():
        return answered(200, {"success": True})
    return _once(row, did.what, lambda: _told(source(), response(row, did.what, source().now())))


def _about(request: HttpRequest, type_: type[Body]) -> tuple[Body, OutboxRow] | HttpResponse:
    """What a page says of a message of its customer's, or the answer to who may not say it."""
    if request.method != "POST":
        return said(405, "method", "send POST")
    here, claim = source(), claim_in(request)
    if claim is None:
        return nobody()
    try:
        did = msgspec.json.decode(request.body, type=type_)
    except msgspec.DecodeError as error:
        return said(400, "body", f"the body is not what is expected: {error}")
    row = here.state.message(did.message)
    if row is None or row.channel != IN_APP or row.subject != whose(here, claim.user):
        return said(404, "unknown_message", f"there is no message {did.message[:40]} in this inbox")
    return did, row


def look(here: Source, user: str) -> JSON:
    """The inbox of a userId as JSON; an empty one for whom nobody knows yet."""
    subject = whose(here, user)
    if subject is None:
        return msgspec.to_builtins(Inbox((), 0)) | {"words": _words({})}
    record = record_of(here, subject)
    rows = here.state.inbox(subject, FETCHED)
    known = topics(here)

    def wanted(topic: str) -> bool:
        """As a hand-off would ask now."""
        return (
            record is not None
            and EVERYTHING not in record.suppressed
            and held(record, known, topic, IN_APP) == State.IN
        )

    found = inbox(rows, handled([row.message for row in rows]), wanted, here.now())
    traits = {name: one.value for name, one in record.traits.items()} if record else {}
    chooses = here.links.url(Preferences(subject, IN_APP, ""))
    return msgspec.to_builtins(found) | {"preferences": chooses, "words": _words(traits)}


def handled(messages: Collection[str]) -> dict[str, frozenset[str]]:
    """By message, what its reader did with it."""
    found: dict[str, frozenset[str]] = {}
    for one in Handled.objects.filter(message__in=messages):
        found[one.message] = found.get(one.message, frozenset()) | {one.what}
    return found


def claim_of(here: Source, token: str) -> Claim | None:
    return claimed(token, Sources(here.data).all, here.now()) if token else None


def whose(here: Source, user: str) -> int | None:
    """The customer with this userId; an address or another id, which a token may not name, is nobody's."""
    subject = here.state.find(user)
    return subject if subject is not None and ("user", user) in here.state.ids(subject) else None


def claim_in(request: HttpRequest) -> Claim | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return claim_of(source(), token.strip()) if scheme.lower() == "bearer" else None


def nobody() -> HttpResponse:
    return said(401, "token", "send the customer's token, made with a source's secret key, as bearer token")


def _once(row: OutboxRow, what: str, write: Callable[[], bool]) -> HttpResponse:
    """In the log first: what is told twice is told once, what is not told is not forgotten."""
    if not write():
        answer = said(503, "collect.gone", "not kept: try again")
        answer["Retry-After"] = "2"
        return answer
    Handled.objects.get_or_create(message=row.message, what=what, defaults={"at": moment(source().now())})
    return answered(200, {"success": True})


def _told(here: Source, body: JSON) -> bool:
    try:
        here.responses([body])
    except HarkError as error:
        logging.getLogger(__name__).warning("what was done in an inbox was not written: %s", error)
        return False
    return True


def response(row: OutboxRow, what: str, at: Instant) -> JSON:
    """The body of the log's response row."""
    told = {"message": row.message, "channel": IN_APP, "campaign": row.campaign, "template": row.template}
    if what == CLICKED:
        told["url"] = row.content["said"]["url"]
    return {"name": NAMES[what].value, "subject": row.subject, "at": at, "properties": told}


def _words(traits: dict[str, JSON]) -> dict[str, str]:
    known = words(language(traits))
    return {name: known[name] for name in SAYS}
