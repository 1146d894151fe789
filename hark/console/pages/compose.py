"""The composer: a mail out of blocks, in forms. Each step is a form post that changes a draft, so it works
without JavaScript; the draft stays with the session until it is saved as a version of the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import saving
from hark.console.pages.definitions import saved_address
from hark.console.pages.errors import unavailable
from hark.console.pages.templates import framed
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions import yaml
from hark.definitions.blocks import KINDS, TAKES
from hark.definitions.problems import DefinitionError
from hark.errors import HarkError
from hark.model import JSON
from hark.previews import book_of, shown_of, traits_of
from hark.speak.images import Library, Picture
from hark.speak.lint import Finding
from hark.speak.preview import About, Preview

LABELS = {
    "heading": "Heading",
    "text": "Text",
    "image": "Image",
    "button": "Button",
    "products": "Product list",
    "snippet": "Snippet",
    "line": "Line",
}
MOST = 60
"""Blocks of one mail."""
FRESH: dict[str, JSON] = {
    "subject": "",
    "blocks": [
        {"heading": "What is new"},
        {"text": "Hello {{ customer.first_name | default: 'there' }},\n\nwrite here what it is about."},
        {"button": "Have a look", "to": "https://example.com"},
    ],
}
EMPTY: dict[str, JSON] = {
    "heading": {"heading": ""},
    "text": {"text": ""},
    "image": {"image": "", "alt": ""},
    "button": {"button": "", "to": "https://"},
    "products": {"products": "event.items", "most": 4},
    "snippet": {"snippet": ""},
    "line": {"line": "yes"},
}


class Field(Struct, frozen=True):
    """One block as the form has it."""

    number: int
    kind: str
    label: str
    says: str
    to: str
    alt: str
    most: str
    takes: tuple[str, ...]


class ComposePage(Struct, frozen=True):
    """A draft, and how it would look."""

    name: str
    subject: str
    fields: tuple[Field, ...]
    pictures: tuple[Picture, ...]
    snippets: tuple[str, ...]
    topic: str
    """About what it is shown."""
    topics: tuple[str, ...]
    customer: str
    version: int
    changed: bool
    """The draft is other than what is in force."""
    kinds: tuple[tuple[str, str], ...] = tuple(LABELS.items())
    problems: tuple[str, ...] = ()
    why_not: str = ""
    shows: bool = False
    text: str = ""
    findings: tuple[Finding, ...] = ()
    seen: str = ""
    """Changes with the draft, so that frames load anew."""


def start(request: HttpRequest) -> HttpResponse:
    """GET /compose?name=: on to the composer of that name."""
    name = "_".join(request.GET.get("name", "").lower().split())
    return redirect(f"/compose/{name}" if name else "/templates")


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /compose/NAME; POST the form with do=preview, add:KIND, up:N, down:N, remove:N, drop or save."""
    here = source()
    if request.method == "POST":
        return _changed(request, here, name)
    return respond(request, "compose.html", _page(request, here, name))


def frame(request: HttpRequest, name: str) -> HttpResponse:
    """GET /compose/NAME/frame: the draft's HTML alone."""
    here = source()
    try:
        found = _preview(request, here, name)
    except (DefinitionError, HarkError):
        raise Http404 from None
    if found.said is None or found.said.html is None:
        raise Http404
    return framed(found.said.html)


def _changed(request: HttpRequest, here: Source, name: str) -> HttpResponse:
    do, _, about = request.POST.get("do", "preview").partition(":")
    if do == "drop":
        request.session.pop(_key(name), None)
        return redirect(f"/compose/{name}")
    request.session[_key(name)] = moved(posted(request.POST), do, about)
    page = _page(request, here, name)
    if request.headers.get("HX-Request"):
        return respond(request, "compose_shown.html", page)
    if do == "save" and not page.problems:
        return _saved(request, here, name)
    return respond(request, "compose.html", page, 400 if do == "save" else 200)


def _saved(request: HttpRequest, here: Source, name: str) -> HttpResponse:
    document = _document(here, name, _draft(request, here, name))
    try:
        wanted = saving.read_documents(here, [document])
        changes = saving.save(here, wanted, str(request.user), request.POST.get("note", "").strip()[:500])
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    request.session.pop(_key(name), None)
    return redirect(saved_address(changes[-1]))


def posted(form: Mapping[str, str]) -> dict[str, Any]:
    """The draft that the form says."""
    numbers = sorted(int(key[1:-5]) for key in form if key.endswith("-kind") and key[1:-5].isdecimal())
    blocks = [one for number in numbers[:MOST] if (one := _block(form, f"b{number}-"))]
    return {
        "subject": " ".join(form.get("subject", "").split()),
        "blocks": blocks,
        "topic": form.get("topic", ""),
        "customer": form.get("customer", "").strip(),
    }


def _block(form: Mapping[str, str], at: str) -> dict[str, Any] | None:
    kind = form.get(f"{at}kind", "")
    if kind not in KINDS:
        return None
    says = form.get(f"{at}says", "").replace("\r\n", "\n").strip()
    block: dict[str, Any] = {kind: "yes" if kind == "line" else says}
    for key in TAKES.get(kind, ()):
        value = form.get(f"{at}{key}", "").strip()
        if value:
            block[key] = int(value) if key == "most" and value.isdecimal() else value
    return block


def moved(draft: dict[str, Any], do: str, about: str) -> dict[str, Any]:
    """The draft after one button: a block more, one less, or one elsewhere."""
    blocks = list(draft["blocks"])
    if do == "add" and about in EMPTY and len(blocks) < MOST:
        blocks.append(EMPTY[about])
    elif about.isdecimal() and int(about) < len(blocks):
        place = int(about)
        if do == "remove":
            del blocks[place]
        elif do == "up" and place:
            blocks[place - 1], blocks[place] = blocks[place], blocks[place - 1]
        elif do == "down" and place + 1 < len(blocks):
            blocks[place + 1], blocks[place] = blocks[place], blocks[place + 1]
    return draft | {"blocks": blocks}


def _key(name: str) -> str:
    return f"draft:{name}"


def _stored(here: Source, name: str) -> tuple[int, dict[str, Any]]:
    """Version and body of the template in force; 0 where there is none. 404 for one that is not of blocks."""
    found = next((one for one in here.state.documents() if (one.kind, one.name) == ("template", name)), None)
    if found is not None and "blocks" not in found.body:
        raise Http404
    return (found.version, dict(found.body)) if found else (0, {})


def _draft(request: HttpRequest, here: Source, name: str) -> dict[str, Any]:
    _, body = _stored(here, name)
    kept: dict[str, Any] | None = request.session.get(_key(name))
    if kept is not None:
        return kept
    return {"subject": body["subject"], "blocks": body["blocks"]} if body else dict(FRESH)


def _document(here: Source, name: str, draft: dict[str, Any]) -> JSON:
    """The template's next version: what the composer does not show (languages, a text part) stays."""
    _, body = _stored(here, name)
    mine = {"template": name, "channel": "email"}
    return body | mine | {"subject": draft["subject"], "blocks": _written(draft["blocks"])}


def _written(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what was left empty, so that a problem is named as a key that is missing."""
    return [{key: value for key, value in one.items() if value != ""} for one in blocks]


def _page(request: HttpRequest, here: Source, name: str) -> ComposePage:
    version, body = _stored(here, name)
    draft = _draft(request, here, name)
    documents = here.state.documents()
    page = ComposePage(
        name,
        draft["subject"],
        tuple(_field(number, one) for number, one in enumerate(draft["blocks"])),
        tuple(Library(here.data).all()),
        tuple(one.name for one in documents if one.kind == "snippet"),
        draft.get("topic", ""),
        tuple(one.name for one in documents if one.kind == "topic"),
        draft.get("customer", ""),
        version,
        not body or (draft["subject"], _written(draft["blocks"])) != (body["subject"], body["blocks"]),
        seen=str(abs(hash(repr(draft)))),
    )
    return msgspec.structs.replace(page, **_shown(request, here, name))


def _shown(request: HttpRequest, here: Source, name: str) -> dict[str, Any]:
    try:
        found = _preview(request, here, name)
    except DefinitionError as error:
        return {"problems": saving.problems(error)}
    except HarkError as error:
        return {"problems": (f"{error.message}. {error.hint}",)}
    if found.said is None:
        return {"why_not": found.why_not}
    return {"shows": True, "text": found.said.text, "findings": tuple(found.findings)}


def _preview(request: HttpRequest, here: Source, name: str) -> Preview:
    """Raises DefinitionError where the draft is no template yet, HarkError for an unknown customer."""
    draft = _draft(request, here, name)
    wanted = saving.read(here, yaml.write([_document(here, name, draft)]))
    book = book_of(here.state.documents(), [one.definition for one in wanted])
    about = About(traits_of(here.state, draft.get("customer", "")), topic=draft.get("topic", ""))
    return shown_of(name, book, about, here.clock)


def _field(number: int, block: dict[str, Any]) -> Field:
    kind = next(kind for kind in KINDS if kind in block)
    says = "" if kind == "line" else str(block[kind])
    to, alt, most = (str(block.get(key, "")) for key in ("to", "alt", "most"))
    return Field(number, kind, LABELS[kind], says, to, alt, most, TAKES.get(kind, ()))
