"""Links in messages: leaving a topic, and confirming a subscription. Without signing in.

Fetching a link changes nothing (mail scanners fetch every link); only POST acts, for people by the page's
button and for mail programs by RFC 8058 one-click. Doing it again does no harm.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Topic
from hark.model import ConsentName
from hark.speak.links import Confirm, Link, Unsubscribe


class ConsentPage(Struct, frozen=True):
    """What a link is about, and whether it has been done."""

    topic: str
    says: str
    """The topic in the team's words."""
    channel: str
    done: bool


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


def _read(token: str, type_: type[Link]) -> Link:
    link = source().links.read(token)
    if not isinstance(link, type_):
        raise Http404
    return link


def _answer(request: HttpRequest, link: Link, name: ConsentName, template: str) -> HttpResponse:
    done = request.method == "POST"
    if done:
        source().consent(consent_of(link, name))
    return respond(
        request, template, ConsentPage(link.topic, _says(source(), link.topic), link.channel, done)
    )


def consent_of(link: Link, name: ConsentName) -> dict[str, str | int]:
    """The body of the log's consent row."""
    return {
        "name": name.value,
        "subject": link.subject,
        "topic": link.topic,
        "channel": link.channel,
        "message": link.message,
    }


def _says(here: Source, topic: str) -> str:
    found = (definition(one) for one in here.state.documents() if (one.kind, one.name) == ("topic", topic))
    return next((one.says for one in found if isinstance(one, Topic) and one.says), topic)
