"""/k/TOKEN and /o/TOKEN: a message's link leads on, its picture is shown; who asked is judged a moment later.

The answer never waits for the judgement. Requests of one message are kept together for some seconds, since a
machine often tells itself only by its next requests; then they become events. What is in this process's hands
when it is killed is lost: a click is a weak signal, and no answer of the customer's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from msgspec import Struct

from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON, ResponseName
from hark.speak.links import Click, Open
from hark.speak.machines import Asked, Machine, machines

PATIENCE_S = 4.0
MOST = 50
"""Requests of one message that are kept at once; what comes beyond is a machine's anyway."""
PICTURE = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_HEADERS = ("purpose", "x-purpose", "sec-purpose", "x-moz")


class Response(Struct, frozen=True):
    """A request and the link by which it came."""

    link: Click | Open
    asked: Asked


class Waiting:
    """Requests by message, until each message has been quiet for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by: dict[str, list[Response]] = {}

    def add(self, here: Source, one: Response) -> None:
        message = one.link.message
        with self._lock:
            first = message not in self._by
            kept = self._by.setdefault(message, [])
            if len(kept) < MOST:
                kept.append(one)
        if first:
            timer = threading.Timer(PATIENCE_S, self.tell, (here, message))
            timer.daemon = True
            timer.start()

    def tell(self, here: Source, message: str) -> None:
        """Judge what came of a message and write it into the log."""
        with self._lock:
            found = self._by.pop(message, [])
        try:
            here.responses(list(rows(here, found)))
        except HarkError as error:
            logging.getLogger(__name__).warning("clicks were not written: %s", error)


waiting = Waiting()


def rows(here: Source, found: Sequence[Response]) -> list[JSON]:
    """The bodies of the log's response rows."""
    if not found:
        return []
    row = here.state.message(found[0].link.message)
    handed_over = row.updated_at if row and row.state in ("sent", "delivered") else None
    judged = machines([one.asked for one in found], handed_over)
    return [_body(one, machine) for one, machine in zip(found, judged, strict=True)]


def _body(one: Response, machine: Machine | None) -> JSON:
    link = one.link
    said: dict[str, JSON] = {"message": link.message, "agent": one.asked.agent[:300]}
    if isinstance(link, Click):
        said |= {"url": link.url, "link": link.place}
    if machine:
        said |= {"machine": True, "why": machine.value}
    name = ResponseName.CLICKED if isinstance(link, Click) else ResponseName.OPENED
    return {"name": name.value, "subject": link.subject, "at": one.asked.at, "properties": said}


@csrf_exempt
@login_not_required
def click(request: HttpRequest, token: str) -> HttpResponse:
    """/k/TOKEN: on to where the message's link leads, which its signature vouches for."""
    here, link = source(), source().links.read(token)
    if not isinstance(link, Click):
        raise Http404
    waiting.add(here, Response(link, asked_for(here, request, link.place)))
    answer = HttpResponse(status=302, headers={"Location": link.url, "Referrer-Policy": "no-referrer"})
    answer["X-Robots-Tag"] = "noindex"
    return answer


@csrf_exempt
@login_not_required
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """/o/TOKEN: one transparent pixel."""
    here, link = source(), source().links.read(token)
    if not isinstance(link, Open):
        raise Http404
    waiting.add(here, Response(link, asked_for(here, request, None)))
    return HttpResponse(PICTURE, content_type="image/gif")


def asked_for(here: Source, request: HttpRequest, place: int | None) -> Asked:
    """What tells of a request whether a machine made it."""
    headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    method, agent = request.method or "", request.headers.get("User-Agent", "")
    return Asked(here.now(), agent, place, method, headers, request.headers.get("X-Forwarded-For", ""))
