"""A sender's webhook: found by its name, open only with its secret, answered so that providers come again
exactly when they should."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from hark.console.providers import NOT_TAKEN, AskAgainError
from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Sender
from hark.errors import HarkError


def opened(
    request: HttpRequest,
    name: str,
    env: Callable[[Sender], str],
    take: Callable[[Source, Sender, str], str],
) -> HttpResponse:
    """What `take` says with 200 once all of it is in the log; 404 where the sender has no such door (`env`
    names no variable), 400 for what is not proven, 503 where it cannot be kept now."""
    here = source()
    sender = _sender(here, name)
    variable = env(sender) if sender else ""
    if sender is None or not variable:
        raise Http404
    if request.method != "POST":
        return HttpResponse()
    secret = os.environ.get(variable, "")
    if not secret:
        logging.getLogger(__name__).warning("sender %s: %s is not set", name, variable)
        return HttpResponse(f"{variable} is not set", status=503, headers={"Retry-After": "60"})
    try:
        return HttpResponse(take(here, sender, secret))
    except AskAgainError:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="Hark"'})
    except HarkError as error:
        return HttpResponse(error.message, status=503, headers={"Retry-After": "5"})
    except NOT_TAKEN as error:
        return HttpResponse(f"not taken: {type(error).__name__}", status=400)


def _sender(here: Source, name: str) -> Sender | None:
    found = (one for one in here.state.documents() if (one.kind, one.name) == ("sender", name))
    typed = next((definition(one) for one in found), None)
    return typed if isinstance(typed, Sender) else None
