"""A campaign written by a form beside its YAML. The YAML is the document: what the form changes is written
into it, what it does not show stays, and both are read by the parser of `hark plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct
from msgspec.structs import replace

from hark.console import campaign_form as form
from hark.console import saving
from hark.console.diagram import Diagram, diagram
from hark.console.pages.definitions import EXAMPLES, Moved, preview, saved_address
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import plan, yaml
from hark.definitions.document import Document
from hark.definitions.problems import DefinitionError, Problem
from hark.definitions.rewrite import body_of, rewritten
from hark.definitions.sending import CUSTOMERS
from hark.definitions.sentences import of_campaign
from hark.definitions.types import Campaign
from hark.errors import HarkError

TRIGGERS = {
    "event": "An event",
    "enters": "Entering a segment",
    "date": "A date of the customer",
    "schedule": "A schedule",
    "broadcast": "Once, to everybody in the audience",
    "api": "A call of the API",
}
STEPS = {"send": "Send", "wait": "Wait"}
CLASH = "The steps were changed in the form and in the YAML: those of the YAML stay."
UNREAD = "The form is of the last YAML that could be read; its changes go in once the YAML can be read."


class StepShown(Struct, frozen=True):
    """A step of the form, and what is wrong with it."""

    number: int
    step: form.Step
    wrong: dict[str, list[str]]
    """By key; "all" for the step itself."""


class Shown(Struct, frozen=True):
    """What the document says and does, as far as it can be read."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    wrong: dict[str, list[str]] = {}
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
    values: dict[str, str] = {}
    steps: tuple[StepShown, ...] | None = ()
    unshown: tuple[str, ...] = ()
    shown: Shown = Shown()
    note: str = ""
    said: str = ""
    """About the last change."""
    names: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    part: str = ""
    """What a browser gets anew beside `shown`: form or text; "" for the whole page."""

    @property
    def newest(self) -> bool:
        return not self.versions or self.version == self.versions[-1]

    @property
    def triggers(self) -> dict[str, str]:
        return TRIGGERS

    @property
    def kinds(self) -> dict[str, str]:
        return STEPS

    @property
    def channels(self) -> tuple[str, ...]:
        return CUSTOMERS

    @property
    def slots(self) -> dict[str, list[str]]:
        """What is wrong by field, those with nothing wrong too."""
        names = (
            *(name for name in form.FIELDS if name != "name"),
            "top",
            "trigger",
            "audience",
            "goal",
            "steps",
        )
        return {name: self.shown.wrong.get(name, []) for name in names}


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
        part = "form" if request.headers.get("HX-Trigger") == "text" else "text"
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


def applied(page: EditorPage, given: Mapping[str, str]) -> EditorPage:
    """The page after a post: the YAML as it was sent, with what the form changed written into it."""
    text = given.get("text", "").replace("\r\n", "\n")
    base = given.get("base", text).replace("\r\n", "\n")
    page = replace(page, text=text, base=base, note=given.get("note", "").strip()[:500])
    before, now = body_of(base), body_of(text)
    if before is None:
        return replace(page, base=text)
    wanted = form.moved(form.posted(given, form.form_of(before)), *_asked(given.get("do", "")))
    if now is None:
        return replace(page, values=wanted.values, steps=_steps(wanted, {}), said=UNREAD)
    body, clash = form.changed(now, before, wanted)
    text = rewritten(text, body)
    return replace(page, text=text, base=text, said=CLASH if clash else "")


def _asked(do: str) -> tuple[str, str]:
    what, _, about = do.partition(":")
    return what, about


def filled(here: Source, page: EditorPage) -> EditorPage:
    """With the form's values, what is to be chosen from, and what the document would do."""
    documents = here.state.documents()
    body = body_of(page.text)
    found = looked(here, page.text, body)
    if body is not None:
        made = form.form_of(body)
        steps = _steps(made, found.wrong)
        page = replace(page, values=made.values, steps=steps, unshown=form.unshown(body))
    kinds: dict[str, Any] = {
        kind: tuple(one.name for one in documents if one.kind == kind[:-1])
        for kind in ("segments", "topics", "templates")
    }
    return replace(page, shown=found, names=here.names(), **kinds)


def _steps(made: form.Form, wrong: Mapping[str, list[str]]) -> tuple[StepShown, ...] | None:
    if made.steps is None:
        return None
    return tuple(StepShown(at, one, _wrong(at, one, wrong)) for at, one in enumerate(made.steps))


def _wrong(at: int, step: form.Step, wrong: Mapping[str, list[str]]) -> dict[str, list[str]]:
    found = {"all": list(wrong.get(f"s{at}", []))} | {key: wrong.get(f"s{at}-{key}", []) for key in step.said}
    for place, said in wrong.items():
        number, _, key = place.partition("-")
        if number == f"s{at}" and key and key not in step.said:
            found["all"] += said
    return found


def looked(here: Source, text: str, body: form.Body | None) -> Shown:
    """What the text would change and do, or what is wrong with it, by line and by field."""
    try:
        wanted = saving.read(here, text)
    except DefinitionError as error:
        return Shown(saving.problems(error), wrong=_placed(here, body))
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


def _placed(here: Source, body: form.Body | None) -> dict[str, list[str]]:
    """The same problems by field: of the document written out with a line for every value."""
    if body is None:
        return {}
    text = yaml.write([body])
    return form.places(_problems(here, text), text)


def _problems(here: Source, text: str) -> tuple[Problem, ...]:
    try:
        saving.read(here, text)
    except DefinitionError as error:
        return error.problems
    return ()
