"""What customers say of the product: scores, on whatever scale they were asked, and words.

An answer is an event: `Survey Answered` with `score` and maybe `kind`, `most` and `text`, or `Worth It` with
`worth`. `kind` is `nps` (0 to 10), `satisfaction` (1 to 5) or `effort` (1 to 7); else `most` says how high
the scale goes, and without it 10 is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from hark.learn.columns import Snapshot, integers
from hark.learn.sentiment import polarity
from hark.model import DAY, Instant
from hark.understand.operators import is_number

Mood: TypeAlias = Literal["warm", "lukewarm", "low"]
ANSWERED = "Survey Answered"
WORTH = "Worth It"
NAMES = (ANSWERED, WORTH)
HOLDS_US = 365 * DAY
"""For so long what somebody said is taken as what they feel."""
SCALES: Mapping[str, tuple[float, float, float, float]] = {
    "nps": (0, 10, 6, 9),
    "satisfaction": (1, 5, 2, 4),
    "csat": (1, 5, 2, 4),
    "effort": (1, 7, 3, 6),
}
"""By kind: the least and the most, up to which a score is low, from which it is warm. Of NPS these are its
detractors and promoters (Reichheld 2003, Harvard Business Review 81(12), 46-54)."""
LOW, WARM = 0.4, 0.75
"""The same of other scales, as shares of the way from their least to their most."""
DECIDED = 0.05
"""Words whose polarity is nearer to 0 say neither (the bound of the sentiment library's authors)."""


class Answer(Struct, frozen=True):
    """One answer of one customer."""

    subject: int
    at: Instant
    goodwill: float
    """From 0 to 1: the score on its scale, or the sentiment of the words where there is no score."""
    mood: Mood
    said: str
    """The score as it was given: "nps 9 of 10"; "" where there were only words."""
    text: str
    sentiment: float | None
    """Of the words, from -1 to 1; None where there are none."""


def answer(subject: int, at: Instant, name: str, raw: bytes) -> Answer | None:
    """What an event says; None: neither a score nor words."""
    told = msgspec.json.decode(raw)
    if name == WORTH:
        return _worth(subject, at, told)
    text = next((told[key] for key in ("text", "comment") if isinstance(told.get(key), str)), "").strip()
    sentiment = polarity(text) if text else None
    if is_number(told.get("score")):
        goodwill, mood, said = _scored(float(told["score"]), told)
        return Answer(subject, at, goodwill, mood, said, text, sentiment)
    if sentiment is None:
        return None
    mood = "warm" if sentiment >= DECIDED else "low" if sentiment <= -DECIDED else "lukewarm"
    return Answer(subject, at, (sentiment + 1) / 2, mood, "", text, sentiment)


def _worth(subject: int, at: Instant, told: Mapping[str, Any]) -> Answer:
    good = told.get("worth") is not False
    said = "worth their time" if good else "not worth their time"
    return Answer(subject, at, float(good), "warm" if good else "low", said, "", None)


def _scored(score: float, told: Mapping[str, Any]) -> tuple[float, Mood, str]:
    kind = told.get("kind")
    kind = kind if isinstance(kind, str) and kind in SCALES else ""
    least, most, low, warm = SCALES[kind] if kind else _scale(told.get("most"))
    mood: Mood = "low" if score <= low else "warm" if score >= warm else "lukewarm"
    goodwill = min(1.0, max(0.0, (score - least) / (most - least)))
    return goodwill, mood, f"{kind or 'score'} {score:g} of {most:g}"


def _scale(most: Any) -> tuple[float, float, float, float]:
    top = float(most) if is_number(most) and most > 0 else 10.0
    return 0.0, top, LOW * top, WARM * top


def answers(snapshot: Snapshot, now: Instant) -> Iterator[Answer]:
    """Every answer up to a moment, by (subject, at, seq)."""
    rows = snapshot.table(NAMES, ("subject", "at", "seq", "name", "properties"))
    subjects, ats = integers(rows, "subject").tolist(), integers(rows, "at").tolist()
    told = zip(subjects, ats, rows["name"].to_pylist(), rows["properties"].to_pylist(), strict=True)
    for subject, at, name, raw in told:
        found = answer(subject, at, name, raw) if at <= now else None
        if found:
            yield found


def latest(found: Iterator[Answer], now: Instant) -> dict[int, Answer]:
    """By subject, the last answer up to a moment that still holds then."""
    return {one.subject: one for one in found if now - HOLDS_US < one.at <= now}
