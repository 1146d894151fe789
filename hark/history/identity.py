"""Whose event is it? Ids become subjects: dense integers, given in the order of first sight.

Pure: what is known is asked of `Known`, what changed is kept in `Resolver.take()` for the commit of the tick.
The rules are those of docs/engine.md (*Identity*): only identify (and alias) links ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from hark.model import Instant

Id: TypeAlias = tuple[int, str]
"""(USER or ANONYMOUS, value)."""

USER, ANONYMOUS = 0, 1
PREFIX = {USER: "u:", ANONYMOUS: "a:"}


class Known(Protocol):
    """What the store knows. Answers as of the last commit."""

    def subjects(self, ids: Sequence[Id]) -> dict[Id, int]:
        """The subjects of those ids that are known."""
        ...

    def ids(self, subject: int) -> list[Id]:
        """All ids of one subject."""
        ...


class Ids(Protocol):
    """What of a call decides whose it is. `hark.collect.formats.Call` is one; "" is no id."""

    @property
    def user_id(self) -> str: ...

    @property
    def anonymous_id(self) -> str: ...


class First(Struct, frozen=True):
    """A subject at its first sight: `key` is its stable key for assignment, for good."""

    subject: int
    key: str
    at: Instant


class Merging(Struct, frozen=True):
    """`younger` turned out to be `older` (first seen earlier: the smaller number)."""

    younger: int
    older: int
    at: Instant
    cause: str
    moved: tuple[Id, ...]
    """The ids that were the younger's."""


class Resolved(Struct, frozen=True):
    """The subject of a call, and the merge that must come before it."""

    subject: int
    merging: Merging | None = None


class Resolutions(Struct):
    """What a tick changed."""

    firsts: dict[int, First] = field(default_factory=dict)
    """By subject."""
    ids: dict[Id, int] = field(default_factory=dict)
    mergings: list[Merging] = field(default_factory=list)


class Counter:
    """The embedded allocator: the next whole number. A cluster's gives blocks; nobody relies on order
    but for first-seen within one log."""

    def __init__(self, following: int) -> None:
        self.following = following

    def __call__(self) -> int:
        given = self.following
        self.following += 1
        return given


class Remembered:
    """Ids lately used, in two generations: when the young one is full it becomes the old one.

    Bounded at `most` ids, a hit costs one look-up, and nothing is ever walked to make room.
    """

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._young: dict[Id, int] = {}
        self._old: dict[Id, int] = {}

    def get(self, id: Id) -> int | None:
        """The subject of an id, None for one not remembered."""
        found = self._young.get(id)
        if found is None and (found := self._old.get(id)) is not None:
            self.put(id, found)
        return found

    def put(self, id: Id, subject: int) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[id] = subject

    def drop(self, ids: Iterable[Id]) -> None:
        """These ids are nobody's any more."""
        for one in ids:
            self._young.pop(one, None)
            self._old.pop(one, None)

    def forget(self) -> None:
        """After a tick that was not committed."""
        self._young, self._old = {}, {}


class Resolver:
    """Resolves calls in their order. One for the life of an engine; `take` after each tick."""

    def __init__(self, known: Known, allocate: Callable[[], int], remember: int = 2_000_000) -> None:
        self._known = known
        self._allocate = allocate
        self._remembered = Remembered(remember)
        self._changes = Resolutions()
        self._attached: dict[int, dict[Id, None]] = {}
        self._absent: set[Id] = set()
        """Ids of this tick that the store does not know."""

    def prepare(self, calls: Sequence[Ids]) -> None:
        """Looks up, in one batch, the ids of a tick that are not remembered."""
        get = self._remembered.get
        ids = {(USER, call.user_id) for call in calls if call.user_id}
        ids |= {(ANONYMOUS, call.anonymous_id) for call in calls if call.anonymous_id}
        asked = {one for one in ids if get(one) is None}
        known = self._known.subjects(sorted(asked))
        for found, subject in known.items():
            self._remembered.put(found, subject)
        self._absent |= asked - known.keys()

    def belongs(self, call: Ids, at: Instant) -> Resolved:
        """The subject of a call that does not link: the user's, else the anonymous id's."""
        mine = (USER, call.user_id) if call.user_id else (ANONYMOUS, call.anonymous_id)
        found = self._remembered.get(mine)
        return Resolved(self._subject(mine, at) if found is None else found)

    def identify(self, call: Ids, at: Instant, cause: str = "identify") -> Resolved:
        """The subject of a call that says that both ids are one customer."""
        if not (call.user_id and call.anonymous_id):
            return self.belongs(call, at)
        user, anonymous = (USER, call.user_id), (ANONYMOUS, call.anonymous_id)
        mine, theirs = self._find(user), self._find(anonymous)
        if theirs is None or theirs == mine:
            return Resolved(self._attach(anonymous, self._subject(user, at)))
        if self._identified(theirs):
            return Resolved(self._attach(anonymous, self._subject(user, at)))
        if mine is None:
            return Resolved(self._attach(user, theirs))
        return self._merge(mine, theirs, at, cause)

    def first(self, subject: int) -> First | None:
        """The first sight of a subject, if it was since the last `take`."""
        return self._changes.firsts.get(subject)

    def becomes(self, subject: int) -> int:
        """The subject that it is after the merges since the last `take`."""
        into = {merging.younger: merging.older for merging in self._changes.mergings}
        while subject in into:
            subject = into[subject]
        return subject

    def take(self) -> Resolutions:
        """What changed since the last `take`."""
        taken, self._changes, self._attached = self._changes, Resolutions(), {}
        self._absent = set()
        return taken

    def drop(self, ids: Iterable[Id]) -> None:
        """Their customer was erased: whoever brings them again is new."""
        self._remembered.drop(ids)

    def forget(self) -> None:
        """Drops what was not committed and everything remembered."""
        self.take()
        self._remembered.forget()

    def _find(self, id: Id) -> int | None:
        """Changes of this tick are remembered too, but might have been pushed out by many others."""
        found = self._remembered.get(id)
        if found is None:
            found = self._changes.ids.get(id)
        if found is None and id not in self._absent:
            found = self._known.subjects([id]).get(id)
            if found is not None:
                self._remembered.put(id, found)
        return found

    def _subject(self, id: Id, at: Instant) -> int:
        found = self._find(id)
        if found is not None:
            return found
        subject = self._allocate()
        self._changes.firsts[subject] = First(subject, PREFIX[id[0]] + id[1], at)
        return self._attach(id, subject)

    def _attach(self, id: Id, subject: int) -> int:
        if self._find(id) != subject:
            self._changes.ids[id] = subject
            self._attached.setdefault(subject, {})[id] = None
            self._remembered.put(id, subject)
        return subject

    def _identified(self, subject: int) -> bool:
        return any(kind == USER for kind, _ in self.ids(subject))

    def ids(self, subject: int) -> list[Id]:
        """The subject's ids, with what this tick changed."""
        changed = self._changes.ids
        before = [known for known in self._known.ids(subject) if known not in changed]
        return before + [new for new in self._attached.get(subject, ()) if changed[new] == subject]

    def _merge(self, mine: int, theirs: int, at: Instant, cause: str) -> Resolved:
        older, younger = min(mine, theirs), max(mine, theirs)
        moved = tuple(sorted(self.ids(younger)))
        for one in moved:
            self._attach(one, older)
        merging = Merging(younger, older, at, cause, moved)
        self._changes.mergings.append(merging)
        return Resolved(older, merging)
