"""A campaign whose messages come back, or are reported as unwanted, pauses itself before it costs more.

Counted for each campaign since its newest version: whoever starts it again, by a new version, is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from hark.definitions.document import Document
from hark.engine.definitions import Definitions, Written
from hark.model import Instant
from hark.store.changes import Deliveries

Counted: TypeAlias = Counter[tuple[str, str]]
"""(campaign, what): how many messages `sent`, `bounced`, `complained`."""

Define: TypeAlias = Callable[[list[Written], str, Instant], None]

LEAST = 1_000
"""Messages sent before anything is concluded."""
LIMITS = {"bounced": 0.05, "complained": 0.001}
_SAYS = {"bounced": "came back", "complained": "were reported as unwanted"}


class Pausing:
    """The counts of all campaigns, and what follows from them."""

    def __init__(self, definitions: Definitions, kept: Iterable[Deliveries]) -> None:
        self._definitions = definitions
        self._of = {one.campaign: one for one in kept}
        self._changed: set[str] = set()

    def judge(
        self, counted: Counted, now: Instant, define: Callable[[list[Written], str, Instant], None]
    ) -> None:
        """Adds a tick's counts; `define` puts the pause of those over a limit into force, with a note."""
        names = {name for name, _ in counted}
        documents = (
            {one.name: one for one in self._definitions.newest() if one.kind == "campaign"} if names else {}
        )
        for name in sorted(names & documents.keys()):
            one = self._added(documents[name], counted)
            self._of[name] = one
            self._changed.add(name)
            note = over(one)
            if note and not paused(documents[name].body):
                body = {**documents[name].body, "paused": "yes"}
                define([Written("campaign", name, body)], note, now)

    def take(self) -> list[Deliveries]:
        """What changed since the last commit."""
        changed, self._changed = self._changed, set()
        return [self._of[name] for name in sorted(changed)]

    def _added(self, document: Document, counted: Counted) -> Deliveries:
        one = self._of.get(document.name)
        if one is None or one.version != document.version:
            one = Deliveries(document.name, document.version)
        more = {what: getattr(one, what) + counted[document.name, what] for what in ("sent", *LIMITS)}
        return replace(one, **more)


def over(one: Deliveries) -> str:
    """Why the campaign is paused; "" where nothing speaks against it."""
    for what, limit in LIMITS.items():
        count: int = getattr(one, what)
        if one.sent >= LEAST and count >= limit * one.sent:
            return f"paused itself: {count:,} of {one.sent:,} messages {_SAYS[what]} (limit {limit:.1%})"
    return ""


def paused(body: Mapping[str, object]) -> bool:
    said = body.get("paused", "no")
    return isinstance(said, dict) or str(said).lower() in ("yes", "true")
