"""Calls that say of several ids that they are one customer's: webhooks, and imports of Hark's own export.

What they say is believed less than an identify call: two identified customers are never merged by it, and an
address (`email:ada@example.com`, `phone:+44...` as anonymous ids) leads to the one customer who is known to
have it, if there is exactly one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from hark.history.identity import ANONYMOUS, USER, Id, Owner, Resolved, Resolver, _resolved, _subject
from hark.model import Instant

Holders: TypeAlias = Callable[[str, str], Sequence[int]]
"""(kind of address, value) to the subjects that are known to have it."""

CAUSE = "webhook"


class Many(Protocol):
    """What of a call says who it was. `hark.collect.calls.Call` is one."""

    @property
    def user_id(self) -> str: ...

    @property
    def anonymous_id(self) -> str: ...

    @property
    def known_as(self) -> Sequence[tuple[str, str]]: ...


class Gatherer(Resolver):
    """A resolver that can also take several ids at once."""

    def together(self, ids: Sequence[Id], holders: Holders, at: Instant, by: str) -> list[Resolved]:
        """The merges that it takes, in their order, and at the end the subject of the call.

        `ids` are a userId, if there is one, and then anonymous ids; at least one.
        """
        led = [self._by_address(one, holders, at, by) for one in ids]
        first = self._leading(ids)
        joined = [self._join(first, other, at, by) for other in ids if other != first]
        merges = [step for step in (*led, *joined) if step and step.merging]
        return [*merges, _resolved(self._owner(first, at))]

    def _leading(self, ids: Sequence[Id]) -> Id:
        """The userId; else the first id of somebody identified, else the first known, else the first."""
        if ids[0][0] == USER:
            return ids[0]
        known = [(one, owner) for one in ids if (owner := self._find(one)) is not None]
        identified = [one for one, owner in known if self._identified(owner)]
        return (identified or [one for one, _ in known] or list(ids))[0]

    def _join(self, first: Id, other: Id, at: Instant, by: str) -> Resolved:
        mine, theirs = self._find(first), self._find(other)
        if theirs is None:
            return _resolved(self._attach(other, self._owner(first, at)))
        if mine is None and not self._identified(theirs):
            return _resolved(self._attach(first, theirs))
        return self._merged(self._owner(first, at), theirs, at, by)

    def _merged(self, mine: Owner, theirs: Owner, at: Instant, by: str) -> Resolved:
        """Both as one, unless both are identified, or a merge of them was undone."""
        same = _subject(mine) == _subject(theirs)
        if same or (self._identified(mine) and self._identified(theirs)) or self._apart(mine, theirs):
            return _resolved(mine)
        return self._merge(mine, theirs, at, CAUSE, by)

    def _by_address(self, one: Id, holders: Holders, at: Instant, by: str) -> Resolved | None:
        """An address of nobody identified leads to the one customer who is known to have it."""
        kind, _, value = one[1].partition(":")
        if one[0] != ANONYMOUS or kind not in ("email", "phone"):
            return None
        owner = self._find(one)
        if owner is not None and self._identified(owner):
            return None
        found = {self.today(subject) for subject in holders(kind, value)} - {_subject(owner) if owner else 0}
        if len(found) != 1:
            return None
        (holder,) = found
        if owner is None:
            return _resolved(self._attach(one, holder))
        return self._merged(holder, owner, at, by)


def all_ids(call: Many) -> list[Id]:
    """Every id that a call names, the userId first, each once."""
    ids: list[Id] = [(USER, call.user_id)] if call.user_id else []
    if call.anonymous_id:
        ids.append((ANONYMOUS, call.anonymous_id))
    ids += [(USER if kind == "user" else ANONYMOUS, value) for kind, value in call.known_as]
    return list(dict.fromkeys(sorted(ids, key=lambda one: one[0] != USER)))
