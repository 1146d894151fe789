"""How many go down a path of steps, and how quickly."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.understand.funnel import FunnelAnswer, StepAnswer

ORDERS = ("ordered", "strict", "unordered")


class FunnelPage(Struct, frozen=True):
    """The question and, once it is asked, its answer."""

    steps: tuple[str, ...]
    within: str
    names: tuple[str, ...]
    """Event names to choose from."""
    answer: FunnelAnswer | None
    error: str = ""
    order: str = "ordered"
    by: str = ""

    @property
    def orders(self) -> tuple[str, ...]:
        return ORDERS

    @property
    def text(self) -> str:
        return "\n".join(self.steps)

    @property
    def last(self) -> StepAnswer | None:
        return self.answer.steps[-1] if self.answer else None


def view(request: HttpRequest) -> HttpResponse:
    """GET /funnel?steps=A%0AB&within=7d&order=strict&by=plan: one step a line, "A|B" for any of two."""
    lines = (line.strip() for line in request.GET.get("steps", "").splitlines())
    asked = (request.GET.get(name, "").strip() for name in ("within", "order", "by"))
    page = funnel(source(), tuple(filter(None, lines)), *asked)
    return respond(request, "funnel.html", page, 400 if page.error else 200)


def funnel(here: Source, steps: tuple[str, ...], within: str, order: str = "", by: str = "") -> FunnelPage:
    """The context of the funnel page: the answer with what those who stopped did instead."""
    page = FunnelPage(steps, within, here.names(), None, "", order or "ordered", by)
    if not steps:
        return page
    try:
        asked = {"steps": list(steps), "within": within or None, "order": page.order, "by": by or None}
        found = here.ask({"funnel": asked | {"instead": True}})
    except HarkError as error:
        return msgspec.structs.replace(page, error=f"{error.message}. {error.hint}".strip())
    return msgspec.structs.replace(page, answer=msgspec.convert(found, FunnelAnswer))
