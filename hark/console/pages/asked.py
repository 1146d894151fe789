"""The pages of questions: one way to ask, to answer, to share and to save for every kind.

Each kind adds only how its answer is shown: `funnel`, `retention`, `paths`, `lifecycle`, `trend`, `sessions`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.asking import Ask, read
from hark.console.respond import respond, wants_json
from hark.console.sharing import Share, share
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.questions import Progress
from hark.understand.tabular import Tabular, as_bytes

PERIODS = ("day", "week", "month")
PATIENCE_S = 1.0
FOREVER_S = float("inf")


class QuestionPage(Struct, frozen=True):
    """A question and, once it is asked, its answer."""

    ask: Ask
    names: tuple[str, ...]
    """Event names to choose from, the most frequent first."""
    segments: tuple[str, ...]
    answer: Any = None
    progress: Progress | None = None
    """How far the question is, as long as there is no answer."""

    @property
    def back(self) -> str:
        """Where to go when the question is cancelled: its form."""
        return self.ask.form_address

    @property
    def share(self) -> Share | None:
        """The same answer by address, command, Python, document and file."""
        return share(self.ask)

    @property
    def sentence(self) -> str:
        """The question in words, above its answer."""
        raise NotImplementedError

    @property
    def limits(self) -> str:
        """The range and the segment it is about, as the end of a sentence."""
        typed = self.ask.typed
        said = [f"since {typed['since']}"] if typed["since"] else []
        said += [f"until {typed['until']}"] if typed["until"] else []
        said += [f"among {typed['among']}"] if typed["among"] else []
        said += [f"of groups of type {self.group}"] if self.group else []
        return "".join(f", {one}" for one in said)

    @property
    def group(self) -> str:
        """The type of the groups that it is about; "": customers."""
        subject = self.ask.typed["subject"]
        return "" if subject == "customer" else subject

    @property
    def periods(self) -> tuple[str, ...]:
        return PERIODS


Page = TypeVar("Page", bound=QuestionPage)


def view(request: HttpRequest, kind: str) -> HttpResponse:
    """GET /funnel?steps=A%0AB&within=7d, and so on: the keys of the question's documents."""
    return answered(request, page_of(source(), read(kind, request.GET.dict()), patience(request)))


def patience(request: HttpRequest) -> float:
    """How long a page waits before it shows how far the question is; programs wait for the answer."""
    return FOREVER_S if wants_json(request) or request.GET.get("format", "") in FILES else PATIENCE_S


def cancel(request: HttpRequest) -> HttpResponse:
    """POST /asking/cancel: end a question, and back to its form."""
    source().cancel(request.POST.get("id", ""))
    back = request.POST.get("back", "/")
    return redirect(back if back.startswith("/") and not back.startswith("//") else "/")


def answered(request: HttpRequest, page: QuestionPage) -> HttpResponse:
    """The page, its twin, or the answer alone as a file (`format=answer|csv|parquet`)."""
    form = request.GET.get("format", "")
    if page.answer is not None and form in FILES:
        return as_file(page.answer, form, page.ask.saved.name if page.ask.saved else page.ask.kind)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, f"{page.ask.kind}.html", page, 400 if page.ask.problem else 200)


def again() -> HttpResponse:
    """Tells htmx to load the page anew, since its answer is there."""
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


def page_of(here: Source, ask: Ask, patience_s: float = FOREVER_S) -> QuestionPage:
    """The context of a question's page; without an answer within `patience_s`, how far the question is."""
    from hark.console.pages.kinds import PAGES

    page_type, answer_type = PAGES[ask.kind]
    page = page_type(ask, here.names(), segment_names(here))
    if ask.body is None or ask.held:
        return page
    try:
        found = here.answer_or_progress({ask.kind: ask.body}, patience_s)
    except HarkError as error:
        problem = f"{error.message}. {error.hint}".strip()
        return msgspec.structs.replace(page, ask=msgspec.structs.replace(ask, problem=problem))
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    return msgspec.structs.replace(page, answer=msgspec.convert(found, answer_type))


def segment_names(here: Source) -> tuple[str, ...]:
    """Segments that a question may be limited to, or split by."""
    return tuple(one.name for one in here.state.documents() if one.kind == "segment")


FILES = {
    "answer": ("json", "application/json"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "parquet": ("parquet", "application/vnd.apache.parquet"),
}
"""By form, the file's ending and type."""


def as_file(answer: Tabular, form: str, name: str) -> HttpResponse:
    """The answer as `hark KIND --out FILE` writes it."""
    suffix, type_ = FILES[form]
    found = msgspec.json.encode(answer) if form == "answer" else as_bytes(answer.to_arrow(), f".{suffix}")
    response = HttpResponse(found, content_type=type_)
    response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response
