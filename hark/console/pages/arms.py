"""GET /api/v1/customers/ID/arms: whom other senders should leave alone, for whoever has a secret key."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

from hark.console.api import admitted, answered, said
from hark.console.source import Source, source
from hark.decide.arms import arms_of
from hark.decide.plan import Plan
from hark.decide.record import fresh
from hark.settings import read


@login_not_required
def view(request: HttpRequest, id: str) -> HttpResponse:
    """{"customer", "left_alone", "programmes", "campaigns"}; 401, 403, 404 and 405 as for every call."""
    here = source()
    access = admitted(request, here, "GET")
    if isinstance(access, HttpResponse):
        return access
    subject = here.state.find(id)
    if subject is None:
        return said(404, "unknown_customer", f"no one customer is known as {id}")
    record = here.state.record(subject)
    if record is None:
        key = here.state.key(subject)
        record = fresh(subject, *(key or (str(subject), 0)))
    found = arms_of(record, plan_in_force(here), here.now())
    return answered(200, {"customer": id, **msgspec.to_builtins(found)})


def plan_in_force(here: Source) -> Plan:
    """The plan of the definitions in force."""
    return _plan(here, _versions(here))


def _versions(here: Source) -> tuple[tuple[str, str, int], ...]:
    return tuple((one.kind, one.name, one.version) for one in here.state.documents())


@lru_cache(maxsize=1)
def _plan(here: Source, _versions: tuple[tuple[str, str, int], ...]) -> Plan:
    """The plan in force, compiled once for each change of the definitions."""
    return Plan.compile(here.state.documents(), zone=read(here.data).zone)
