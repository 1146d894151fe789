"""Moving a campaign's live runs to another version: what that would do, then doing it; for programs too."""

from __future__ import annotations

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from msgspec import Struct

from hark.console.api import admitted, answered, said
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON


class Group(Struct, frozen=True):
    """Live runs that stand alike, and what would become of them."""

    version: int
    variant: str
    step: str
    to_step: str | None
    says: str
    """Why they stay; "" where they are moved."""
    runs: int
    at_once: int
    done: int


class MigratePage(Struct, frozen=True):
    """What moving would do now; nothing is changed by looking."""

    campaign: str
    to: int
    moves: int
    stays: int
    groups: tuple[Group, ...]
    versions: tuple[int, ...] = ()
    steps: str = ""
    """The waits that have another id now, as `old=new`, between commas."""
    moved: bool = False


class MigrationAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """The body of a call that moves."""

    to: int | None = None
    steps: dict[str, str] = {}


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/migrate?to=&steps=: what would move; POST moves."""
    here = source()
    versions = tuple(one.version for one in here.state.versions("campaign", name))
    if not versions:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    to, steps = given.get("to", ""), given.get("steps", "").strip()
    asked = MigrationAsked(int(to) if to.isdecimal() else None, _pairs(steps))
    try:
        found = _previewed(here, name, asked)
        if request.method == "POST":
            here.command(_command(found, asked, str(request.user)))
    except HarkError as error:
        return unavailable(request, f"Nothing was moved: {error.message}.")
    page = msgspec.structs.replace(found, versions=versions, steps=steps, moved=request.method == "POST")
    return respond(request, "migrate.html", page)


@csrf_exempt
@login_not_required
def call(request: HttpRequest, name: str) -> HttpResponse:
    """GET /api/v1/campaigns/NAME/migration?to=: what would move; POST {"to", "steps"} moves, and answers what
    GET would have just before. 404 for an unknown campaign or version."""
    here = source()
    method = "GET" if request.method == "GET" else "POST"
    access = admitted(request, here, method)
    if isinstance(access, HttpResponse):
        return access
    try:
        asked = _asked(request)
        found = _previewed(here, name, asked)
        if method == "POST":
            here.command(_command(found, asked, access.source.name))
    except msgspec.DecodeError as error:
        return said(400, "body", f"the body is not what is expected: {error}")
    except HarkError as error:
        status = 404 if (error.id or "").startswith("campaign.") else 503
        return said(status, error.id or "collect.gone", f"{error.message}; nothing was moved")
    told = msgspec.to_builtins(found)
    counted = {key: told[key] for key in ("campaign", "to", "moves", "stays", "groups")}
    return answered(200, {"success": True, **counted})


def _asked(request: HttpRequest) -> MigrationAsked:
    if request.method == "GET":
        to = request.GET.get("to", "")
        return MigrationAsked(int(to) if to.isdecimal() else None)
    return msgspec.json.decode(request.body or b"{}", type=MigrationAsked)


def _pairs(text: str) -> dict[str, str]:
    pairs = (one.strip().partition("=") for one in text.split(",") if "=" in one)
    return {old: new for old, _, new in pairs}


def _previewed(here: Source, name: str, asked: MigrationAsked) -> MigratePage:
    question = {"campaign": name, "to": asked.to, "steps": asked.steps}
    return msgspec.convert(here.ask({"migration": question}), MigratePage)


def _command(found: MigratePage, asked: MigrationAsked, author: str) -> JSON:
    said = {"campaign": found.campaign, "to": found.to, "steps": asked.steps}
    return {"name": "migrate", "author": author, **said}
