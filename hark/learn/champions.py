"""Who speaks well of us: customers ranked by deep use, return, the friends they brought and what they say.

The score is the mean of its parts, each from 0 to 100; who never said what they feel is ranked by the others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.answers import Answer
from hark.learn.compare import Interval, newcombe
from hark.learn.habit import FOURTH_US, NOT_YET, WEEKS, Habits
from hark.learn.referrals import Reach
from hark.model import Instant

NOBODY = Reach(0, 0, 0)


class Champion(Struct, frozen=True):
    """One customer's score and what it rests on."""

    subject: int
    score: float
    use: float
    """Of those here in the last 13 weeks, the percentage who did fewer different things (ties half)."""
    returns: float
    """The share of the last 13 weeks, in percent, in which they came unprompted."""
    referrals: float
    """100 (1 - 0.5^n), n: 1 for each friend who stayed, 1/2 for each other, 1/4 for each further on."""
    goodwill: float | None
    """What they said last on its scale, in percent; None: nobody knows."""
    things: int
    weeks: int
    reach: Reach
    answer: Answer | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why the score is what it is."""
        grown = self.reach
        friends = f"brought {grown.friends} friend{'s' * (grown.friends != 1)}, {grown.stayed} of whom stayed"
        further = grown.reach - grown.friends
        friends += f", and {further} more through them" if further else ""
        said = self.answer and (self.answer.said or f'wrote "{self.answer.text[:80]}"')
        return (
            f"did {self.things} different things in {WEEKS} weeks, more than {self.use:.0f} % of the others",
            f"came unprompted in {self.weeks} of {WEEKS} weeks",
            friends if grown.friends else "brought nobody yet",
            f"said: {said}" if said else "was never asked what they feel",
        )

    @property
    def hold(self) -> str:
        """Why nobody should ask a favour of them now; "" where nothing speaks against it."""
        low = self.answer is not None and self.answer.mood == "low"
        return "they are not content: ask what is wrong first" if low else ""


def champions(
    known: Habits, reached: Mapping[int, Reach], said: Mapping[int, Answer], top: int
) -> list[Champion]:
    """The best of those who were here in the last 13 weeks, the best first."""
    here = np.flatnonzero(known.things > 0)
    things = known.things[here]
    ordered = np.sort(things)
    below = np.searchsorted(ordered, things, "left") + np.searchsorted(ordered, things, "right")
    use = 100 * below / (2 * max(1, len(things)))
    rows = zip(known.subject[here].tolist(), use.tolist(), things.tolist(), known.weeks[here].tolist(),
               strict=True)  # fmt: skip
    found = [_one(*row, reached.get(row[0], NOBODY), said.get(row[0])) for row in rows]
    return sorted(found, key=lambda one: (-one.score, one.subject))[:top]


def _one(subject: int, use: float, things: int, weeks: int, reach: Reach, said: Answer | None) -> Champion:
    returns, goodwill = 100 * weeks / WEEKS, None if said is None else 100 * said.goodwill
    friends = 100 * (
        1 - 0.5 ** (reach.stayed + (reach.friends - reach.stayed) / 2 + (reach.reach - reach.friends) / 4)
    )
    parts = [use, returns, friends, *([] if goodwill is None else [goodwill])]
    score = sum(parts) / len(parts)
    return Champion(subject, score, use, returns, friends, goodwill, things, weeks, reach, said)


class Friends(Struct, frozen=True):
    """Those who were brought, beside those who came by themselves: who was still there in the fourth week."""

    brought: Sums
    alone: Sums
    difference: Interval | None
    """Newcombe's interval, for one look: a description, since friends may differ to begin with."""


def friends(known: Habits, brought: frozenset[int], now: Instant) -> Friends:
    """Of everybody whose first four weeks are over."""
    over = known.first + FOURTH_US[1] < now
    mine = np.isin(known.subject, np.fromiter(brought, np.int64, len(brought)))
    stayed = known.stayed_at != NOT_YET
    ours, others = (Sums(int((over & who).sum()), int((over & who & stayed).sum())) for who in (mine, ~mine))
    return Friends(ours, others, newcombe(ours, others))
