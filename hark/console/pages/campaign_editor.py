"""A campaign written by a form beside its YAML. The YAML is the document: what the form changes is written
into it, what it does not show stays, and both are read by the parser of `hark plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct
from msgspec.structs import replace

from hark.console import saving
from hark.console.diagram import Diagram, diagram
from hark.console.forms.campaign import sections
from hark.console.forms.edits import edited, shown_of
from hark.console.forms.pointers import Body
from hark.console.forms.sections import Form, made
from hark.console.pages.definitions import EXAMPLES, Moved, preview, saved_address
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import plan, yaml
from hark.definitions.document import Document
from hark.definitions.problems import DefinitionError, Problem
from hark.definitions.rewrite import body_of, rewritten
from hark.definitions.sentences import of_campaign
from hark.definitions.stages import built_in
from hark.definitions.types import Campaign
from hark.errors import HarkError

CLASH = "The same list was changed in the form and in the YAML: that of the YAML stays."
UNREAD = "The form is of the last YAML that could be read; its changes go in once the YAML can be read."
LISTS = {
    "segments": "segment",
    "topics": "topic",
    "templates": "template",
    "senders": "sender",
    "engagements": "engagement",
    "programmes": "programme",
}
"""Lists of suggestions, by the kind of document whose names they are."""


class Shown(Struct, frozen=True):
    """What the document says and does, as far as it can be read."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: tuple[plan.Change, ...] = ()
    sentence: str = ""
    drawing: Diagram | None = None
    audience: Moved | None = None


class EditorPage(Struct, frozen=True):
    """A campaign's YAML, the form of it, and what it would do."""

    name: str
    """"" for a new one."""
    version: int
    versions: tuple[int, ...]
    text: str
    base: str
    """The text of which the form was made; changes of the form are against it."""
    form: Form = Form()
    slots: dict[str, tuple[str, ...]] = {}
    """What is wrong by the form's field, those with nothing wrong too."""
    lists: dict[str, tuple[str, ...]] = {}
    shown: Shown = Shown()
    note: str = ""
    said: str = ""
    """About the last change."""
    focus: str = ""
    """What was added or moved last."""
    part: str = ""
    """What a browser gets anew beside `shown`: form, text or both; "" for the whole page."""
    draft: Body | None = None
    """What the form says where the YAML cannot be read."""

    fields: frozenset[str] = frozenset()
    """The names of the form's fields."""

    @property
    def newest(self) -> bool:
        return not self.versions or self.version == self.versions[-1]


def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /definitions/new/campaign"""
    text = begun(source().state.documents())
    return _edited(request, EditorPage("", 0, (), text, text))


def begun(documents: Sequence[Document]) -> str:
    """What a new campaign starts from: the example, with what there is in this workspace in place of the
    names that it lacks."""
    named = {
        kind: [one.name for one in documents if one.kind == kind and "subject" not in one.body]
        for kind in ("segment", "topic")
    }
    named["template"] = [
        one.name for one in documents if one.kind == "template" and one.body.get("channel") == "email"
    ]
    text = EXAMPLES["campaign"]
    if not named["segment"]:
        text = text.replace("{enters: slowing_down}", "{event: Product Viewed}")
    for kind, example in (("segment", "slowing_down"), ("template", "whats_new"), ("topic", "news")):
        if named[kind] and example not in named[kind]:
            text = text.replace(example, min(named[kind]))
    return text


def edit(request: HttpRequest, name: str) -> HttpResponse:
    """GET and POST /definitions/campaign/NAME, with ?version=N for an older one."""
    versions = sorted(source().state.versions("campaign", name), key=lambda one: one.version)
    asked = request.GET.get("version", "")
    found = next((one for one in versions[::-1] if asked in ("", str(one.version))), None)
    if found is None:
        raise Http404
    text = saving.text_of(found)
    return _edited(
        request, EditorPage(name, found.version, tuple(one.version for one in versions), text, text)
    )


def _edited(request: HttpRequest, page: EditorPage) -> HttpResponse:
    here = source()
    if request.method != "POST":
        return respond(request, "campaign_editor.html", filled(here, page))
    page = filled(here, applied(page, request.POST))
    if request.headers.get("HX-Request"):
        part = _part(page, request.headers.get("HX-Trigger", ""), request.POST)
        return respond(request, "campaign_shown.html", replace(page, part=part))
    if request.POST.get("do") != "save" or page.shown.problems or page.said:
        return respond(
            request, "campaign_editor.html", page, 400 if request.POST.get("do") == "save" else 200
        )
    try:
        changes = saving.save(here, saving.read(here, page.text), str(request.user), page.note)
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))


def _part(page: EditorPage, by: str, given: Mapping[str, str]) -> str:
    """The form where its fields are others than those that were sent; never the text that is being typed."""
    if by == "text":
        return "form"
    return "text" if page.fields == given.keys() & page.fields else "both"


def applied(page: EditorPage, given: Mapping[str, str]) -> EditorPage:
    """The page after a post: the YAML as it was sent, with what the form changed written into it."""
    text = given.get("text", "").replace("\r\n", "\n")
    base = given.get("base", text).replace("\r\n", "\n")
    page = replace(page, text=text, base=base, note=given.get("note", "").strip()[:500])
    before, now = body_of(base), body_of(text)
    if before is None:
        return replace(page, base=text)
    _, shown = made(sections, before, not page.name)
    if now is None:
        return replace(page, draft=edited(before, before, shown, given, "").body, said=UNREAD)
    found = edited(now, before, shown, given, given.get("do", ""))
    text = rewritten(text, found.body)
    return replace(page, text=text, base=text, said=CLASH if found.clash else "", focus=found.focus)


def filled(here: Source, page: EditorPage) -> EditorPage:
    """With the form, what is to be chosen from, and what the document would do."""
    body = body_of(page.text) if page.draft is None else page.draft
    page = replace(page, shown=looked(here, page.text), lists=_lists(here))
    if body is None:
        return page
    found = () if page.draft else _problems(here, yaml.write([body]))
    form, making = made(sections, body, not page.name, page.text, found)
    slots = {slot: making.at(slot) for slot in dict.fromkeys(making.places.values())}
    return replace(page, form=form, slots=slots, fields=frozenset(shown_of(making)))


def _lists(here: Source) -> dict[str, tuple[str, ...]]:
    """What fields suggest, by the name of the list."""
    documents = here.state.documents()
    named = {name: tuple(one.name for one in documents if one.kind == kind) for name, kind in LISTS.items()}
    return {
        "names": here.names(),
        **named,
        **{kind: _levels(documents, kind) for kind in ("levels", "stages")},
    }


def _levels(documents: Sequence[Document], key: str) -> tuple[str, ...]:
    """The names of all levels, or of the stages."""
    kind = {"levels": "engagement", "stages": "stage"}[key]
    bodies = [one.body for one in documents if one.kind == kind]
    if not bodies and kind == "stage":
        bodies = [built_in()[0].body]
    found = [one["name"] if isinstance(one, dict) else one for body in bodies for one in body[key]]
    return tuple(dict.fromkeys(found))


def looked(here: Source, text: str) -> Shown:
    """What the text would change and do, or what is wrong with it by line."""
    try:
        wanted = saving.read(here, text)
    except DefinitionError as error:
        return Shown(saving.problems(error))
    if [one.kind for one in wanted] != ["campaign"]:
        return Shown(("This page is for one campaign: the text has to be one campaign document.",))
    (one,) = wanted
    assert isinstance(one.definition, Campaign)
    where = one.body.get("audience")
    return Shown(
        warnings=saving.warnings(here, wanted),
        changes=tuple(plan.plan(here.state.documents(), wanted)),
        sentence=of_campaign(one.definition),
        drawing=diagram(one.definition),
        audience=preview(here, one.name, where, "") if where else None,
    )


def _problems(here: Source, text: str) -> tuple[Problem, ...]:
    try:
        saving.read(here, text)
    except DefinitionError as error:
        return error.problems
    return ()
