"""The commands `suppress` and `unsuppress`: a customer must not be written to, and may be again.

They come by the urgent lane, so perhaps before the customer's own first events are read: then the id becomes
a customer here, suppressed from its first moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec import Struct

from hark.engine.folder import Folder
from hark.history.identity import Resolver
from hark.model import Command
from hark.store.contracts import Row


class SuppressRow(Struct, frozen=True):
    """The command as it stands in the log (docs/architecture.md)."""

    customer: str
    """A userId."""
    author: str = ""


class _Named(Struct, frozen=True):
    user_id: str
    anonymous_id: str = ""


_row = msgspec.json.Decoder(SuppressRow)


def commands(resolver: Resolver, folder: Folder) -> Mapping[str, Callable[[Row], None]]:
    """What carries the two commands out."""
    return {name: partial(_tell, resolver, folder, name) for name in ("suppress", "unsuppress")}


def _tell(resolver: Resolver, folder: Folder, name: str, row: Row) -> None:
    customer = _Named(_row.decode(row.body).customer)
    subject = resolver.belongs(customer, row.received_at).subject
    now = folder.records.get(subject).record.now
    folder.give(Command(subject, max(row.received_at, now), name))
