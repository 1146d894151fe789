"""The digest: the last whole week, and the button by which somebody of the team gets it by mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.digests.models import Reader
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress
from hark.questions.letter import STAGES


class DigestPage(Struct, frozen=True):
    """The answer of the question `digest`, or why there is none."""

    chosen: bool
    """Whoever looks gets it by mail."""
    email: str
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/digest"

    @property
    def people(self) -> list[tuple[str, int, int | None]]:
        """(what, in the week, in the week before)."""
        now, before = (self.answer["people"][which] for which in ("now", "before"))
        return [(says, now[key], before[key] if before else None) for key, says in STAGES.items() if now]


def view(request: HttpRequest) -> HttpResponse:
    """GET /digest; POST with `chosen` yes or no: get it every Monday, or no more."""
    account: JSON = request.user
    if request.method == "POST":
        choose(account, request.POST.get("chosen") == "yes")
        return redirect("/digest")
    page = _page(Reader.objects.filter(account=account).exists(), account.email, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "digest.html", page, 400 if page.note else 200)


def choose(account: JSON, chosen: bool) -> None:
    """From the next week that ends on, or no more."""
    if chosen:
        Reader.objects.get_or_create(account=account, defaults={"since": source().now()})
    else:
        Reader.objects.filter(account=account).delete()


def _page(chosen: bool, email: str, patience_s: float) -> DigestPage:
    try:
        found = source().answer_or_progress({"digest": {}}, patience_s)
    except HarkError as error:
        return DigestPage(chosen, email, note=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return DigestPage(chosen, email, progress=found)
    return DigestPage(chosen, email, found)
