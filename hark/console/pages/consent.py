"""Links in messages: leaving a topic, and confirming a subscription. Without signing in.

Fetching a link changes nothing (mail scanners fetch every link); only POST acts, for people by the page's
button and for mail programs by RFC 8058 one-click, whatever the form's encoding. Doing it again does no harm.
"Done" is said only once the answer is on disk; until then it is 503, which mail programs try again.
"""

from __future__ import annotations

import logging
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.reader import record_of, topics, words_for
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import ConsentName
from hark.speak.links import Confirm, Preferences, Unsubscribe
from hark.speak.words import Words
from hark.understand.conditions.answers import State, answer

ConsentLink: TypeAlias = Unsubscribe | Confirm
L = TypeVar("L", Unsubscribe, Confirm)


class ConsentPage(Struct, frozen=True):
    """What a link is about, and whether it has been done."""

    topic: str
    says: str
    """The topic in the team's words."""
    channel: str
    done: bool
    over: bool
    """The latest answer is to be left alone, so that a confirmation has nothing to confirm."""
    words: Words
    preferences: str
    """Where the customer chooses."""


# A mail program has no cookie to prove anything by; the signed token is the proof.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """/u/TOKEN: what will be left and a button; POST leaves it."""
    return _answer(request, _read(token, Unsubscribe), ConsentName.UNSUBSCRIBED, "unsubscribe.html")


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """/c/TOKEN: what will be subscribed to and a button; POST confirms it."""
    return _answer(request, _read(token, Confirm), ConsentName.CONFIRMED, "confirm.html")


def _read(token: str, type_: type[L]) -> L:
    link = source().links.read(token)
    if not isinstance(link, type_):
        raise Http404
    return link


def _answer(request: HttpRequest, link: ConsentLink, name: ConsentName, template: str) -> HttpResponse:
    here, done = source(), request.method == "POST"
    record = record_of(here, link.subject)
    words = words_for(request, record)
    says, channel = _says(here, link.topic, words), words.get(link.channel, link.channel)
    sentence = "leave" if name is ConsentName.UNSUBSCRIBED else "confirm_lead"
    wording = words[sentence].format(says=says, channel=channel)
    if done and not _written(here, link, name, wording):
        return unavailable(request, words["not_kept"])
    given = answer(record.consents, link.topic, link.channel) if record else None
    over = given is not None and given.state == State.OUT
    chooses = here.links.url(Preferences(link.subject, link.channel, link.message))
    page = ConsentPage(link.topic, says, channel, done, over, words, urlsplit(chooses).path)
    return respond(request, template, page)


def _written(here: Source, link: ConsentLink, name: ConsentName, wording: str) -> bool:
    """Whether the answer is on disk; why not is for the team, not for their customer."""
    try:
        here.consent(consent_of(link, name, wording))
    except HarkError as error:
        logging.getLogger(__name__).warning("%s was not written: %s", name, error)
        return False
    return True


def consent_of(link: ConsentLink, name: ConsentName, wording: str) -> dict[str, str | int]:
    """The body of the log's consent row."""
    return {
        "name": name.value,
        "subject": link.subject,
        "topic": link.topic,
        "channel": link.channel,
        "message": link.message,
        "wording": wording,
    }


def _says(here: Source, topic: str, words: Words) -> str:
    """The team's words for the topic; its name where there are none any more that can be read."""
    found = topics(here).get(topic)
    return (found and found.words(words["language"])) or topic
