"""What a running server does once a day by itself: the next batch of campaigns that learn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hark.clock import moment
from hark.errors import HarkError
from hark.model import JSON, Instant
from hark.questions import ask

if TYPE_CHECKING:
    from hark.app import Workspace

EVERY_S = 300.0
"""How often it is looked whether the day's work is due."""
HOUR = 3
"""From this hour of the workspace's day on it is."""

_log = logging.getLogger("hark.questions")


def next_batch(workspace: Workspace) -> Mapping[str, Any]:
    """Puts the next batch of each campaign with `allocation: learn` into force: {campaign: what was learned}.

    A campaign of which no window is complete keeps its shares. Raises HarkError, as asking and commands do.
    """
    found: Mapping[str, Any] = ask(workspace.data, {"allocation": {}}, workspace.clock)
    documents = [_document(name, one) for name, one in found.items() if sum(one["complete"].values())]
    if documents:
        workspace.command({"name": "define", "documents": documents, "author": "hark", "note": "learned"})
    return found


def _document(name: str, one: Mapping[str, Any]) -> JSON:
    body = {"allocation": name, "of": one["version"], "shares": one["shares"]}
    return {"kind": "allocation", "name": name, "body": body}


class Daily:
    """Begins a batch on each day of the workspace's zone; one begun by hand on that day is as good."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._done = ""
        """The day on which this process has done it."""

    def run(self, stop: threading.Event) -> None:
        """Go on until stopped. What cannot be done now is tried again."""
        while not stop.wait(EVERY_S):
            try:
                self.once()
            except HarkError as error:
                _log.warning("the day's batch is not begun yet: %s", error)

    def once(self) -> bool:
        """Whether the day's batch was begun now."""
        documents = self._workspace.state().documents()
        learns = any(one.kind == "campaign" and one.body.get("allocation") == "learn" for one in documents)
        today = self._day(self._workspace.clock.now())
        last = max((self._day(one.applied_at) for one in documents if one.kind == "allocation"), default="")
        if not learns or not today or today <= max(last, self._done):
            return False
        next_batch(self._workspace)
        self._done = today
        return True

    def _day(self, at: Instant) -> str:
        """The day of an instant, "" in its first hours."""
        local = moment(at).astimezone(ZoneInfo(self._workspace.settings.zone))
        return f"{local:%Y-%m-%d}" if local.hour >= HOUR else ""
