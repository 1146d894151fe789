"""Whose event is it? Ids become subjects: dense integers, given in the order of first sight.

An id is at home at the subject it was given to. A merge moves the id to the older subject and leaves its home
where it is, so that what it brings is written down for its home and goes back there when the merge is undone.

Pure: what is known is asked of `Known`, what changed is kept in `Resolver.take()` for the commit of the tick.
The rules are those of docs/identity.md: only identify, alias and merging link ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from hark.model import Instant

Id: TypeAlias = tuple[int, str]
"""(USER, ANONYMOUS or GROUP, value)."""
Owner: TypeAlias = int | tuple[int, int]
"""The subject of an id; where a merge moved it, with the one at which it is at home."""

USER, ANONYMOUS, GROUP = 0, 1, 2
PREFIX = {USER: "u:", ANONYMOUS: "a:", GROUP: "g:"}


class Known(Protocol):
    """What the store knows. Answers as of the last commit."""

    def owners(self, ids: Sequence[Id]) -> dict[Id, Owner]:
        """Whose those of the ids are that are known."""
        ...

    def owned(self, subject: int) -> list[tuple[Id, int]]:
        """All ids of one subject, each with the subject at which it is at home."""
        ...

    def canonical(self, subject: int) -> int:
        """The subject that it is today."""
        ...

    def tree(self, subject: int) -> list[int]:
        """The subject and all those that were merged into it."""
        ...

    def undone(self) -> list[tuple[int, int]]:
        """(younger, older) of the merges that were undone."""
        ...


class Ids(Protocol):
    """What of a call decides whose it is. `hark.collect.calls.Call` is one; "" is no id."""

    @property
    def user_id(self) -> str: ...

    @property
    def anonymous_id(self) -> str: ...


def whose(call: Ids) -> Id:
    """The id by which a call that links nothing is somebody's."""
    return (USER, call.user_id) if call.user_id else (ANONYMOUS, call.anonymous_id)


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
    by: str = ""
    """The source whose call said so; who undid it."""
    undoes: int = 0
    """The number of the merge that this undoes; 0: it is one."""


class Resolved(Struct, frozen=True, gc=False):
    """The subject of a call, the one for which it is written down, and the merge that must come before."""

    subject: int
    home: int
    merging: Merging | None = None


class Resolutions(Struct):
    """What a tick changed."""

    firsts: dict[int, First] = field(default_factory=dict)
    """By subject."""
    ids: dict[Id, Owner] = field(default_factory=dict)
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
        self._young: dict[Id, Owner] = {}
        self._old: dict[Id, Owner] = {}

    def get(self, id: Id) -> Owner | None:
        """Whose an id is, None for one not remembered."""
        found = self._young.get(id)
        if found is None and (found := self._old.get(id)) is not None:
            self.put(id, found)
        return found

    def many(self, ids: Sequence[Id]) -> list[Owner | None]:
        """Whose each of the ids is, None for those not remembered."""
        found: list[Owner | None] = list(map(self._young.get, ids))
        if None in found:
            found = [self.get(one) if owner is None else owner for one, owner in zip(ids, found, strict=True)]
        return found

    def put(self, id: Id, owner: Owner) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[id] = owner

    def drop(self, ids: Iterable[Id]) -> None:
        for one in ids:
            self._young.pop(one, None)
            self._old.pop(one, None)

    def forget(self) -> None:
        """After a tick that was not committed."""
        self._young, self._old = {}, {}


class Resolver:
    """Resolves calls in their order. One for the life of an engine; `take` after each tick."""

    def __init__(
        self,
        known: Known,
        allocate: Callable[[], int],
        remember: int = 2_000_000,
        allocate_group: Callable[[], int] | None = None,
    ) -> None:
        self._known = known
        self._allocate, self._allocate_group = allocate, allocate_group or allocate
        self._remembered = Remembered(remember)
        self._changes = Resolutions()
        self._attached: dict[int, dict[Id, None]] = {}
        self._absent: set[Id] = set()
        """Ids of this tick that the store does not know."""
        self._undone = known.undone()

    def prepare(self, calls: Sequence[Ids]) -> list[Owner | None]:
        """Whose each call is before any of them is resolved, by its userId, else by its anonymousId; None:
        nobody's yet. `belongs` is given it. Ids not remembered are asked of the store in one batch."""
        mine: list[Id] = [
            (USER, call.user_id) if call.user_id else (ANONYMOUS, call.anonymous_id) for call in calls
        ]
        found = self._remembered.many(mine)
        if None in found:
            asked = {one for one, owner in zip(mine, found, strict=True) if owner is None}
            known = self._changes.ids | self._ask(asked - self._changes.ids.keys())
            found = [
                known.get(one) if owner is None else owner for one, owner in zip(mine, found, strict=True)
            ]
        return found

    def _ask(self, ids: Set[Id]) -> dict[Id, Owner]:
        """Whose those of the ids are that the store knows; they are remembered."""
        known = self._known.owners(sorted(ids))
        for one, owner in known.items():
            self._remembered.put(one, owner)
        self._absent |= ids - known.keys()
        return known

    def belongs(self, call: Ids, at: Instant, known: Owner | None = None) -> Resolved:
        """The subject of a call that does not link: the user's, else the anonymous id's. `known` is what
        `prepare` said; what has been linked since goes over it."""
        if known is None or self._changes.ids:
            mine = whose(call)
            known = self._changes.ids.get(mine, known)
            if known is None:
                known = self._owner(mine, at)
        return Resolved(known, known) if type(known) is int else _resolved(known)

    def identify(self, call: Ids, at: Instant, by: str = "") -> Resolved:
        """The subject of a call that says that both ids are one customer's."""
        if not (call.user_id and call.anonymous_id):
            return self.belongs(call, at)
        return self._link((USER, call.user_id), (ANONYMOUS, call.anonymous_id), at, "identify", by)

    def alias(
        self, user_id: str, previous_id: str, secret: bool, at: Instant, by: str = ""
    ) -> Resolved | None:
        """The subject of a call that says that the user had another id; None: that takes a secret key.

        An anonymous customer is merged, somebody who is identified only by a secret key.
        """
        user, previous = (USER, user_id), self._previous(previous_id)
        mine, theirs = self._find(user), self._find(previous)
        if theirs is None or not self._identified(theirs) or (mine and _subject(mine) == _subject(theirs)):
            return self._link(user, previous, at, "alias", by)
        if not secret:
            return None
        if mine is None:
            return _resolved(self._attach(user, theirs))
        return self._merge(mine, theirs, at, "alias", by)

    def group(self, name: str, at: Instant) -> int:
        """The subject of a group ("type:id")."""
        return _subject(self._owner((GROUP, name), at))

    def unmerge(self, number: int, merge: Merging) -> int:
        """Undoes merge `number`: ids at home in the younger's part go back to it. Gives the subject that it
        was part of until now. For a tick in which nothing else is merged."""
        whole = self._known.canonical(merge.younger)
        part = set(self._known.tree(merge.younger))
        moved = [(one, home) for one, home in self._owned(whole) if home in part]
        for one, home in moved:
            self._set(one, _owner(merge.younger, home))
        self._undone.append((merge.younger, merge.older))
        ids = tuple(sorted(one for one, _ in moved))
        self._changes.mergings.append(
            Merging(merge.younger, merge.older, merge.at, merge.cause, ids, merge.by, number)
        )
        return whole

    @property
    def linked(self) -> Mapping[Id, Owner]:
        """The ids that came to somebody since the last `take`, with what they are now."""
        return self._changes.ids

    def first(self, subject: int) -> First | None:
        """The first sight of a subject, if it was since the last `take`."""
        return self._changes.firsts.get(subject)

    def becomes(self, subject: int) -> int:
        """The subject that it is after the merges since the last `take`."""
        into = {merging.younger: merging.older for merging in self._changes.mergings if not merging.undoes}
        while subject in into:
            subject = into[subject]
        return subject

    def ids(self, subject: int) -> list[Id]:
        """The subject's ids, with what this tick changed."""
        return [one for one, _ in self._owned(subject)]

    def today(self, subject: int) -> int:
        """The subject that it is, after all merges."""
        return self.becomes(self._known.canonical(subject))

    def tree(self, subject: int) -> list[int]:
        """The subject and all those that were merged into it, in this tick too."""
        now = [one.younger for one in self._changes.mergings if self.becomes(one.younger) == subject]
        return sorted({one for root in (subject, *now) for one in self._known.tree(root)})

    def take(self) -> Resolutions:
        """What changed since the last `take`."""
        taken, self._changes, self._attached = self._changes, Resolutions(), {}
        self._absent = set()
        return taken

    def drop(self, ids: Iterable[Id]) -> None:
        """Forgets these ids, which the store will not know any more."""
        self._remembered.drop(ids)

    def forget(self) -> None:
        """Drops what was not committed and everything remembered."""
        self.take()
        self._remembered.forget()
        self._undone = self._known.undone()

    def _link(self, user: Id, other: Id, at: Instant, cause: str, by: str) -> Resolved:
        mine, theirs = self._find(user), self._find(other)
        if mine is not None and theirs is not None and _subject(mine) == _subject(theirs):
            return _resolved(mine)
        if theirs is None or self._identified(theirs) or self._apart(mine, theirs):
            return _resolved(self._attach(other, self._owner(user, at)))
        if mine is None:
            return _resolved(self._attach(user, theirs))
        return self._merge(mine, theirs, at, cause, by)

    def _previous(self, value: str) -> Id:
        """An alias call does not say what its other id is: an anonymousId if it is known as one."""
        one: Id = (ANONYMOUS, value)
        return (USER, value) if self._find(one) is None and self._find((USER, value)) is not None else one

    def _find(self, id: Id) -> Owner | None:
        """Changes of this tick are remembered too, but might have been pushed out by many others."""
        found = self._remembered.get(id)
        if found is None:
            found = self._changes.ids.get(id)
        if found is None and id not in self._absent:
            found = self._ask({id}).get(id)
        return found

    def _owner(self, id: Id, at: Instant) -> Owner:
        found = self._find(id)
        if found is not None:
            return found
        subject = self._allocate_group() if id[0] == GROUP else self._allocate()
        self._changes.firsts[subject] = First(subject, PREFIX[id[0]] + id[1], at)
        return self._attach(id, subject)

    def _attach(self, id: Id, owner: Owner) -> Owner:
        if self._find(id) != owner:
            self._set(id, owner)
        return owner

    def _set(self, id: Id, owner: Owner) -> None:
        self._changes.ids[id] = owner
        self._attached.setdefault(_subject(owner), {})[id] = None
        self._remembered.put(id, owner)

    def _identified(self, owner: Owner) -> bool:
        return any(kind == USER for kind, _ in self.ids(_subject(owner)))

    def _apart(self, mine: Owner | None, theirs: Owner) -> bool:
        """Whether a merge of the two was undone: then only an alias by a secret key brings them together."""
        if mine is None or not self._undone:
            return False
        two = {_subject(mine), _subject(theirs)}
        return any({self.today(younger), self.today(older)} == two for younger, older in self._undone)

    def _owned(self, subject: int) -> list[tuple[Id, int]]:
        changed = self._changes.ids
        before = [(one, home) for one, home in self._known.owned(subject) if one not in changed]
        now = [(one, changed[one]) for one in self._attached.get(subject, ())]
        return before + [(one, _home(owner)) for one, owner in now if _subject(owner) == subject]

    def _merge(self, mine: Owner, theirs: Owner, at: Instant, cause: str, by: str) -> Resolved:
        older, younger = sorted((_subject(mine), _subject(theirs)))
        moved = self._owned(younger)
        for one, home in moved:
            self._set(one, _owner(older, home))
        merging = Merging(younger, older, at, cause, tuple(sorted(one for one, _ in moved)), by)
        self._changes.mergings.append(merging)
        return Resolved(older, _home(mine), merging)


def _subject(owner: Owner) -> int:
    return owner if isinstance(owner, int) else owner[0]


def _home(owner: Owner) -> int:
    return owner if isinstance(owner, int) else owner[1]


def _owner(subject: int, home: int) -> Owner:
    return subject if home == subject else (subject, home)


def _resolved(owner: Owner) -> Resolved:
    return Resolved(_subject(owner), _home(owner))
