"""What the stages may ask of a store. The embedded engine (`log`, `state`, `table`) answers first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from hark.errors import HarkError
from hark.model import JSON, Event, Instant, Lane, Record

if TYPE_CHECKING:
    from hark.definitions.document import Document


class Row(Struct, frozen=True):
    """One request in the log. `seq` is global over lanes and never restarts."""

    seq: int
    lane: int
    received_at: Instant
    source: str
    kind: str
    """track, identify, page ... or batch (a client's body as it came), import (a batch that starts
    nothing), consent, command: see docs/architecture.md."""
    body: bytes
    refused: bytes = b""
    """The indices of members that were refused (JSON list), empty for none."""


class NewRow(Struct, frozen=True):
    """What collect appends; the store gives it its `seq`."""

    lane: Lane
    received_at: Instant
    source: str
    kind: str
    body: bytes
    refused: bytes = b""
    calls: int = 0
    """How many of its calls count; for the counters only."""


class Reject(Struct, frozen=True):
    """One refused call: where it stood, why it was refused, and how it began."""

    received_at: Instant
    source: str
    index: int
    """Its place in the batch; -1 where the whole request was refused."""
    reason: str
    message: str
    excerpt: bytes
    """The first bytes of the refused call."""


class Place(Struct, frozen=True):
    """Up to where the log is counted: its last row and the last entry of its reject log."""

    seq: int = 0
    reject: int = 0


CountKey: TypeAlias = tuple[str, str]
"""(source, reason); reason "" for what was accepted, source "" where the key did not say."""

Counted: TypeAlias = Mapping[tuple[str, int, str], int]
"""(source, hour since 1970, reason) to calls."""


class LogBrokenError(HarkError):
    """A commit failed: what is on disk is unknown, so this process must append no more and end."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"the log can't be written: {cause}", "check the disk, then start again", "log.broken"
        )


class LogFullError(HarkError):
    """There was no room for the rows; nothing was appended, and a later append may succeed."""

    def __init__(self) -> None:
        super().__init__("the disk is full", "free some space", "log.full")


class LogWriter(Protocol):
    """The one appender. `append` returns when every row is on disk, or raises and appends nothing."""

    epoch: str

    def append(self, rows: Sequence[NewRow]) -> list[int]: ...


class LogReader(Protocol):
    """Reads rows after a cursor, lane by lane, while the writer appends."""

    epoch: str

    def read(self, lane: Lane, after: int, limit: int) -> list[Row]: ...

    def end(self) -> int:
        """The last sequence number appended (0: none)."""
        ...


class Merge(Struct, frozen=True):
    """Two customers turned out to be one; or, if it `undoes` an earlier one, that they are not."""

    younger: int
    older: int
    at: Instant
    cause: str
    """identify or alias; of an undo, what was said about why."""
    undoes: int = 0
    """The number of the merge that is undone by this; 0: it is a merge. Numbers are places in
    `StateReader.merges`, from 1."""
    by: str = ""
    """The source whose call said so; who undid it."""


class Joined(Struct, frozen=True):
    """A merge as people ask about it, and its undo if there is one."""

    number: int
    younger: int
    older: int
    at: Instant
    cause: str
    by: str
    ids: tuple[tuple[str, str], ...]
    """(kind, value) of the ids that the younger brought."""
    undone_at: Instant | None = None
    undone_by: str = ""
    note: str = ""
    """What was said about why it was undone."""


def address(kind: str, text: str) -> str:
    """An e-mail address, phone number or device token in the one form in which it is kept and looked for;
    "" if it can't be one. E-mail in small letters; of phone numbers the digits, and the + before."""
    found = text.strip()
    if kind == "email":
        return found.lower() if "@" in found else ""
    if kind == "phone":
        digits = "".join(one for one in found if one in "0123456789")
        return ("+" if found.startswith("+") else "") + digits if len(digits) >= 5 else ""
    return found


class OutboxRow(Struct, frozen=True):
    """A message and what became of it."""

    message: str
    subject: int
    campaign: str
    run: str
    template: str
    channel: str
    state: str
    """wanted, sending, sent, failed, unknown or withheld."""
    due_at: Instant
    updated_at: Instant
    content: JSON
    """What rendering needs: address, traits, event, campaign, version, arm, topic, data."""
    detail: str = ""


class Suppression(Struct, frozen=True):
    """An address that must not be written to; see docs/consent.md."""

    kind: int
    """3: e-mail, 4: phone."""
    address: str | None
    """None: its customer was erased, only the hash is left."""
    why: str
    topic: str
    """"" for everything."""
    since: Instant
    source: str
    detail: str


class Erased(Struct, frozen=True):
    """An erasure and how far it has come; see docs/erasure.md."""

    row: int
    """The command's row in the log."""
    at: Instant
    author: str
    rewritten_at: Instant | None
    """Since when the customer stands in no file of the history's newest version."""
    gone_at: Instant | None
    """Since when the customer is in no file but the log's."""


class StateReader(Protocol):
    """What other processes may read of `state.db`, without ever blocking the engine."""

    def find(self, id: str) -> int | None:
        """The subject of a userId or anonymousId (or "#12": a subject by number), or of an address which only
        one customer has."""
        ...

    def find_all(self, id: str) -> list[int]:
        """The same; all who have the address, if several do."""
        ...

    def ids(self, subject: int) -> list[tuple[str, str]]:
        """(kind, value) of the subject's ids: user, anonymous, group, email, phone or device."""
        ...

    def record(self, subject: int) -> Record | None: ...

    def documents(self) -> list[Document]:
        """The newest version of every definition in force."""
        ...

    def versions(self, kind: str, name: str) -> list[Document]: ...

    def outbox(self, subject: int | None = None, limit: int = 200) -> list[OutboxRow]: ...

    def merges(self) -> list[Merge]: ...

    def erased(self) -> list[int]:
        """Subjects that were erased and whose rows may still stand in files of the history."""
        ...

    def recent(self, after: int) -> Iterable[bytes]:
        """Arrow IPC chunks of ticks with events after this seal number, oldest first."""
        ...

    def recent_of(self, subjects: Collection[int], after: int) -> Iterable[bytes]:
        """Of these the chunks in which one of the subjects occurs, by its number at the time."""
        ...

    def engine_time(self) -> Instant: ...

    def cursors(self) -> dict[Lane, int]: ...


class EventSink(Protocol):
    """Where folded events go; ignores events it has."""

    def write(self, events: Sequence[Event]) -> None: ...
