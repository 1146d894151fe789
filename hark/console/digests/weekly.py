"""Sends the week's letter to those who chose it, each once, on Monday from eight in the morning on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.db import connection

from hark.clock import derived_id, moment
from hark.collect.readiness import RedReason
from hark.console.digests.models import Letter, Reader
from hark.console.source import Source
from hark.errors import HarkError
from hark.questions.letter import Section, lines
from hark.speak.contract import Envelope, Verdict
from hark.speak.render import Rendered

EVERY_S = 300.0
HOUR = 8
"""From this hour of Monday, in the workspace's zone, on."""

Post: TypeAlias = Callable[[Rendered, Envelope], Verdict]
"""Hands one letter to the team's mail sender."""
_log = logging.getLogger("hark.console")


class Weekly:
    """The weekly letter of one data directory."""

    def __init__(self, here: Source, zone: str, post: Post) -> None:
        self._here, self._zone, self._post = here, ZoneInfo(zone), post

    def run(self, stop: threading.Event) -> None:
        """Go on until stopped. What could not be asked or sent is tried again."""
        while not stop.wait(EVERY_S):
            try:
                self.once()
            except HarkError as error:
                _log.warning("the weekly letter waits: %s", error)
            finally:
                connection.close()

    def once(self) -> int:
        """How many letters were handed over now. A copy of a directory sends nothing."""
        now = self._local()
        if (now.weekday(), now.hour) < (0, HOUR) or not Reader.objects.exists():
            return 0
        if any(red.reason == RedReason.FENCED for red in self._here.reds()):
            return 0
        readers = [(one.account, one.since) for one in Reader.objects.select_related("account")]
        digest: Any = self._here.ask({"digest": {}})
        due = [account for account, since in readers if since < digest["until"]]
        return sum(self._send(account, digest) for account in due)

    def _local(self) -> datetime:
        return moment(self._here.now()).astimezone(self._zone)

    def _send(self, account: Any, digest: Any) -> bool:
        letter, _ = Letter.objects.get_or_create(account=account, week=digest["week"])
        claimed = Letter.objects.filter(pk=letter.pk, state__in=("wanted", "failed")).update(state="sending")
        if not claimed or not account.is_active:
            return False
        message = derived_id("digest", account.pk, digest["week"])
        said = written(digest, self._here.url)
        verdict = self._post(said, Envelope(message, account.email, self._here.now()))
        Letter.objects.filter(pk=letter.pk).update(state=verdict.state, detail=verdict.detail[:300])
        if verdict.state != "sent":
            _log.warning("the weekly letter to %s: %s", account.email, verdict.detail or verdict.state)
        return verdict.state == "sent"


def written(digest: Any, url: str) -> Rendered:
    """The letter, in plain words and in HTML."""
    sections = lines(digest)
    end = f"{url}/digest has this page, and the button that ends these letters."
    text = "\n\n".join([*map(_plain, sections), end]) + "\n"
    html = "".join(map(_marked, sections))
    foot = f'<p style="color:#666">{escape(end)}</p>'
    body = f'<div style="font-family:sans-serif;max-width:640px">{html}{foot}</div>'
    return Rendered(f"Hark: week {digest['week']}", body, text)


def _plain(section: Section) -> str:
    heading, said = section
    return "\n".join([heading, *(f"- {line}" for line in said)])


def _marked(section: Section) -> str:
    heading, said = section
    items = "".join(f"<li>{escape(line)}</li>" for line in said)
    return f"<h2>{escape(heading)}</h2><ul>{items}</ul>"
