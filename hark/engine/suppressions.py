"""The suppression list: what one customer's facts say of an address holds for everybody who has it.

`step` knows one customer only. So the list hears of addresses by facts, in the order of folding, tells
those who share the address by commands, at once, and tells whoever states a listed address later. It keeps
hashes, which outlive an erasure: who left does not come back as a new customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hark.decide.reasons import Why
from hark.decide.suppressions import CHANNELS, EVERYTHING
from hark.engine.folder import Folder
from hark.history.identity import Id
from hark.model import JSON, Command, Event, FactName, Record
from hark.store.changes import EMAIL, KINDS, PHONE, Listed
from hark.store.contracts import address as in_one_form
from hark.store.state import StateStore

SHARED = (EMAIL, PHONE)
Key: TypeAlias = tuple[bytes, str, str]
"""(print, why, topic) of an entry."""


class Said(Struct, frozen=True):
    """What is read of a fact for the list."""

    address: str
    why: str
    topic: str = ""
    since: int = 0
    source: str = ""
    detail: str = ""


class Suppressions:
    """The entries of this tick, before those of the state."""

    def __init__(
        self,
        state: StateStore,
        folder: Folder,
        print_of: Callable[[Id], bytes],
        holders: Callable[[int, str], list[int]],
        canonical: Callable[[int], int | None],
    ) -> None:
        """`holders` gives everybody who has stated an address, also those of this tick, as they were then."""
        self._state, self._folder, self._print_of = state, folder, print_of
        self._holders, self._canonical = holders, canonical
        self._any = state.any_listed()
        self._new: dict[Key, Listed | None] = {}

    def hear(self, facts: Sequence[Event]) -> None:
        """Takes facts into the list and tells those who share the address."""
        for fact in facts:
            said = _said.decode(fact.properties)
            if fact.name == FactName.ADDRESS_SUPPRESSED:
                self._suppressed(fact, said)
            else:
                self._released(fact, said)

    def stated(self, kind: int, value: str, subject: int, at: int) -> None:
        """A customer states an address: what the list knows of it holds for them too."""
        if self._any and kind in SHARED:
            for one in self._entries(self._print_of((kind, value))):
                self._tell(subject, at, *_command(one, kind, value))

    def outlive(self, kind: int, value: str, record: Record) -> None:
        """The customer is erased: of the address a hash stays, if they had left or were suppressed."""
        why = Why.TEAM if EVERYTHING in record.suppressed else Why.UNSUBSCRIBED
        since = record.suppressed.get(EVERYTHING) or max(_left(kind, record), default=None)
        print_ = self._print_of((kind, value))
        for one in self._entries(print_):
            self._put(msgspec.structs.replace(one, address=None))
        if since is not None:
            self._put(Listed(print_, kind, None, why.value, "", since, "erasure", ""))

    def add(self, address: str, why: str, at: int, source: str, detail: str) -> None:
        """The team, or an import, says so: nobody writes to the address, whoever has it or will have it."""
        kind = _kind(address)
        listed = Listed(self._print_of((kind, address)), kind, address, why, "", at, source, detail)
        if not any((one.why, one.topic) == (why, "") for one in self._entries(listed.print)):
            self._put(listed)
        for subject in self._having(kind, address):
            self._tell(subject, at, *_command(listed, kind, address))

    def remove(self, address: str, at: int) -> None:
        """The team says that the address is good; what its readers said of topics stands."""
        kind = _kind(address)
        for one in self._entries(self._print_of((kind, address))):
            if one.why != Why.UNSUBSCRIBED:
                self._new[one.print, one.why, one.topic] = None
        for subject in self._having(kind, address):
            self._tell(subject, at, "unsuppress", {"address": address})

    def take(self) -> tuple[list[Listed], list[Key]]:
        """(entries, entries taken back) since the last commit."""
        new, self._new = self._new, {}
        return [one for one in new.values() if one], [key for key, one in new.items() if one is None]

    def _suppressed(self, fact: Event, said: Said) -> None:
        kind = _kind(said.address)
        print_ = self._print_of((kind, said.address))
        if any((one.why, one.topic) == (said.why, said.topic) for one in self._entries(print_)):
            return
        rest = (said.why, said.topic, said.since, said.source, said.detail)
        listed = Listed(print_, kind, said.address, *rest)
        self._put(listed)
        self._tell_others(fact, kind, said.address, *_command(listed, kind, said.address))

    def _released(self, fact: Event, said: Said) -> None:
        kind = _kind(said.address)
        self._new[self._print_of((kind, said.address)), said.why, said.topic] = None
        if said.why != Why.UNSUBSCRIBED:
            self._tell_others(fact, kind, said.address, "unsuppress", {"address": said.address})
        elif not said.topic:
            data = {"address": said.address, "channel": CHANNELS[KINDS[kind]], "source": said.source}
            self._tell_others(fact, kind, said.address, "back", data)

    def _put(self, one: Listed) -> None:
        self._any = True
        self._new[one.print, one.why, one.topic] = one

    def _tell_others(self, fact: Event, kind: int, value: str, name: str, data: JSON) -> None:
        for subject in self._having(kind, value):
            if subject != fact.subject:
                self._tell(subject, fact.instant, name, data)

    def _having(self, kind: int, value: str) -> list[int]:
        found = {self._canonical(home) for home in self._holders(kind, value)}
        return sorted(one for one in found if one is not None)

    def _tell(self, subject: int, at: int, name: str, data: JSON) -> None:
        now = self._folder.records.get(subject).record.now
        self._folder.give(Command(subject, max(at, now), name, data))

    def _entries(self, print_: bytes) -> list[Listed]:
        kept: dict[Key, Listed | None] = {(print_, o.why, o.topic): o for o in self._state.listed(print_)}
        new = {key: one for key, one in self._new.items() if key[0] == print_}
        return [one for one in (kept | new).values() if one]


def _left(kind: int, record: Record) -> Iterator[int]:
    """When the customer left whatever they left on the address's channel."""
    channels = (CHANNELS[KINDS[kind]], EVERYTHING)
    for key, one in record.consents.items():
        if one.state == "out" and key.rpartition("/")[2] in channels:
            yield one.at


def _kind(value: str) -> int:
    return EMAIL if in_one_form("email", value) else PHONE


def _command(one: Listed, kind: int, value: str) -> tuple[str, JSON]:
    """The command that makes an entry hold for a customer with the address."""
    if one.why != Why.UNSUBSCRIBED:
        said = {"why": one.why, "source": one.source, "detail": one.detail}
        return "suppress", {"address": value} | said
    listed = {"topic": one.topic, "since": one.since, "source": one.source, "detail": one.detail}
    return "left", {"address": value, "channel": CHANNELS[KINDS[kind]], "listed": listed}


_said = msgspec.json.Decoder(Said)
