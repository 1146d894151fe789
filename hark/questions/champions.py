"""Who speaks well of us, and whom they brought, as questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.learn.champions import Champion
    from hark.learn.referrals import Referral
    from hark.questions.desk import Desk

MOST = 1000
TREES = 10
"""Largest trees that are told."""


class ChampionsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`top`: how many; `at`: as of this instant, None: now."""

    top: int = 20
    at: Instant | None = None


class ReferralsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """The `Referral Joined` and `Referral Stayed` that are due and not written yet."""


def champions(desk: Desk, asked: ChampionsQuestion, snapshot: Snapshot) -> JSON:
    """{"at", "here", "answered", "champions": [{"customer", "score", "parts", "says", "hold"}], "friends":
    {"joined", "stayed", "brought", "alone", "difference"}, "trees": [{"customer", "stayed", "friends"}]}.

    Raises HarkError `question.wrong`.
    """
    from hark.learn import champions as learn
    from hark.learn.answers import answers, latest
    from hark.learn.referrals import reaches

    if not 1 <= asked.top <= MOST:
        raise HarkError(f"{asked.top} champions", f"ask for 1 to {MOST}", "question.wrong")
    now = desk.clock.now() if asked.at is None else asked.at
    everybody = whom(desk, snapshot)
    known, found = _referred(desk, everybody, now)
    said = latest(answers(everybody, now), now)
    best = learn.champions(known, reaches(found), said, asked.top)
    beside = learn.friends(known, frozenset(one.friend for one in found), now)
    return {
        "at": now,
        "here": int((known.things > 0).sum()),
        "answered": len(said),
        "champions": [_champion(desk, one) for one in best],
        "friends": {
            "joined": len(found),
            "stayed": sum(one.stayed_at is not None for one in found),
            **msgspec.to_builtins(beside),
        },
        "trees": list(_trees(desk, found)),
    }


def _referred(desk: Desk, everybody: People, now: Instant) -> tuple[Any, list[Referral]]:
    """Everybody's habits, and who brought whom."""
    # Late: the compiler behind the columns takes half a second to load.
    from hark.learn.habit import habits
    from hark.learn.referrals import begun, referrals, said

    known = habits(everybody, now)
    return known, referrals(said(everybody, desk.state.find, now), begun(known))


def _champion(desk: Desk, one: Champion) -> JSON:
    from hark.questions.kinds import known_as

    parts = {"use": one.use, "returns": one.returns, "referrals": one.referrals, "goodwill": one.goodwill}
    about = {"subject": one.subject, "customer": known_as(desk.state, one.subject), "score": one.score}
    return {**about, "parts": parts, "says": list(one.sentences), "hold": one.hold}


def _trees(desk: Desk, found: Sequence[Referral]) -> Iterator[JSON]:
    """The largest trees from their roots, each friend with the friends below."""
    from hark.learn.referrals import reaches

    below: dict[int, list[Referral]] = {}
    for one in found:
        below.setdefault(one.referrer, []).append(one)
    grown, brought = reaches(found), {one.friend for one in found}
    roots = sorted(below.keys() - brought, key=lambda who: (-grown[who].reach, who))
    for root in roots[:TREES]:
        yield _node(desk, root, None, below)


def _node(desk: Desk, subject: int, own: Referral | None, below: dict[int, list[Referral]]) -> JSON:
    from hark.questions.kinds import known_as

    friends = [_node(desk, one.friend, one, below) for one in below.get(subject, ())]
    stayed = None if own is None else own.stayed_at is not None
    return {
        "subject": subject,
        "customer": known_as(desk.state, subject),
        "stayed": stayed,
        "friends": friends,
    }


def referrals(desk: Desk, _asked: ReferralsQuestion, snapshot: Snapshot) -> JSON:
    """[{"name", "subject", "at", "properties"}]: what is to be written into histories of referrers."""
    from hark.learn.referrals import told, untold

    everybody = whom(desk, snapshot)
    _, found = _referred(desk, everybody, desk.clock.now())
    return untold(found, told(everybody, desk.state.find))
