"""The emotional tie: what customers say beside what they do.

Habit is coming back unprompted in 6 or more of the last 13 weeks; attachment is a warm last answer. Who
answered and is not warm is never put among the silent: they spoke.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.answers import Answer, Mood
from hark.learn.compare import wilson
from hark.learn.habit import HABITUAL, Habits
from hark.model import Instant

Tie: TypeAlias = Literal["both", "attachment", "habit", "neither", "silent habit", "silent"]
TIES: tuple[Tie, ...] = ("both", "attachment", "habit", "neither", "silent habit", "silent")
SAYS: Mapping[Tie, str] = {
    "both": "warm, and here by habit",
    "attachment": "warm, and not here by habit",
    "habit": "here by habit, and not warm",
    "neither": "neither warm nor here by habit",
    "silent habit": "here by habit, and never asked or never answered",
    "silent": "nothing said, and no habit",
}


def tie(weeks: int, mood: Mood | None) -> Tie:
    """Of one customer: weeks of the last 13 in which they came unprompted, and their last answer's mood."""
    habitual = weeks >= HABITUAL
    if mood is None:
        return "silent habit" if habitual else "silent"
    if mood == "warm":
        return "both" if habitual else "attachment"
    return "habit" if habitual else "neither"


def ties(known: Habits, said: Mapping[int, Answer]) -> dict[int, Tie]:
    """By subject, of everybody who was here in the last 13 weeks or whose answer holds."""
    rows = zip(known.subject.tolist(), known.weeks.tolist(), known.things.tolist(), strict=True)
    found: dict[int, Tie] = {}
    for subject, weeks, things in rows:
        answer = said.get(subject)
        if things or answer:
            found[subject] = tie(weeks, answer.mood if answer else None)
    spoken = {who: tie(0, answer.mood) for who, answer in said.items() if who not in found}
    return found | spoken


def moves(before: Mapping[int, Tie], now: Mapping[int, Tie]) -> dict[tuple[str, str], int]:
    """How many went from where to where; "not here" for who was, or is, in no group."""
    everybody = before.keys() | now.keys()
    return dict(Counter((before.get(one, "not here"), now.get(one, "not here")) for one in everybody))


class CameBack(Struct, frozen=True):
    """Of a group as it was, who came back within 28 days."""

    customers: int
    came_back: int
    low: float
    """Of the share: Wilson's interval, 95 %."""
    high: float


def came_back(before: Mapping[int, Tie], back: frozenset[int]) -> dict[Tie, CameBack]:
    """By group; groups of nobody are left out."""
    size = Counter(before.values())
    found = Counter(one for who, one in before.items() if who in back)
    return {one: _back(n, found[one]) for one, n in size.items()}


def _back(customers: int, came: int) -> CameBack:
    low, high = wilson(Sums(customers, came))
    return CameBack(customers, came, max(0.0, low), min(1.0, high))


class Month(Struct, frozen=True):
    """What was said in a month."""

    month: str
    """ "2026-03", in the workspace's zone."""
    answers: int
    warm: int
    low: int
    goodwill: float
    """The mean, from 0 to 1."""
    nps: float | None
    """Promoters less detractors, in points of a hundred (Reichheld 2003); None without such an answer."""
    words: int
    sentiment: float | None
    """The mean over answers with words, from -1 to 1."""


def months(found: Sequence[tuple[str, Answer]]) -> list[Month]:
    """Of answers with their months, the earliest month first."""
    by: dict[str, list[Answer]] = {}
    for month, answer in found:
        by.setdefault(month, []).append(answer)
    return [_month(month, by[month]) for month in sorted(by)]


def _month(month: str, found: Sequence[Answer]) -> Month:
    mood = Counter(one.mood for one in found)
    promoted = Counter(one.mood for one in found if one.said.startswith("nps "))
    words = [one.sentiment for one in found if one.sentiment is not None]
    asked = sum(promoted.values())
    return Month(
        month,
        len(found),
        mood["warm"],
        mood["low"],
        sum(one.goodwill for one in found) / len(found),
        100 * (promoted["warm"] - promoted["low"]) / asked if asked else None,
        len(words),
        sum(words) / len(words) if words else None,
    )


class Low(Struct, frozen=True):
    """Somebody whose last answer is low."""

    subject: int
    at: Instant
    said: str
    text: str
    weeks: int


def low(known: Habits, said: Mapping[int, Answer]) -> list[Low]:
    """Those who said that they are not content, the latest first."""
    weeks = dict(zip(known.subject.tolist(), known.weeks.tolist(), strict=True))
    found = [one for one in said.values() if one.mood == "low"]
    told = (Low(one.subject, one.at, one.said, one.text, weeks.get(one.subject, 0)) for one in found)
    return sorted(told, key=lambda one: (-one.at, one.subject))
