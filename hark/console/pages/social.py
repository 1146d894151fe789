"""Links in messages to places elsewhere: what people did there they can tell us with one click, or not.

No network tells a shop who follows it. The page behind the link leads there, with the message's tags on the
address, and asks; only the button's POST is a report, and it is marked as one: `self_reported`, and no
activity, since only people who were written to have such a link. Doing it again does no harm.
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.clock import derived_id
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import mapping
from hark.definitions.mapping import SocialLink
from hark.definitions.parse import definition
from hark.errors import HarkError
from hark.model import JSON
from hark.speak.links import Report

NOT_WRITTEN = "Your answer could not be kept just now. Please try again in a minute."


class SocialPage(Struct, frozen=True):
    """Where a link leads, and whether the customer has said so."""

    network: str
    says: str
    event: str
    url: str
    """The address, tagged with the message."""
    done: bool


# A mail program has no cookie to prove anything by; the signed token is the proof.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """/r/TOKEN: the way there, and a button; POST says that it was done."""
    here, link = source(), source().links.read(token)
    social = _social(here, link) if isinstance(link, Report) else None
    if social is None or not isinstance(link, Report):
        raise Http404
    done = request.method == "POST"
    if done and not _written(here, link, social):
        return unavailable(request, NOT_WRITTEN)
    says = social.says or f"{social.event}: {social.network}"
    page = SocialPage(social.network, says, social.event, tagged(social.url, link), done)
    return respond(request, "social.html", page)


def tagged(url: str, link: Report) -> str:
    """The address with the usual tags, so that the network's own statistics can tell the message."""
    tags = urlencode({"utm_source": "hark", "utm_medium": "email", "utm_content": link.name})
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{tags}" if parts.query else tags))


def call_of(here: Source, link: Report, social: SocialLink) -> JSON | None:
    """The event, as a client of the customer's would send it; None: there is no such customer any more."""
    ids = here.state.ids(here.state.canonical(link.subject))
    who = next((one for kind in ("user", "anonymous") for one in ids if one[0] == kind), None)
    if who is None:
        return None
    said = {"network": social.network, "link": link.name, "message": link.message, "self_reported": True}
    return {
        "userId" if who[0] == "user" else "anonymousId": who[1],
        "event": social.event,
        "messageId": derived_id("report", link.subject, link.source, link.name),
        "properties": said,
        "context": {"active": False},
    }


def _written(here: Source, link: Report, social: SocialLink) -> bool:
    """Whether it is on disk; why not is for the team, not for their customer."""
    call = call_of(here, link, social)
    if call is None:
        return True
    try:
        here.track(link.source, call)
    except HarkError as error:
        logging.getLogger(__name__).warning("%s was not written: %s", social.event, error)
        return False
    return True


def _social(here: Source, link: Report) -> SocialLink | None:
    """The link as it is defined today; None: there is none of this name any more."""
    found = [one for one in here.state.documents() if (one.kind, one.name) == ("source", link.source)]
    for document in found:
        typed = definition(document)
        if isinstance(typed, mapping.Source):
            return typed.links.get(link.name)
    return None
