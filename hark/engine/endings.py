"""Endpoints that answered that they are over (410): remembered over restarts, until somebody opens them."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hark.model import Ended, Outcome
from hark.store.contracts import Row
from hark.store.state import StateStore


class OpenRow(Struct, frozen=True):
    """The command `open` as it stands in the log (docs/architecture.md)."""

    sender: str


class Endings:
    """By sender; what is new is written by the tick's commit."""

    def __init__(self, state: StateStore) -> None:
        self._known = {one.sender: one for one in state.endings()}
        self._new: dict[str, Ended] = {}

    def heard(self, outcome: Outcome) -> None:
        for one in outcome.ended:
            self._set(one)

    def open(self, row: Row) -> None:
        """Somebody wants messages to go there again. Of a sender that is not over nothing changes."""
        known = self._known.get(_row.decode(row.body).sender)
        if known is not None and not known.opened_at:
            self._set(replace(known, opened_at=max(row.received_at, known.at)))

    def take(self) -> list[Ended]:
        taken, self._new = list(self._new.values()), {}
        return taken

    def _set(self, one: Ended) -> None:
        self._known[one.sender] = self._new[one.sender] = one


_row = msgspec.json.Decoder(OpenRow)
