"""Who brought whom: friends, the tree they grow into, and which of them stayed.

A friend says it with the trait `referred_by`, or with that property of a sign-up: any id of whoever told
them. Of the referrer it is said by `Referral Joined` with `friend`, or by an invitation to an address that
somebody had afterwards. What was said first counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from hark.collect.derived import DerivedName
from hark.learn.columns import Snapshot, integers
from hark.learn.habit import NOT_YET, Habits
from hark.model import Instant

SAID_BY = ("Identify", "Signed Up", "Account Created", "User Signed Up")
"""Events of the friend that may say `referred_by`."""
INVITED = ("Invitation Sent", "Invite Sent", "Invited Friend", "Invited Teammate")
INVITING = ("friend", "email", "to")
"""Properties of an invitation that may say for whom it is: an id or an address."""
Find: TypeAlias = Callable[[str], int | None]
"""The subject that an id, or "#12", names today; None: nobody."""
OURS = "hark"
"""The source of what was written by ourselves, which says nothing new."""


class Referral(Struct, frozen=True):
    """One friend who came."""

    referrer: int
    friend: int
    joined_at: Instant
    """The friend's first activity."""
    stayed_at: Instant | None


class Said(Struct, frozen=True, order=True):
    """One statement of who brought whom."""

    at: Instant
    seq: int
    friend: int
    referrer: int
    invited: bool = False
    """It was an invitation: who was here before it was not brought by it."""


def referrals(said: Iterable[Said], begun: Mapping[int, tuple[Instant, Instant | None]]) -> list[Referral]:
    """Each friend under whoever brought them, by the time of joining; `begun` has when somebody was first
    active, and when they had stayed. Nobody brings themselves, or whoever brought them."""
    brought: dict[int, int] = {}
    for one in sorted(said):
        late = one.invited and one.friend in begun and begun[one.friend][0] < one.at
        if not late and one.friend not in brought and one.friend not in _above(one.referrer, brought):
            brought[one.friend] = one.referrer
    found = [Referral(who, friend, *begun[friend]) for friend, who in brought.items() if friend in begun]
    return sorted(found, key=lambda one: (one.joined_at, one.friend))


def _above(subject: int, brought: Mapping[int, int]) -> Iterator[int]:
    """The subject, who brought them, who brought these, and so on."""
    yield subject
    while subject in brought:
        subject = brought[subject]
        yield subject


def said(snapshot: Snapshot, find: Find, now: Instant) -> Iterator[Said]:
    """Every statement in the history up to a moment; ids that nobody has are passed over."""
    for subject, at, seq, referrer in _naming(snapshot, SAID_BY, "referred_by", find):
        if at <= now:
            yield Said(at, seq, subject, referrer)
    for subject, at, seq, friend in _naming(snapshot, (DerivedName.JOINED.value,), "friend", find):
        if at <= now:
            yield Said(at, seq, friend, subject)
    for key in INVITING:
        for subject, at, seq, friend in _naming(snapshot, INVITED, key, find):
            if at <= now:
                yield Said(at, seq, friend, subject, invited=True)


def _naming(
    snapshot: Snapshot, names: Sequence[str], key: str, find: Find, ours: bool = False
) -> Iterator[tuple[int, Instant, int, int]]:
    """(subject, at, seq, whom the property names) of these events that name somebody: ours, or others."""
    rows = snapshot.table(names, ("subject", "at", "seq", "source", "properties"))
    within = f'"{key}"'.encode()
    keys = (integers(rows, name).tolist() for name in ("subject", "at", "seq"))
    told = zip(*keys, rows["source"].to_pylist(), rows["properties"].to_pylist(), strict=True)
    for subject, at, seq, source, raw in told:
        named = _named(raw, key, find) if within in raw and (source == OURS) == ours else None
        if named is not None:
            yield subject, at, seq, named


def _named(raw: bytes, key: str, find: Find) -> int | None:
    value = msgspec.json.decode(raw).get(key)
    return find(str(value)) if isinstance(value, str | int) else None


def begun(known: Habits) -> dict[int, tuple[Instant, Instant | None]]:
    """By subject, when they were first active, and when they had stayed."""
    stayed = [at if at != NOT_YET else None for at in known.stayed_at.tolist()]
    pairs = zip(known.first.tolist(), stayed, strict=True)
    return dict(zip(known.subject.tolist(), pairs, strict=True))


class Reach(Struct, frozen=True):
    """What grew from one customer."""

    friends: int
    """Whom they brought themselves."""
    stayed: int
    """Of these."""
    reach: int
    """Everybody below them in the tree."""


def reaches(found: Sequence[Referral]) -> dict[int, Reach]:
    """By referrer, what grew from them."""
    children: dict[int, list[Referral]] = defaultdict(list)
    brought = {one.friend: one.referrer for one in found}
    below: dict[int, int] = defaultdict(int)
    for one in found:
        children[one.referrer].append(one)
        for above in _above(one.referrer, brought):
            below[above] += 1
    return {
        who: Reach(len(some), sum(one.stayed_at is not None for one in some), below[who])
        for who, some in children.items()
    }


def untold(found: Iterable[Referral], told: frozenset[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """The events of referrers that nobody has written; `told`: (name, referrer, friend) of those there."""
    events = []
    for one in found:
        moments = ((DerivedName.JOINED, one.joined_at), (DerivedName.STAYED, one.stayed_at))
        for name, at in moments:
            if at is not None and (name.value, one.referrer, one.friend) not in told:
                events.append(_event(name, one, at))
    return events


def _event(name: DerivedName, of: Referral, at: Instant) -> dict[str, Any]:
    return {"name": name.value, "subject": of.referrer, "at": at, "properties": {"friend": f"#{of.friend}"}}


def told(snapshot: Snapshot, find: Find) -> frozenset[tuple[str, int, int]]:
    """(name, referrer, friend) of the events that are there already, ours and those of the product."""
    return frozenset(
        (name.value, subject, friend)
        for name in (DerivedName.JOINED, DerivedName.STAYED)
        for ours in (True, False)
        for subject, _, _, friend in _naming(snapshot, (name.value,), "friend", find, ours)
    )
