"""Saved questions: all of them, one with its answer, and saving the one that a page shows."""

from __future__ import annotations

from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import saving
from hark.console.asking import FIELDS, Ask, Saved, read, written
from hark.console.pages.asked import answered, page_of, patience
from hark.console.pages.definitions import saved_address
from hark.console.pages.errors import unavailable
from hark.console.pages.kinds import PAGES
from hark.console.respond import respond
from hark.console.sharing import question
from hark.console.source import source
from hark.definitions.document import Document
from hark.definitions.problems import DefinitionError
from hark.errors import HarkError
from hark.model import Instant


class QuestionLine(Struct, frozen=True):
    """One saved question among others."""

    name: str
    says: str
    kind: str
    sentence: str
    version: int
    applied_at: Instant
    author: str


class QuestionsPage(Struct, frozen=True):
    """All saved questions, by name."""

    questions: tuple[QuestionLine, ...]


def index(request: HttpRequest) -> HttpResponse:
    """GET /questions: all; POST: save one, given by its kind and the parameters of its address."""
    if request.method == "POST":
        return _save(request)
    found = (_line(one) for one in source().state.documents() if one.kind == "question")
    return respond(request, "questions.html", QuestionsPage(tuple(found)))


def _line(one: Document) -> QuestionLine:
    ask = asked(one, (one.version,))
    page = PAGES[ask.kind][0](ask, (), ())
    said = ask.saved.says if ask.saved else ""
    return QuestionLine(one.name, said, ask.kind, page.sentence, one.version, one.applied_at, one.author)


def asked(document: Document, versions: tuple[int, ...]) -> Ask:
    """The question in a document."""
    (kind,) = FIELDS.keys() & document.body.keys()
    says = " ".join(str(document.body.get("says", "")).split())
    return written(kind, document.body[kind], Saved(document.name, says, document.version, versions))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /questions/NAME, with ?version=N for an older one: the kind's page, with today's answer."""
    versions = sorted(source().state.versions("question", name), key=lambda one: one.version)
    wanted = request.GET.get("version", "")
    found = next((one for one in versions[::-1] if wanted in ("", str(one.version))), None)
    if found is None:
        raise Http404
    ask = asked(found, tuple(one.version for one in versions))
    return answered(request, page_of(source(), ask, patience(request)))


def _save(request: HttpRequest) -> HttpResponse:
    kind = request.POST.get("kind", "")
    if kind not in FIELDS:
        raise Http404
    ask = read(kind, dict(parse_qsl(request.POST.get("query", ""))))
    if ask.body is None:
        raise Http404
    name, says = (request.POST.get(field, "").strip() for field in ("name", "says"))
    try:
        wanted = saving.read_documents(source(), [question(name, kind, ask.body, says)])
        changes = saving.save(source(), wanted, str(request.user), "")
    except DefinitionError as error:
        page = page_of(source(), Ask(kind, ask.typed, ask.body, "; ".join(saving.problems(error))))
        return answered(request, page)
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))
