"""Rows of the log about messages: `message`, which a product asked for, `receipt`, what a provider reported.

Both may come again, and receipts in any order: a message that the outbox has is not wanted twice, and a
report counts only where it outdoes what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from hark.decide.asked import REPORTS
from hark.decide.suppressions import TRAITS
from hark.engine.folder import Folder
from hark.engine.suppressions import Suppressions
from hark.history.identity import Resolver
from hark.model import JSON, Command
from hark.store.changes import KINDS
from hark.store.contracts import OutboxRow, Row
from hark.store.contracts import address as in_one_form
from hark.store.state import StateStore

ABOUT = (
    *("message", "run", "campaign", "version", "arm", "step", "template", "channel", "topic"),
    "transactional",
)
"""What every fact about a message says of it (`decide.messages.described`)."""
_RANKS = {state: rank for rank, state in enumerate(REPORTS, 1)}


class MessageRow(Struct, frozen=True):
    """A message that a product asked for (docs/architecture.md)."""

    id: str
    customer: str
    """A userId."""
    template: str
    channel: str
    to: str = ""
    data: dict[str, JSON] = {}
    expires_us: int = 0
    attachments: list[str] = []
    """Their names; they lie in DIR/attachments."""


class ReceiptRow(Struct, frozen=True):
    """What a provider reported of a message (docs/architecture.md)."""

    message: str
    what: str
    """One of `decide.asked.REPORTS`."""
    provider: str = ""
    detail: str = ""
    permanent: bool = False
    raw: str = ""
    """What the provider sent, as it came."""


class _Named(Struct, frozen=True):
    user_id: str
    anonymous_id: str = ""


class Asking:
    def __init__(
        self,
        state: StateStore,
        resolver: Resolver,
        folder: Folder,
        suppressions: Suppressions,
        canonical: Callable[[int], int | None],
    ) -> None:
        self._state, self._resolver, self._folder = state, resolver, folder
        self._suppressions, self._canonical = suppressions, canonical

    def message(self, row: Row) -> None:
        """Wants the message, for whoever the userId is or becomes."""
        said = _message.decode(row.body)
        if self._outbox(said.id) is not None:
            return
        subject = self._resolver.belongs(_Named(said.customer), row.received_at).subject
        trait = TRAITS.get(said.channel)
        form = in_one_form(trait, said.to) if trait else ""
        if trait and form:
            # Whoever names an address hears what the suppression list has on it.
            self._suppressions.stated(KINDS.index(trait), form, subject, row.received_at)
        self._give(row, subject, "message", msgspec.to_builtins(said))

    def receipt(self, row: Row) -> None:
        """Tells the message's customer. Raises LookupError for a message that is none of ours."""
        said = _receipt.decode(row.body)
        found = self._outbox(said.message)
        if found is None:
            raise LookupError(f"there is no message {said.message!r}")
        turn = self._folder.told.turns.get(said.message)
        if _RANKS[said.what] <= _RANKS.get(turn.state if turn else found.state, 0):
            return
        subject = self._canonical(found.subject)
        if subject is not None:
            about = {name: found.content.get(name) for name in ABOUT}
            data = {"about": about, "to": self._to(found, subject), **msgspec.to_builtins(said)}
            self._give(row, subject, "report", data)

    def _to(self, row: OutboxRow, subject: int) -> str:
        """The address it went to, as far as that is still known."""
        sends = self._folder.records.get(subject).record.sends
        sent = next((one for one in sends if one.message == row.message), None)
        return (sent.to if sent else "") or str(row.content.get("to") or "")

    def _outbox(self, message: str) -> OutboxRow | None:
        new = (row for row in self._folder.told.wanted if row.message == message)
        return next(new, None) or self._state.message(message)

    def _give(self, row: Row, subject: int, name: str, data: JSON) -> None:
        now = self._folder.records.get(subject).record.now
        self._folder.give(Command(subject, max(row.received_at, now), name, data))


def rows(
    state: StateStore,
    resolver: Resolver,
    folder: Folder,
    suppressions: Suppressions,
    canonical: Callable[[int], int | None],
) -> Mapping[str, Callable[[Row], None]]:
    """What takes these rows, by their kind."""
    asking = Asking(state, resolver, folder, suppressions, canonical)
    return {"message": asking.message, "receipt": asking.receipt}


_message = msgspec.json.Decoder(MessageRow)
_receipt = msgspec.json.Decoder(ReceiptRow)
