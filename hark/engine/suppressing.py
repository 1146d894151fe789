"""The commands `suppress` and `unsuppress`: a customer or an address must not be written to, or may again.

They come by the urgent lane, so perhaps before the customer's own first events are read: then the id becomes
a customer here, suppressed from its first moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec import Struct

from hark.decide.reasons import Why
from hark.decide.suppressions import form
from hark.engine.folder import Folder
from hark.engine.suppressions import Suppressions
from hark.errors import HarkError
from hark.history.identity import Resolver
from hark.model import Command, Instant
from hark.store.contracts import Row
from hark.store.contracts import address as in_one_form


class SuppressRow(Struct, frozen=True):
    """The command as it stands in the log (docs/architecture.md)."""

    customer: str = ""
    """A userId, or "" for an address."""
    address: str = ""
    """An e-mail address or phone number, whoever has it."""
    why: str = ""
    detail: str = ""
    author: str = ""
    entries: list[Entry] = []
    """Many addresses at once, of an import."""


class Entry(Struct, frozen=True):
    """One of many addresses."""

    address: str
    why: str = ""
    detail: str = ""


class _Named(Struct, frozen=True):
    user_id: str
    anonymous_id: str = ""


_row = msgspec.json.Decoder(SuppressRow)


def commands(
    resolver: Resolver, folder: Folder, suppressions: Suppressions
) -> Mapping[str, Callable[[Row], None]]:
    """What carries the two commands out."""
    return {name: partial(_tell, resolver, folder, suppressions, name) for name in ("suppress", "unsuppress")}


def _tell(resolver: Resolver, folder: Folder, suppressions: Suppressions, name: str, row: Row) -> None:
    said = _row.decode(row.body)
    for one in said.entries:
        suppressions.add(form(one.address), one.why or Why.TEAM, row.received_at, said.author, one.detail)
    if said.entries:
        return
    if said.address:
        _address(suppressions, name, said, row.received_at)
        return
    subject = resolver.belongs(_Named(said.customer), row.received_at).subject
    now = folder.records.get(subject).record.now
    data = {"why": said.why, "source": said.author, "detail": said.detail}
    folder.give(Command(subject, max(row.received_at, now), name, data))


def _address(suppressions: Suppressions, name: str, said: SuppressRow, at: Instant) -> None:
    """Raises HarkError `suppress.address` for what is no address."""
    address = form(said.address)
    if not (in_one_form("email", address) or in_one_form("phone", address)):
        hint = "an e-mail address, or a phone number with its country"
        raise HarkError(f"{said.address!r} is no address", hint, "suppress.address")
    if name == "suppress":
        suppressions.add(address, said.why or Why.TEAM, at, said.author, said.detail)
    else:
        suppressions.remove(address, at)
