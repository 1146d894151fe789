"""Deliverability: does mail arrive, at which providers not, and in whose words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.outbox import OutboxLine, line
from hark.console.respond import respond
from hark.console.source import source
from hark.model import DAY
from hark.store.outbox_read import Fared

DAYS = 30
WORRYING = {"bounced": 0.02, "complained": 0.0005}
"""Shares at which mailbox providers begin to lose patience, under those at which a campaign pauses itself."""


class Domain(Struct, frozen=True):
    """How mail to one domain fared, as shares of what was taken."""

    fared: Fared
    bounced: float | None
    complained: float | None

    @property
    def worrying(self) -> bool:
        return any((getattr(self, name) or 0) >= limit for name, limit in WORRYING.items())


class DeliverabilityPage(Struct, frozen=True):
    """The last thirty days."""

    domains: tuple[Domain, ...]
    sent: int
    bounced: float | None
    complained: float | None
    came_back: tuple[OutboxLine, ...]
    days: int = DAYS


def view(request: HttpRequest) -> HttpResponse:
    """GET /deliverability"""
    here = source()
    since = here.now() - DAYS * DAY
    domains = tuple(map(_domain, here.state.fared(since)))
    sent = sum(one.fared.sent for one in domains)
    page = DeliverabilityPage(
        domains,
        sent,
        _share(sum(one.fared.bounced for one in domains), sent),
        _share(sum(one.fared.complained for one in domains), sent),
        tuple(line(row) for row in here.state.came_back(since)),
    )
    return respond(request, "deliverability.html", page)


def _domain(one: Fared) -> Domain:
    return Domain(one, _share(one.bounced, one.sent), _share(one.complained, one.sent))


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
