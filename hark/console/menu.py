"""The navigation, the same on every page."""

from __future__ import annotations

from django.http import HttpRequest
from msgspec import Struct

PAGES = {
    "": {"Home": "/"},
    "Listen": {
        "Live": "/live",
        "Customers": "/customers",
        "Events": "/events",
        "Sources": "/sources",
        "Rejected": "/rejects",
    },
    "Understand": {
        "Segments": "/segments",
        "Engagement": "/engagement",
        "Stages": "/stages",
        "Content": "/content",
        "Funnel": "/funnel",
        "Retention": "/retention",
        "Paths": "/paths",
        "Lifecycle": "/lifecycle",
        "Trends": "/trend",
        "Sessions": "/sessions",
        "Surveys": "/surveys",
        "Saved questions": "/questions",
    },
    "Test": {
        "Campaigns": "/campaigns",
        "Hypotheses": "/hypotheses",
        "Calendar": "/calendar",
        "Programmes": "/programmes",
    },
    "Speak": {
        "Templates": "/templates",
        "Images": "/images",
        "Brand": "/brand",
        "Outbox": "/outbox",
        "Tasks": "/tasks",
        "Replies": "/replies",
        "Deliverability": "/deliverability",
        "Suppressed": "/suppressed",
    },
    "Learn": {
        "Signals": "/signals",
        "Interactions": "/interactions",
        "Time well spent": "/attention",
        "Emotional tie": "/ties",
        "Champions": "/champions",
        "Worth": "/worth",
        "Subscriptions": "/renewals",
        "Digest": "/digest",
    },
    "Settings": {"Senders": "/senders", "Definitions": "/definitions"},
}
"""By heading, the pages under it."""


class Entry(Struct, frozen=True):
    name: str
    path: str
    current: bool


class Heading(Struct, frozen=True):
    """Pages that belong together; the first ones have no name."""

    name: str
    entries: tuple[Entry, ...]


def menu(request: HttpRequest) -> dict[str, tuple[Heading, ...]]:
    """For every template: the pages, and which one is open."""
    here = request.path
    return {
        "menu": tuple(
            Heading(name, tuple(Entry(page, path, _holds(path, here)) for page, path in pages.items()))
            for name, pages in PAGES.items()
        )
    }


def _holds(path: str, here: str) -> bool:
    return here == path or (path != "/" and here.startswith(path + "/"))
