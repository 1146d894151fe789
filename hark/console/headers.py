"""What every answer carries, and what a person sees when a part of Hark is not there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpRequest, HttpResponse

from hark.console.pages.errors import unavailable
from hark.errors import HarkError

View: TypeAlias = Callable[[HttpRequest], HttpResponse]

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "frame-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def security(get_response: View) -> View:
    """No inline script or style, no frame, and no page in a shared cache."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


class Unavailable:
    """A HarkError that no page has an answer to is a 503 with its message: something is being started."""

    def __init__(self, get_response: View) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HarkError):
            return None
        logging.getLogger(__name__).warning("%s %s: %s", request.method, request.path, exception)
        return unavailable(request, f"{exception.message}. {exception.hint}".strip())
