"""Starting: which pack fits what arrives, what it would make here, and what its drafts would have done."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import saving
from hark.console.pages.asked import patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.starters import PACKS, Role
from hark.errors import HarkError
from hark.questions import Progress
from hark.questions.starting import Start, backtests, documents, fits, refuse_taken, seen, start


class PackLine(Struct, frozen=True):
    """One pack among others."""

    name: str
    says: str
    events: int
    """So many it speaks of."""
    seen: int


class PacksPage(Struct, frozen=True):
    """The packs, the best fit first."""

    packs: tuple[PackLine, ...]
    customers: int


class StartPage(Struct, frozen=True):
    """One pack, with the names by which its events arrive here."""

    pack: str
    says: str
    roles: tuple[Role, ...]
    names: tuple[str, ...]
    """All events that were seen, the most frequent first."""
    text: str
    drafts: tuple[str, ...]
    """Its campaigns."""
    chosen: str
    """What somebody said of the names, as the address has it."""
    note: str = ""

    @property
    def unseen(self) -> int:
        return sum(one.seen is None for one in self.roles)


class RatePage(Struct, frozen=True):
    """What one draft would have done."""

    campaign: str
    address: str
    sentences: tuple[str, ...] = ()
    note: str = ""
    progress: Progress | None = None


def index(request: HttpRequest) -> HttpResponse:
    """GET /start"""
    here = source()
    lines = tuple(PackLine(name, PACKS[name], of, n) for name, of, n in fits(_seen(here)))
    return respond(request, "starts.html", PacksPage(lines, here.state.customers()))


def view(request: HttpRequest, pack: str) -> HttpResponse:
    """GET /start/PACK?Order Completed=payment_done, with &as=text its documents; POST: put it into force, its
    campaigns as drafts."""
    if pack not in PACKS:
        raise Http404
    here = source()
    given = request.POST if request.method == "POST" else request.GET
    events = _seen(here)
    made = _made(pack, events, {key: str(value) for key, value in given.items()})
    if request.GET.get("as") == "text":
        return HttpResponse(made.text, content_type="text/plain; charset=utf-8")
    note = _save(request, here, made) if request.method == "POST" else ""
    if request.method == "POST" and not note:
        return redirect("/campaigns")
    return respond(request, "start.html", _page(request, here, made, events, note), 400 if note else 200)


def rate(request: HttpRequest, pack: str, name: str) -> HttpResponse:
    """GET /start/PACK/NAME: what one draft would have done, a part of the pack's page."""
    if pack not in PACKS:
        raise Http404
    here, address = source(), request.get_full_path()
    made = _made(pack, _seen(here), {key: str(value) for key, value in request.GET.items()})
    asked = backtests(documents(made, here.state.documents(), settings.HARK_ZONE))
    if name not in asked:
        raise Http404
    try:
        answer = here.answer_or_progress(asked[name], patience(request))
    except HarkError as error:
        return respond(request, "start_rate.html", RatePage(name, address, note=f"{error}. {error.hint}"))
    if isinstance(answer, Progress):
        return respond(request, "start_rate.html", RatePage(name, address, progress=answer))
    return respond(request, "start_rate.html", RatePage(name, address, tuple(answer["sentences"])))


def _seen(here: Source) -> dict[str, int]:
    try:
        return seen(here.ask({"events": {}}))
    except HarkError:
        return {}


def _made(pack: str, events: dict[str, int], given: dict[str, str]) -> Start:
    """The pack with what was said of its events; what it does not speak of says nothing."""
    speaks = {one.usual for one in start(pack, events, {}).roles}
    return start(pack, events, {key: value for key, value in given.items() if key in speaks and value})


def _save(request: HttpRequest, here: Source, made: Start) -> str:
    """Hands the pack over; why not, else ""."""
    try:
        wanted = documents(made, here.state.documents(), settings.HARK_ZONE)
        refuse_taken(wanted, here.state.documents())
        saving.save(here, wanted, str(request.user), f"started from {made.pack}")
    except HarkError as error:
        return f"Nothing was saved: {error.message}. {error.hint}".strip()
    return ""


def _page(request: HttpRequest, here: Source, made: Start, events: dict[str, int], note: str) -> StartPage:
    drafts = backtests(documents(made, here.state.documents(), settings.HARK_ZONE)) if events else {}
    names = sorted(events, key=lambda name: (-events[name], name))
    return StartPage(
        made.pack,
        made.says,
        made.roles,
        tuple(names),
        made.text,
        tuple(drafts),
        request.GET.urlencode(),
        note,
    )
