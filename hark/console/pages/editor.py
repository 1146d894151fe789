"""A campaign or segment written by a form beside its YAML. The YAML is the document: what the form changes
is written into it, what it does not show stays, and both are read by the parser of `hark plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, count

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct
from msgspec.structs import replace

from hark.console import saving
from hark.console.diagram import Diagram, diagram
from hark.console.forms import campaign, segment
from hark.console.forms.edits import edited, shown_of
from hark.console.forms.pointers import Body
from hark.console.forms.sections import Form, Sections, made
from hark.console.pages.definitions import EXAMPLES, OWN_PAGES, Moved, moved, saved_address, sentence_of
from hark.console.pages.errors import unavailable
from hark.console.pages.trial import trial
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import plan, yaml
from hark.definitions.document import Document
from hark.definitions.parse import Parsed
from hark.definitions.problems import DefinitionError, Problem
from hark.definitions.rewrite import body_of, rewritten
from hark.definitions.stages import built_in
from hark.definitions.types import Campaign, Segment
from hark.errors import HarkError
from hark.model import JSON

CLASH = "The same list was changed in the form and in the YAML: that of the YAML stays."
UNREAD = "The form is of the last YAML that could be read; its changes go in once the YAML can be read."
FORMS: Mapping[str, Sections] = {"campaign": campaign.sections, "segment": segment.sections}
"""Kinds of documents that have a form."""
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
    sentences: tuple[str, ...] = ()
    drawing: Diagram | None = None
    moved: tuple[Moved, ...] = ()
    """Who would be in the segment or audience, who would come and who would go."""


class EditorPage(Struct, frozen=True):
    """A document's YAML, the form of it, and what it would do."""

    kind: str
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
    def own_pages(self) -> str:
        """The address of the list of its kind."""
        return OWN_PAGES[self.kind]

    @property
    def changed(self) -> bool:
        return any(one.what != "same" for one in self.shown.changes)

    @property
    def newest(self) -> bool:
        return not self.versions or self.version == self.versions[-1]


def new(request: HttpRequest, kind: str) -> HttpResponse:
    """GET and POST /definitions/new/KIND"""
    text = begun(source().state.documents()) if kind == "campaign" else EXAMPLES[kind]
    return _edited(request, EditorPage(kind, "", 0, (), text, text))


def begun(documents: Sequence[Document]) -> str:
    """What a new campaign starts from: the example, with what there is in this workspace in place of the
    names that it lacks; under a name of its own, so that saving it changes no campaign that runs."""
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
    return text.replace("campaign: come_back", f"campaign: {_free('come_back', documents)}")


def _free(name: str, documents: Sequence[Document]) -> str:
    """The name, or the first of name_2, name_3 ... that no campaign has."""
    taken = {one.name for one in documents if one.kind == "campaign"}
    names = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(one for one in names if one not in taken)


def edit(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """GET and POST /definitions/KIND/NAME, with ?version=N for an older one."""
    versions = sorted(source().state.versions(kind, name), key=lambda one: one.version)
    asked = request.GET.get("version", "")
    found = next((one for one in versions[::-1] if asked in ("", str(one.version))), None)
    if found is None:
        raise Http404
    text, numbers = saving.text_of(found), tuple(one.version for one in versions)
    return _edited(request, EditorPage(kind, name, found.version, numbers, text, text))


def _edited(request: HttpRequest, page: EditorPage) -> HttpResponse:
    here = source()
    if request.method != "POST":
        return respond(request, "editor.html", filled(here, page))
    page = applied(page, request.POST)
    if request.POST.get("do") in ("try", "stop"):
        return trial(request, here, page.text)
    page = filled(here, page)
    if request.headers.get("HX-Request"):
        part = _part(page, request.headers.get("HX-Trigger", ""), request.POST)
        return respond(request, "editor_shown.html", replace(page, part=part))
    if request.POST.get("do") != "save" or page.shown.problems or page.said:
        return respond(request, "editor.html", page, 400 if request.POST.get("do") == "save" else 200)
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
    _, shown = made(FORMS[page.kind], before, not page.name)
    if now is None:
        return replace(page, draft=edited(before, before, shown, given, "").body, said=UNREAD)
    found = edited(now, before, shown, given, given.get("do", ""))
    text = rewritten(text, found.body)
    return replace(page, text=text, base=text, said=CLASH if found.clash else "", focus=found.focus)


def filled(here: Source, page: EditorPage) -> EditorPage:
    """With the form, what is to be chosen from, and what the document would do."""
    body = body_of(page.text) if page.draft is None else page.draft
    page = replace(page, shown=looked(here, page.kind, page.text), lists=_lists(here))
    if body is None:
        return page
    found = () if page.draft else _problems(here, yaml.write([body]))
    form, making = made(FORMS[page.kind], body, not page.name, page.text, found)
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


def looked(here: Source, kind: str, text: str) -> Shown:
    """What the text would change and do, or what is wrong with it by line."""
    try:
        wanted = saving.read(here, text)
    except DefinitionError as error:
        return Shown(saving.problems(error))
    if not wanted:
        return Shown(("There is no document in the text.",))
    if kind == "campaign" and [one.kind for one in wanted] != ["campaign"]:
        return Shown(("This page is for one campaign: the text has to be one campaign document.",))
    campaigns = [one.definition for one in wanted if isinstance(one.definition, Campaign)]
    current = here.state.documents()
    return Shown(
        warnings=saving.warnings(here, wanted),
        changes=tuple(plan.plan(current, wanted)),
        sentences=tuple(sentence_of(one) for one in wanted if sentence_of(one)),
        drawing=diagram(campaigns[0]) if len(wanted) == len(campaigns) == 1 else None,
        moved=tuple(_moved(here, one, current) for one in wanted if _where(one.kind, one.body) is not None),
    )


CONDITIONS = {"segment": "where", "campaign": "audience"}
"""By kind, the key of the condition by which people are chosen."""


def _where(kind: str, body: JSON) -> JSON:
    return body.get(CONDITIONS.get(kind, "")) or None


def _moved(here: Source, wanted: Parsed, current: Sequence[Document]) -> Moved:
    """Who would be chosen, against the version in force."""
    group = wanted.definition.group if isinstance(wanted.definition, Segment | Campaign) else ""
    known = next((one for one in current if (one.kind, one.name) == (wanted.kind, wanted.name)), None)
    was = _where(known.kind, known.body) if known else None
    against = None if was is None else {} if wanted.kind == "segment" else {"was": was, "group": group}
    return moved(here, wanted.name, _where(wanted.kind, wanted.body), group, against)


def _problems(here: Source, text: str) -> tuple[Problem, ...]:
    try:
        saving.read(here, text)
    except DefinitionError as error:
        return error.problems
    return ()
