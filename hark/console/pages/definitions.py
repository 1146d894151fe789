"""Definitions: all of them, one as YAML with its versions, and a text that becomes the next one."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import saving
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import plan
from hark.definitions.document import Document
from hark.definitions.documents import KINDS
from hark.definitions.parse import Parsed
from hark.definitions.problems import DefinitionError
from hark.definitions.sentences import of_campaign, of_segment
from hark.definitions.stages import text_of_built_in
from hark.definitions.types import Campaign, Segment
from hark.errors import HarkError
from hark.model import JSON, Instant

OWN_PAGES = {
    "segment": "/segments",
    "campaign": "/campaigns",
    "question": "/questions",
    "source": "/sources",
    "template": "/templates",
    "sender": "/senders",
    "engagement": "/engagement",
    "survey": "/surveys",
    "stage": "/stages",
}
"""Kinds with a page for each of theirs."""
ONE_PAGE = {"brand": "/brand"}
"""Kinds of which there is one."""
EXAMPLES = {
    "survey": """\
survey: how_likely
kind: nps
asks: How likely are you to recommend us to a friend?
low: Not at all
high: Very
""",
    "engagement": """\
engagement: reader
says: People who make reading a habit
levels:
  - {name: noticed, when: {did: {event: App Opened, within: 30d}}}
  - {name: reading, when: {did: {event: Content Read, within: 30d, days: {gte: 2}}}}
  - name: returning
    when: {did: {event: App Opened, within: 12w, weeks: {gte: 6}}}
    held_for: 4w
    grace: 14d
""",
    "stage": text_of_built_in(),
    "hypothesis": """\
hypothesis: quiet_buyers_return
seen: Four of ten who bought twice stay away for 45 days
belief: They come back if they see what is new in what they bought
# question: first_order         the saved question that showed it
# situation: slowing_down       the segment that it is about
# tests: [come_back]            the campaigns that test it
""",
    "content": """\
content: what_to_look_for
title: What to look for in a running shoe
url: https://shop.example/guides/what-to-look-for
format: guide                   # article, video, case study, webinar ... in your words
stage: [considering, evaluating]
topics: [running shoes, fit]
words: 1200                     # or minutes: 5
""",
    "segment": """\
segment: slowing_down
where:
  all:
    - did: {event: Order Completed, times: {gte: 2}}
    - did_not: {event: Order Completed, within: 45d}
""",
    "campaign": """\
campaign: come_back
hypothesis: >
  People who bought twice and then went quiet return if they see what is new.
trigger: {enters: slowing_down}
topic: news
goal: {event: Order Completed, within: 14d, value: revenue}
paused: yes
steps:
  - send: {channel: email, template: whats_new}
""",
}


class Line(Struct, frozen=True):
    """One document among others."""

    kind: str
    name: str
    version: int
    applied_at: Instant
    author: str
    address: str


class DefinitionsPage(Struct, frozen=True):
    """All documents in force, by kind."""

    lines: tuple[Line, ...]

    @property
    def kinds(self) -> list[tuple[str, list[Line]]]:
        known = dict.fromkeys(one.kind for one in self.lines)
        return [(kind, [one for one in self.lines if one.kind == kind]) for kind in known]


class Moved(Struct, frozen=True):
    """What saving a segment would do to who is in it."""

    name: str
    sentence: str
    count: int | None
    """How many would be in it; None: it could not be counted, and `note` says why."""
    share: float | None
    sample: tuple[str, ...]
    before: int | None = None
    """How many are in it now; None: the segment is new."""
    come: int = 0
    go: int = 0
    coming: tuple[str, ...] = ()
    going: tuple[str, ...] = ()
    note: str = ""
    group: str = ""
    """The type of the groups that it is of; "": it is of customers."""


class EditPage(Struct, frozen=True):
    """A text of documents, and what saving it would change."""

    kind: str
    name: str
    """"" for a new one."""
    version: int
    versions: tuple[int, ...]
    text: str
    note: str = ""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What is allowed and yet should be known."""
    changes: tuple[plan.Change, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return any(one.what != "same" for one in self.changes)

    @property
    def newest(self) -> bool:
        return not self.versions or self.version == self.versions[-1]

    @property
    def own_page(self) -> str:
        return f"{OWN_PAGES[self.kind]}/{self.name}" if self.name and self.kind in OWN_PAGES else ""


class SavedPage(Struct, frozen=True):
    """A version that was handed over and is not in force yet."""

    kind: str
    name: str
    version: int


def index(request: HttpRequest) -> HttpResponse:
    """GET /definitions"""
    lines = [_line(one) for one in source().state.documents()]
    order = list(KINDS)
    return respond(
        request,
        "definitions.html",
        DefinitionsPage(tuple(sorted(lines, key=lambda one: (order.index(one.kind), one.name)))),
    )


def _line(one: Document) -> Line:
    address = f"/definitions/{one.kind}/{one.name}"
    return Line(one.kind, one.name, one.version, one.applied_at, one.author, address)


def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /definitions/new?kind=topic; some kinds have an editor with a form."""
    kind = request.GET.get("kind", "segment")
    if kind in ("campaign", "segment"):
        return redirect(f"/definitions/new/{kind}")
    return _edited(request, EditPage(kind, "", 0, (), EXAMPLES.get(kind, "")))


def edit(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """GET and POST /definitions/KIND/NAME, with ?version=N for an older one."""
    versions = sorted(source().state.versions(kind, name), key=lambda one: one.version)
    asked = request.GET.get("version", "")
    found = next((one for one in versions[::-1] if asked in ("", str(one.version))), None)
    if found is None:
        raise Http404
    numbers = tuple(one.version for one in versions)
    return _edited(request, EditPage(kind, name, found.version, numbers, saving.text_of(found)))


def _edited(request: HttpRequest, page: EditPage) -> HttpResponse:
    if request.method != "POST":
        return respond(request, "edit.html", page)
    text, note = (
        request.POST.get("text", "").replace("\r\n", "\n"),
        request.POST.get("note", "").strip()[:500],
    )
    page = looked(source(), msgspec.structs.replace(page, text=text, note=note))
    if request.headers.get("HX-Request"):
        return respond(request, "edit_changes.html", page)
    if request.POST.get("do") != "save" or page.problems:
        return respond(request, "edit.html", page, 400 if page.problems else 200)
    try:
        changes = saving.save(source(), saving.read(source(), text), str(request.user), note)
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))


def looked(here: Source, page: EditPage) -> EditPage:
    """With what saving the text would change, or what is wrong with it."""
    try:
        wanted = saving.read(here, page.text)
    except DefinitionError as error:
        return msgspec.structs.replace(page, problems=saving.problems(error))
    if not wanted:
        return msgspec.structs.replace(page, problems=("There is no document in the text.",))
    return msgspec.structs.replace(
        page,
        warnings=saving.warnings(here, wanted),
        changes=tuple(plan.plan(here.state.documents(), wanted)),
        sentences=tuple(sentence_of(one) for one in wanted if sentence_of(one)),
    )


def sentence_of(one: Parsed) -> str:
    if isinstance(one.definition, Campaign):
        return of_campaign(one.definition)
    return of_segment(one.definition) if isinstance(one.definition, Segment) else ""


def moved(here: Source, name: str, where: JSON, group: str, known: JSON) -> Moved:
    """How many fit a condition now and some of them; where `known` says what it is compared with, who would
    come and who would go."""
    found = preview(here, name, where, group)
    if found.note or known is None:
        return found
    try:
        edit = here.ask({"segment_edit": {"name": name, "where": where, **known}})
    except HarkError as error:
        return msgspec.structs.replace(found, count=None, note=str(error))
    come, go = edit["come"], edit["go"]
    return msgspec.structs.replace(
        found,
        before=edit["before"],
        come=come["count"],
        go=go["count"],
        coming=tuple(come["sample"]),
        going=tuple(go["sample"]),
    )


def preview(here: Source, name: str, where: JSON, group: str) -> Moved:
    """How many fit a condition now, and some of them."""
    try:
        found = here.ask({"segment_preview": {"where": where, "group": group}})
    except HarkError as error:
        return Moved(name, "", None, None, (), note=str(error))
    count, everybody = found["count"], found["customers"]
    share = count / everybody if everybody else None
    return Moved(name, "", count, share, tuple(found["sample"]), group=group)


def saved_address(change: plan.Change) -> str:
    """Where to wait for a version."""
    return f"/saved/{change.kind}/{change.name}/{change.version}"


def saved(request: HttpRequest, kind: str, name: str, version: int) -> HttpResponse:
    """GET /saved/KIND/NAME/VERSION: its own page once it is in force; until then a page that looks again."""
    if any(one.version >= version for one in source().state.versions(kind, name)):
        own = f"{OWN_PAGES[kind]}/{name}" if kind in OWN_PAGES else f"/definitions/{kind}/{name}"
        return redirect(ONE_PAGE.get(kind, own))
    return respond(request, "saved.html", SavedPage(kind, name, version))
