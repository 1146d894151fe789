"""What one tick of the engine writes: all of it in one transaction, or nothing."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field

from hark.definitions.document import Document
from hark.model import Ended, Instant, Lane
from hark.store.contracts import Merge, OutboxRow

Id: TypeAlias = tuple[int, str]
"""(USER, ANONYMOUS or GROUP, value); a group's is "type:id"."""

USER, ANONYMOUS, GROUP, EMAIL, PHONE, DEVICE = range(6)
KINDS = ("user", "anonymous", "group", "email", "phone", "device")
ADDRESSES = (EMAIL, PHONE, DEVICE)
"""Kinds of ids that several customers may share: they find customers, and never make two of them one."""

Owner: TypeAlias = int | tuple[int, int]
"""The subject of an id; where a merge moved it, with the one at which it is at home."""


class NewSubject(Struct, frozen=True):
    """A subject seen for the first time; `key` and `first_seen` are fixed for good."""

    subject: int
    key: str
    first_seen: Instant


class Moved(Struct, frozen=True):
    """A merge and the ids that moved by it, so that it can be undone."""

    merge: Merge
    ids: tuple[Id, ...]


class Member(Struct, frozen=True):
    """A customer belongs to a group."""

    group: int
    subject: int
    """At home, before merges."""
    since: int
    """The number of the latest news of the group that it has."""


class Telling(Struct, frozen=True):
    """What a group's members are being told: its traits that changed."""

    group: int
    seq: int
    """Of the call that changed them."""
    news: bytes
    """What will stand in each member's history (`hark.engine.groups`)."""
    told: int = 0
    """Members up to this subject have it."""


class Kept(Struct, frozen=True):
    """A record as it is stored: opaque bytes and the moment at which a timer is armed for it."""

    record: bytes
    due: Instant | None


class Deliveries(Struct, frozen=True):
    """What became of a campaign's messages under one version."""

    campaign: str
    version: int
    sent: int = 0
    bounced: int = 0
    complained: int = 0


class Turn(Struct, frozen=True):
    """What became of a message that has an outbox row."""

    message: str
    state: str
    at: Instant
    detail: str = ""
    due_at: Instant | None = None
    """A deferred message's new moment."""
    said: bytes = b""
    """The words (JSON) of a message in the app, which only the outbox keeps; b"" for any other."""
    to: str = ""
    """Where it is being sent, which may be another address than when it was wanted."""


class Chunk(Struct, frozen=True):
    """The tick's events and facts as they will stand in the history."""

    events: int
    subjects: bytes
    """Sorted different subjects, int64 little-endian."""
    data: bytes
    """Arrow IPC (`history.columns`)."""


class Prints(Struct, frozen=True):
    """Fingerprints of message ids seen for the first time, 16 bytes each, and their time bucket."""

    bucket: int
    data: bytes


class Problem(Struct, frozen=True):
    """Something that could not be folded. The engine goes on without it."""

    at: Instant
    row: int
    member: int
    reason: str
    """A stable word: `row.broken`, `step.failed` ..."""
    detail: str


class Listed(Struct, frozen=True):
    """An entry of the suppression list."""

    print: bytes
    """The address's hash under the directory's key."""
    kind: int
    address: str | None
    why: str
    topic: str
    """"" for everything."""
    since: Instant
    source: str
    detail: str


class Copy(Struct, frozen=True):
    """That a campaign's message was handed over for an address."""

    print: bytes
    """Hash of campaign, template and address under the directory's key."""
    message: str
    subject: int
    at: Instant


class Erasure(Struct, frozen=True):
    """A customer goes: every number that stood for them and all that was kept under it."""

    row: int
    """The command's row in the log."""
    at: Instant
    author: str
    key: str
    """The directory's key for the prints."""
    subjects: tuple[int, ...]
    prints: tuple[bytes, ...]
    """Keyed hashes of their ids."""
    words: tuple[str, ...]
    """What names them in the text of a problem."""
    chunks: tuple[tuple[int, Chunk], ...]
    """Those of `recent` that held them, without them, by number."""


class Changes(Struct):
    """One tick's writes. Empty fields are left as they are."""

    cursors: dict[Lane, int] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, int] = field(default_factory=dict)
    """By source the calls of this tick that were repetitions."""
    """By file (its digest): the last chunk that was folded. Chunks of a file come in their order."""
    engine_time: Instant | None = None
    next_subject: int | None = None
    next_group: int | None = None
    news: int | None = None
    """The number of the latest news of any group."""
    subjects: list[NewSubject] = field(default_factory=list)
    ids: dict[Id, Owner] = field(default_factory=dict)
    addresses: list[tuple[int, str, int]] = field(default_factory=list)
    """(kind, value, subject at home); those that are known are ignored."""
    members: list[Member] = field(default_factory=list)
    tellings: dict[int, Telling | None] = field(default_factory=dict)
    """By number, news of groups that not all members have yet; None: all have."""
    merges: list[Moved] = field(default_factory=list)
    records: dict[int, Kept | None] = field(default_factory=dict)
    """None: the record is emptied."""
    wanted: list[OutboxRow] = field(default_factory=list)
    """Rows whose message id is known already are ignored."""
    turns: list[Turn] = field(default_factory=list)
    repointed: dict[str, int] = field(default_factory=dict)
    """Whose each of these messages is from now on."""
    documents: list[Document] = field(default_factory=list)
    owed: dict[bool, bytes] = field(default_factory=dict)
    """What new definitions still ask of the past of customers (False) and groups (True), where that changed
    (`hark.engine.backfill`); b"": nothing any more."""
    filled: dict[int, int] = field(default_factory=dict)
    """By customer or group, the number of the debt of the past that they were paid."""
    chunk: Chunk | None = None
    prints: list[Prints] = field(default_factory=list)
    oldest_bucket: int | None = None
    """Fingerprints of buckets before it are dropped, a bounded number a tick."""
    sealed: int | None = None
    """Chunks up to this number stand in the history and are dropped."""
    sealed_cursors: dict[Lane, int] = field(default_factory=dict)
    """By lane, the row up to which all that was read stands in the history."""
    problems: list[Problem] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    suppressed: list[Listed] = field(default_factory=list)
    released: list[tuple[bytes, str, str]] = field(default_factory=list)
    """(print, why, topic) of entries that are taken back, before those of `suppressed` are added."""
    print_key: str = ""
    """The directory's key for the prints."""
    deliveries: list[Deliveries] = field(default_factory=list)
    fence: str | None = None
    """What this directory is known by, and whether it may send (`hark.engine.fence`); None: as before."""
    endings: list[Ended] = field(default_factory=list)
    """Endpoints that are over, or were opened again."""
    erasures: list[Erasure] = field(default_factory=list)
    rewritten: dict[int, Instant] = field(default_factory=dict)
    """By row of the erasure: since when its customer stands in no file of the history's newest version."""
    gone: dict[int, Instant] = field(default_factory=dict)
    """By row of the erasure: since when its customer is in no file but the log's."""
