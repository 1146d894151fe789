"""/p/TOKEN: the customer's own page, on which they choose what to get. No account, no JavaScript.

Fetching it changes nothing; its form posts all choices at once. A tick is a subscription that needs no
further mail, since the link came to the customer's own address.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.reader import channels, record_of, topics, words_for
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.decide.consents import held
from hark.decide.suppressions import own_address
from hark.errors import HarkError
from hark.model import JSON, ConsentName, Record
from hark.speak.links import Preferences
from hark.speak.words import Words
from hark.understand.conditions.answers import State
from hark.understand.conditions.reachable import IN_APP


class Choice(Struct, frozen=True):
    """One topic on one channel."""

    field: str
    """The form's field: "topic/channel"."""
    topic: str
    channel: str
    says: str
    channel_says: str
    """"" where the topic comes by one channel only."""
    chosen: bool


class PreferencesPage(Struct, frozen=True):
    """What the customer may choose, and what became of the last choice."""

    words: Words
    who: str
    """The address, as far as its owner needs it."""
    choices: tuple[Choice, ...]
    saved: str
    """"" before anything was posted."""


# A mail program has no cookie to prove anything by; the signed token is the proof.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """/p/TOKEN"""
    here, link = source(), source().links.read(token)
    if not isinstance(link, Preferences):
        raise Http404
    record = record_of(here, link.subject) or Record(link.subject)
    said = words_for(request, record)
    found = tuple(choices(here, record, said))
    if request.method != "POST":
        return respond(request, "preferences.html", PreferencesPage(said, who(record), found, ""))
    leaving = request.POST.get("do") == "leave"
    wanted = frozenset() if leaving else frozenset(request.POST)
    bodies = [_leave_all(link, said)] if leaving else list(changes(link, found, wanted))
    if bodies and not _written(here, bodies):
        return unavailable(request, said["not_kept"])
    now = tuple(Choice(*_rest(one), chosen=one.field in wanted) for one in found)
    page = PreferencesPage(said, who(record), now, said["all_left" if leaving else "saved"])
    return respond(request, "preferences.html", page)


def choices(here: Source, record: Record, said: Words) -> Iterator[Choice]:
    """Every topic on every channel by which this customer can be reached or has answered."""
    known, language = topics(here), said["language"]
    answered = {key.rpartition("/")[2] for key in record.consents}
    reached = [
        one
        for one in sorted(channels(here))
        if one in ("email", IN_APP) or own_address(record, one) or one in answered
    ]
    for name, topic in known.items():
        for channel in reached:
            chosen = held(record, known, name, channel) == State.IN
            says = topic.words(language) or name.replace("_", " ").capitalize()
            by = said.get(channel, channel) if len(reached) > 1 else ""
            yield Choice(f"{name}/{channel}", name, channel, says, by, chosen)


def changes(link: Preferences, found: tuple[Choice, ...], wanted: frozenset[str]) -> Iterator[JSON]:
    """The consents that the form's answer means, of what is not so already."""
    for one in found:
        if (one.field in wanted) != one.chosen:
            name = ConsentName.UNSUBSCRIBED if one.chosen else ConsentName.CONFIRMED
            yield {
                "name": name.value,
                "subject": link.subject,
                "topic": one.topic,
                "channel": one.channel,
                "message": link.message,
                "wording": one.says,
                "asked": True,
            }


def who(record: Record) -> str:
    """The customer's address with most of it hidden: a message may be forwarded."""
    name, at, domain = own_address(record, "email").partition("@")
    return f"{name[:1]}…{at}{domain}" if at else "…"


def _leave_all(link: Preferences, said: Words) -> JSON:
    return {
        "name": ConsentName.UNSUBSCRIBED.value,
        "subject": link.subject,
        "topic": "",
        "channel": "",
        "message": link.message,
        "wording": said["leave_all"],
    }


def _rest(one: Choice) -> tuple[str, str, str, str, str]:
    return one.field, one.topic, one.channel, one.says, one.channel_says


def _written(here: Source, bodies: list[JSON]) -> bool:
    """Whether the answers are on disk; why not is for the team, not for their customer."""
    try:
        here.consent(*bodies)
    except HarkError as error:
        logging.getLogger(__name__).warning("preferences were not written: %s", error)
        return False
    return True
