"""What all calls of /api/v1/ share: who may ask, and how answers look."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse

from hark.collect.sources import Access, Sources
from hark.collect.steps import key_of
from hark.console.source import Source
from hark.model import JSON


def admitted(request: HttpRequest, here: Source, method: str) -> Access | HttpResponse:
    """Who asks, by a secret key as Basic user name or bearer token; else the answer to who may not. A page
    of somebody's browser never may: it has no secret key."""
    if request.method != method:
        return said(405, "method", f"send {method}")
    key = key_of(request.headers.get("Authorization", "").encode())
    access = Sources(here.data).find(key) if key else None
    if access is None or not access.is_good(here.now()):
        return said(401, "key", "send a source's secret key as Basic user name or bearer token")
    if not access.secret:
        return said(403, "secret_key", "this is for secret keys only")
    return access


def said(status: int, code: str, message: str) -> HttpResponse:
    """A refusal."""
    return answered(status, {"success": False, "code": code, "message": message})


def answered(status: int, body: JSON) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
