"""A page is a typed context and a template; its JSON twin (`?format=json`) is the same context."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from msgspec import Struct


def respond(request: HttpRequest, template: str, page: Struct, status: int = 200) -> HttpResponse:
    """The page for a person, or its context for a program."""
    if wants_json(request):
        return HttpResponse(msgspec.json.encode(page), content_type="application/json", status=status)
    return render(request, f"console/{template}", {"page": page}, status=status)


def wants_json(request: HttpRequest) -> bool:
    """Asked for by `?format=json` or by an Accept header that prefers it."""
    return (
        request.GET.get("format") == "json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )
