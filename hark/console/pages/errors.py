"""When there is no page: said in words, and nothing about the inside."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond

RETRY_AFTER_S = 10


class ErrorPage(Struct, frozen=True):
    title: str
    says: str


def bad_request(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    return _page(request, 400, "That did not work", "The request could not be understood.")


def forbidden(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    return _page(request, 403, "Not allowed", "The page was open for too long, perhaps. Load it again.")


def not_found(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    return _page(request, 404, "Not found", "There is nothing at this address, or not any more.")


def failed(request: HttpRequest) -> HttpResponse:
    return _page(request, 500, "That broke", "The cause is in the output of the server.")


def unavailable(request: HttpRequest, says: str) -> HttpResponse:
    """What a mail program, a monitor or a person may try again, and when."""
    page = _page(request, 503, "Not now", says)
    page["Retry-After"] = str(RETRY_AFTER_S)
    return page


def _page(request: HttpRequest, status: int, title: str, says: str) -> HttpResponse:
    return respond(request, "error.html", ErrorPage(title, says), status)
