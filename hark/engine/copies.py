"""One address gets one copy: who shares it, and is to get the same message of a campaign, is found here.

`step` knows one customer; so `MessageDue` tells it that somebody else with the address was handed the same.
"""

from __future__ import annotations

from collections.abc import Callable

from hark.decide.suppressions import TRAITS, own_address
from hark.history.identity import Id
from hark.model import DAY, Instant, Record
from hark.store.changes import KINDS, Copy
from hark.store.contracts import OutboxRow
from hark.store.state import StateStore

SAME_WITHIN_US = DAY
"""What went longer ago was another occasion."""


class Copies:
    """What was handed over lately, by campaign, template and address."""

    def __init__(self, state: StateStore, print_of: Callable[[Id], bytes]) -> None:
        self._state, self._print_of = state, print_of
        self._new: dict[bytes, Copy] = {}

    def of(self, row: OutboxRow, record: Record, now: Instant) -> str:
        """The message of another customer by which this address has just been told the same; "" for none."""
        print_ = self._print(row, record)
        found = print_ and (self._new.get(print_) or self._state.copy(print_))
        if not found or found.at <= now - SAME_WITHIN_US or found.message == row.message:
            return ""
        return found.message if found.subject != row.subject else ""

    def handed(self, row: OutboxRow, record: Record, now: Instant) -> None:
        """The message is handed over now."""
        if print_ := self._print(row, record):
            self._new[print_] = Copy(print_, row.message, row.subject, now)

    def take(self) -> list[Copy]:
        """What came in since the last commit."""
        new, self._new = self._new, {}
        return list(new.values())

    def _print(self, row: OutboxRow, record: Record) -> bytes:
        """b"" for what belongs to no campaign, or goes to no address that could be shared."""
        found = own_address(record, row.channel) if row.campaign else ""
        kind = KINDS.index(TRAITS[row.channel]) if found else 0
        return self._print_of((kind, f"{row.campaign}\x1f{row.template}\x1f{found}")) if found else b""
