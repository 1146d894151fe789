"""GET /api/v1/customers/ID/arms: whom other senders should leave alone, for whoever has a secret key."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

from hark.collect.sources import Sources
from hark.collect.steps import key_of
from hark.console.source import Source, source
from hark.decide.arms import arms_of
from hark.decide.plan import Plan
from hark.decide.record import fresh
from hark.model import JSON
from hark.settings import read


@login_not_required
def view(request: HttpRequest, id: str) -> HttpResponse:
    """{"customer", "left_alone", "programmes", "campaigns"}; 401, 403, 404 and 405 as for every call."""
    if request.method != "GET":
        return _said(405, "method", "send GET")
    here = source()
    refused = _refused(request, here)
    if refused is not None:
        return refused
    subject = here.state.find(id)
    if subject is None:
        return _said(404, "unknown_customer", f"no one customer is known as {id}")
    record = here.state.record(subject)
    if record is None:
        key = here.state.key(subject)
        record = fresh(subject, *(key or (str(subject), 0)))
    found = arms_of(record, _plan(here, _versions(here)), here.now())
    return _json(200, {"customer": id, **msgspec.to_builtins(found)})


def _refused(request: HttpRequest, here: Source) -> HttpResponse | None:
    """The answer to who may not ask; a page of somebody's browser never may."""
    key = key_of(request.headers.get("Authorization", "").encode())
    access = Sources(here.data).find(key) if key else None
    if access is None or not access.is_good(here.now()):
        return _said(401, "key", "send a source's secret key as Basic user name or bearer token")
    if not access.secret:
        return _said(403, "secret_key", "arms are told to secret keys only")
    return None


def _versions(here: Source) -> tuple[tuple[str, str, int], ...]:
    return tuple((one.kind, one.name, one.version) for one in here.state.documents())


@lru_cache(maxsize=1)
def _plan(here: Source, _versions: tuple[tuple[str, str, int], ...]) -> Plan:
    """The plan in force, compiled once for each change of the definitions."""
    return Plan.compile(here.state.documents(), zone=read(here.data).zone)


def _said(status: int, code: str, message: str) -> HttpResponse:
    return _json(status, {"success": False, "code": code, "message": message})


def _json(status: int, body: JSON) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
