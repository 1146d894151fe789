"""Rows of the log into inputs: split, drop duplicates, resolve to subjects, fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hark.clock import derived_id
from hark.collect.calls import NOTHING, Call
from hark.collect.derived import KIND as DERIVED
from hark.collect.derived import DerivedRow
from hark.collect.formats import split
from hark.decide.asked import REPLY
from hark.engine.addresses import Addresses
from hark.engine.folder import Folder
from hark.engine.groups import Groups
from hark.engine.repeats import Repeats
from hark.errors import HarkError
from hark.history.erased import Tombstones
from hark.history.identity import Merging, Owner, Resolved, whose
from hark.history.together import Gatherer, all_ids
from hark.model import JSON, Command, ConsentName, Event, Instant, Kind, ResponseName, sequence
from hark.store.changes import KINDS
from hark.store.contracts import Row
from hark.store.state import StorageError

Place: TypeAlias = tuple[Row, Call]

_IDENTIFY, _ALIAS = Kind.IDENTIFY, Kind.ALIAS
"""By names of their own: to find a member in its enum takes longer than to compare it, for every call."""


class ConsentRow(Struct, frozen=True):
    """What a signed link said (docs/architecture.md)."""

    name: ConsentName
    subject: int
    topic: str
    """"" for everything."""
    channel: str = "email"
    """"" for every channel."""
    message: str = ""
    wording: str = ""
    """What the page said."""
    asked: bool = False
    """A page of the customer's own says "in", so that nothing need have been pending."""


class ResponseRow(Struct, frozen=True):
    """What became of a message at its reader's end (docs/architecture.md)."""

    name: ResponseName
    subject: int
    at: Instant
    properties: dict[str, JSON]
    id: str = ""
    """What was told of under this id before is a repetition; "" for what cannot come twice."""


class CommandRow(Struct, frozen=True):
    """The head of a command to the engine; the rest is for whoever carries it out."""

    name: str


class DefineRow(Struct, frozen=True):
    """The command `define`."""

    documents: list[DocumentRow] = []
    author: str = ""
    note: str = ""


class DocumentRow(Struct, frozen=True):
    kind: str
    name: str
    body: JSON
    text: str = ""


class FileChunk(Struct, frozen=True):
    """Which part of which file an import's row is; `chunk` counts from 1, in the order of the file."""

    file: str
    chunk: int


class ImportRow(Struct, frozen=True, rename={"part": "import"}):
    """The head of an import's row; its calls are split like a batch's."""

    part: FileChunk | None = None


class Imports:
    """How far each file has been imported: for good, where message ids are remembered for a day or so."""

    def __init__(self, known: Callable[[str], int]) -> None:
        self._known = known
        self.new: dict[str, int] = {}

    def last(self, file: str) -> int:
        return self.new.get(file) or self._known(file)

    def take(self) -> dict[str, int]:
        """What came in since the last commit."""
        taken, self.new = self.new, {}
        return taken


class Rows:
    """Folds the rows of a tick in their order. Nothing that a row holds can stop it."""

    def __init__(
        self,
        folder: Folder,
        resolver: Gatherer,
        repeats: Repeats,
        canonical: Callable[[int], int | None],
        commands: Mapping[str, Callable[[Row], None]],
        imports: Imports,
        addresses: Addresses,
        holders: Callable[[int, str], list[int]],
        groups: Groups,
        erased: Tombstones,
        stated: Callable[[int, str, int, int], None],
        asking: Mapping[str, Callable[[Row], None]],
        epoch: str,
    ) -> None:
        """`canonical` gives the subject that a number is today, None for one never given; `commands` carry
        out command rows, by name; `stated` hears of new addresses: kind, value, subject, moment; `asking` are
        rows about messages, by kind."""
        self._folder, self._resolver, self._repeats = folder, resolver, repeats
        self._canonical, self._commands, self._epoch = canonical, commands, epoch
        self._imports, self._erased, self._addresses, self._groups = imports, erased, addresses, groups
        self._holders, self._stated = holders, stated
        self._repeated: Counter[str] = Counter()
        self._other: dict[str, Callable[[Row], None]] = {
            "consent": self._consent,
            "response": self._response,
            DERIVED: self._derived,
            "command": self._command,
            **asking,
        }

    def repeated(self) -> dict[str, int]:
        """By source the calls dropped as repetitions since this was last asked."""
        taken, self._repeated = self._repeated, Counter()
        return dict(+taken)

    def fold(self, rows: Sequence[Row]) -> None:
        """Rows of clients run by run; consent and commands one by one, each at its place."""
        for kind, run in groupby(rows, lambda row: row.kind if row.kind in self._other else ""):
            if kind:
                for row in run:
                    self._guarded(row, self._other[kind])
            else:
                self._calls(list(run))

    def _guarded(self, row: Row, handle: Callable[[Row], None]) -> None:
        try:
            handle(row)
        except StorageError:
            raise
        except Exception as error:  # a row that cannot be read is named and passed over, whatever it holds
            reason = error.id if isinstance(error, HarkError) and error.id else "row.broken"
            detail = f"{row.kind} from {row.source}: {type(error).__name__}: {error}"
            self._folder.problem(row.received_at, row.seq, 0, reason, detail)

    def _calls(self, rows: Sequence[Row]) -> None:
        split = self._split(rows)
        fresh = self._fresh(split, max(row.received_at for row in rows))
        if len(fresh) < len(split):
            self._repeated.update(row.source for row, _ in split)
            self._repeated.subtract(row.source for row, _ in fresh)
        places = self._staying(fresh)
        calls = [call for _, call in places]
        owners = self._resolver.prepare(calls)
        asked = self._folder.expect(calls, owners)
        linked = self._resolver.linked
        for (row, call), owner, asks in zip(places, owners, asked, strict=True):
            if asks or not call.plain or type(owner) is not int or (linked and whose(call) in linked):
                self._call(row, call, owner)
            else:
                self._folder.quiet(self._event(row, call, owner))

    def _split(self, rows: Sequence[Row]) -> list[Place]:
        places: list[Place] = []
        for row in rows:
            self._guarded(row, lambda row: places.extend((row, call) for call in self._calls_of(row)))
        return places

    def _calls_of(self, row: Row) -> list[Call]:
        """The calls of a row; none where it is a part of a file that was imported before."""
        part = _import.decode(row.body).part if row.kind == "import" else None
        if part and part.chunk <= self._imports.last(part.file):
            return []
        calls = split(row)
        if part:
            self._imports.new[part.file] = part.chunk
        return calls

    def _fresh(self, places: list[Place], arrived: int) -> list[Place]:
        """Those whose message id is new to their source; a call without one is always new."""
        ids = [(row.source, call.message_id) for row, call in places if call.message_id]
        answers = self._repeats.fresh(ids, arrived)
        if all(answers):
            return places
        fresh = iter(answers)
        return [place for place in places if not place[1].message_id or next(fresh)]

    def _staying(self, places: list[Place]) -> list[Place]:
        """Those that are not of a customer who was erased since they happened; the others are counted."""
        found = [place for place in places if not self._erased.covers(place[1])]
        if len(found) < len(places):
            row = places[-1][0]
            late = (
                f"{len(places) - len(found)} events of erased customers, from before their erasure, left out"
            )
            self._folder.problem(row.received_at, row.seq, 0, "erased.late", late)
        return found

    def _call(self, row: Row, call: Call, owner: Owner | None) -> None:
        if not (call.user_id or call.anonymous_id):
            self._groups.alone(self._event(row, call, 0), call)
            return
        resolved = self._together(row, call) if call.known_as else self._resolved(row, call, owner)
        if resolved is None:
            self._folder.problem(row.received_at, row.seq, call.member, "alias.needs_secret_key", _TWO_USERS)
            return
        if resolved.merging:
            self._merge(resolved.merging, imported=row.kind == "import")
        event = self._event(row, call, resolved.subject)
        self._folder.event(event, row.seq, call.member, resolved.home)
        if call.device_token or call.traits != NOTHING:
            for kind, value, _ in self._addresses.keep(call, resolved.home):
                self._stated(kind, value, event.subject, row.received_at)
        if call.group_id or call.groups:
            self._groups.happened(event, call, resolved.home)

    def _event(self, row: Row, call: Call, subject: int) -> Event:
        return Event(
            subject,
            call.at,
            sequence(row.seq, call.member),
            call.name,
            int(call.kind),
            row.source,
            call.message_id or derived_id(self._epoch, row.seq, call.member),
            row.received_at,
            call.known_at,
            row.received_at,
            call.active,
            call.properties,
            call.context,
        )

    def _resolved(self, row: Row, call: Call, owner: Owner | None) -> Resolved | None:
        """Whose the call is; None for an alias of two users without a secret key."""
        at = row.received_at
        if call.kind is _IDENTIFY:
            return self._resolver.identify(call, at, row.source)
        if call.kind is _ALIAS:
            return self._resolver.alias(call.user_id, call.previous_id, call.secret, at, row.source)
        return self._resolver.belongs(call, at, owner)

    def _together(self, row: Row, call: Call) -> Resolved:
        """Whose the call is that names several ids of its customer; merges come first."""
        *merges, last = self._resolver.together(all_ids(call), self._stating, row.received_at, row.source)
        for one in merges:
            if one.merging:
                self._merge(one.merging, imported=row.kind == "import")
        return last

    def _stating(self, kind: str, value: str) -> list[int]:
        return self._holders(KINDS.index(kind), value)

    def _merge(self, merging: Merging, imported: bool) -> None:
        self._folder.merge(merging.younger, merging.older, merging.at, merging.cause, imported)

    def _consent(self, row: Row) -> None:
        """What a customer said by a signed link."""
        said = _consent.decode(row.body)
        self._own(row, said.subject, str(said.name), row.received_at, _properties(said))

    def _response(self, row: Row) -> None:
        """What became of a message, at the moment at which it was heard of."""
        said = _response.decode(row.body)
        if said.id and not all(self._repeats.fresh([(row.source, said.id)], row.received_at)):
            self._repeated[row.source] += 1
            return
        self._own(row, said.subject, str(said.name), min(said.at, row.received_at), said.properties)
        if said.name == ResponseName.REPLIED and not said.properties.get("machine"):
            self._to_a_person(row, said)

    def _to_a_person(self, row: Row, said: ResponseRow) -> None:
        """Somebody of the team reads the answer: a task, which is a message like others."""
        subject = self._canonical(said.subject)
        assert subject is not None
        about = {name: value for name, value in said.properties.items() if name not in ("raw", "agent")}
        asked = {"id": said.id, "template": REPLY, "channel": "task", "data": about}
        at = max(row.received_at, self._folder.records.get(subject).record.now)
        self._folder.give(Command(subject, at, "message", asked))

    def _derived(self, row: Row) -> None:
        """What was worked out of histories; who has been erased since is passed over."""
        for member, one in enumerate(_derived.decode(row.body).events):
            if self._canonical(one.subject) is not None:
                happened = min(one.at, row.received_at)
                self._own(row, one.subject, str(one.name), happened, one.properties, member)

    def _own(
        self, row: Row, home: int, name: str, happened: Instant, properties: JSON, member: int = 0
    ) -> None:
        """What Hark itself was told, as an event of whoever the subject is today; no activity."""
        subject = self._canonical(home)
        if subject is None:
            raise LookupError(f"there is no subject {home}")
        at, message = row.received_at, derived_id(self._epoch, row.seq, member)
        event = Event(
            *(
                subject,
                happened,
                sequence(row.seq, member),
                name,
                int(Kind.TRACK),
                row.source,
                message,
                at,
                at,
                at,
            ),
            active=False,
            properties=msgspec.json.encode(properties),
        )
        self._folder.event(event, row.seq, member, home=home)

    def _command(self, row: Row) -> None:
        command = _command.decode(row.body)
        if command.name not in self._commands:
            raise LookupError(f"there is no command {command.name!r}")
        self._commands[command.name](row)


_TWO_USERS = "the alias names two identified customers, whom only a secret key may merge; it was left out"


def _properties(said: ConsentRow) -> JSON:
    """What the row says, less what it leaves open: that stands for all of it."""
    given = {"topic": said.topic, "channel": said.channel, "wording": said.wording, "asked": said.asked}
    return {name: value for name, value in given.items() if value} | {"message": said.message}


_import = msgspec.json.Decoder(ImportRow)
_consent = msgspec.json.Decoder(ConsentRow)
_response = msgspec.json.Decoder(ResponseRow)
_derived = msgspec.json.Decoder(DerivedRow)
_command = msgspec.json.Decoder(CommandRow)
