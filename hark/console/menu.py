"""The navigation, the same on every page."""

from __future__ import annotations

from django.http import HttpRequest
from msgspec import Struct

PAGES = {
    "Home": "/",
    "Live": "/live",
    "Events": "/events",
    "Customers": "/customers",
    "Segments": "/segments",
    "Campaigns": "/campaigns",
    "Funnel": "/funnel",
    "Retention": "/retention",
    "Sources": "/sources",
    "Rejected": "/rejects",
}


class Entry(Struct, frozen=True):
    name: str
    path: str
    current: bool


def menu(request: HttpRequest) -> dict[str, list[Entry]]:
    """For every template: the pages, and which one is open."""
    here = request.path
    return {"menu": [Entry(name, path, _holds(path, here)) for name, path in PAGES.items()]}


def _holds(path: str, here: str) -> bool:
    return here == path or (path != "/" and here.startswith(path + "/"))
