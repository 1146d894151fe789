"""Templates: all of them, and each as a customer would get it, with a test send to an address of the team."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON
from hark.previews import book_of, send_test, shown, traits_of
from hark.settings import read
from hark.speak.lint import Finding
from hark.speak.preview import NOWHERE, About

FRAMED = "; ".join(
    [
        "sandbox",
        "default-src 'none'",
        "img-src 'self' https: data:",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'self'",
    ]
)
"""What stands in the frame runs nothing, and reaches nothing but its own pictures."""


class TemplateLine(Struct, frozen=True):
    name: str
    channel: str
    subject: str
    languages: tuple[str, ...]
    problem: str
    blocks: bool = False
    """Made in the composer."""


class TemplatesPage(Struct, frozen=True):
    """All templates."""

    lines: tuple[TemplateLine, ...]


class PreviewPage(Struct, frozen=True):
    """One template as a customer would get it."""

    name: str
    channel: str
    customer: str
    event: str
    data: str
    topic: str
    topics: tuple[str, ...]
    subject: str = ""
    html: bool = False
    text: str = ""
    why_not: str = ""
    findings: tuple[Finding, ...] = ()
    query: str = ""
    """The same question, for the frame."""
    blocks: bool = False
    problem: str = ""
    sent: str = ""


def index(request: HttpRequest) -> HttpResponse:
    """GET /templates"""
    book = book_of(source().state.documents())
    lines = [
        TemplateLine(one.name, one.channel, one.subject, tuple(sorted(one.languages)), "", bool(one.blocks))
        for one in book.templates.values()
    ] + [TemplateLine(name, "", "", (), problem) for name, problem in book.broken.items()]
    return respond(request, "templates.html", TemplatesPage(tuple(sorted(lines, key=lambda one: one.name))))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /templates/NAME?customer=&event={}&data={}&topic=; POST with `to` sends a test"""
    here = source()
    page = _page(here, request, name)
    if request.method != "POST":
        return respond(request, "template.html", page, 400 if page.problem else 200)
    to = request.POST.get("to", "").strip()
    try:
        said = send_test(here.state, name, _about(here, page), to, read(here.data).outbound_allow, here.clock)
    except HarkError as error:
        return respond(request, "template.html", msgspec.structs.replace(page, problem=error.message), 400)
    return respond(request, "template.html", msgspec.structs.replace(page, sent=f"Sent to {to}. {said}"))


def frame(request: HttpRequest, name: str) -> HttpResponse:
    """GET /templates/NAME/frame: the HTML part alone, for the page's frame."""
    here = source()
    page = _page(here, request, name)
    found = shown(here.state, name, _about(here, page), here.clock)
    if page.problem or found.said is None or found.said.html is None:
        raise Http404
    return framed(found.said.html)


def framed(html: str) -> HttpResponse:
    """A mail's HTML for a frame; pictures of the library come from here."""
    answer = HttpResponse(html.replace(f"{NOWHERE.base}/i/", "/i/"))
    answer["Content-Security-Policy"], answer["X-Frame-Options"] = FRAMED, "SAMEORIGIN"
    return answer


def _page(here: Source, request: HttpRequest, name: str) -> PreviewPage:
    customer, event, data, topic = (
        request.GET.get(key, "").strip() for key in ("customer", "event", "data", "topic")
    )
    documents = here.state.documents()
    topics = tuple(one.name for one in documents if one.kind == "topic")
    bare = PreviewPage(name, "", customer, event, data, topic, topics, query=request.GET.urlencode())
    book = book_of(documents)
    if name not in book.templates and name not in book.broken:
        raise Http404
    try:
        found = shown(here.state, name, _about(here, bare), here.clock)
    except HarkError as error:
        return msgspec.structs.replace(bare, problem=f"{error.message}. {error.hint}")
    channel = book.templates[name].channel if name in book.templates else ""
    blocks = name in book.templates and bool(book.templates[name].blocks)
    said: dict[str, Any] = {
        "blocks": blocks,
        "channel": channel,
        "why_not": found.why_not,
        "findings": tuple(found.findings),
    }
    if found.said:
        said |= {"subject": found.said.subject, "html": found.said.html is not None, "text": found.said.text}
    return msgspec.structs.replace(bare, **said)


def _about(here: Source, page: PreviewPage) -> About:
    event, data = _object(page.event, "event"), _object(page.data, "data")
    return About(traits_of(here.state, page.customer), event, data, page.topic)


def _object(text: str, name: str) -> dict[str, JSON]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, JSON])
    except msgspec.DecodeError:
        raise HarkError(f"{name} is no JSON object", 'write it like {"order": 7}', "preview.data") from None
