"""What a survey's answers say: how many, the score with its interval, over time, and in people's own words.

Pure: `report` is a fold over answers in the order of (at, seq). Who changes an answer to the same message has
given the later one alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt

from msgspec import Struct

from hark.definitions.survey import SCORES, Survey, said
from hark.learn.aggregates import Sums
from hark.learn.compare import Interval, wilson
from hark.model import Instant
from hark.understand.periods import Period, days_between, ends, first_day, label
from hark.understand.tabular import Row, Tabular

FEWEST = 5
"""Answers below which a score has no interval."""
Z = 1.959964
NEWEST_TEXTS = 100
PROMOTER, DETRACTOR = 9, 6
"""Of eleven scores the least that promotes, and the greatest that detracts (Reichheld 2003)."""


class Given(Struct, frozen=True):
    """One answer."""

    subject: int
    at: Instant
    message: str
    """The message by which it was asked; "" for none of ours."""
    option: str
    """A score or a choice, as it stands in the survey's options; "" for a text alone."""
    text: str = ""


class OptionCount(Struct, frozen=True):
    """How many chose one of the options, and the share with its 95 % interval (Wilson)."""

    option: str
    label: str
    count: int
    share: float
    low: float
    high: float


class SurveyPoint(Struct, frozen=True):
    """One period; the score is None without answers, and its bounds under a handful."""

    period: str
    answers: int
    score: float | None
    low: float | None
    high: float | None
    complete: bool


class Words(Struct, frozen=True):
    """What somebody wrote."""

    subject: int
    at: Instant
    option: str
    text: str


class SurveyReport(Tabular, frozen=True):
    """{"survey", "kind", "asks", "answers", "customers", "score", "low", "high", "options", "periods",
    "texts"}."""

    survey: str
    kind: str
    asks: str
    answers: int
    customers: int
    score: float | None
    """NPS: promoters less detractors, in points of 100; satisfaction: the mean; others have none."""
    low: float | None
    high: float | None
    options: tuple[OptionCount, ...]
    periods: tuple[SurveyPoint, ...]
    texts: tuple[Words, ...]
    """The newest first."""

    def rows(self) -> Iterator[Row]:
        for one in self.periods:
            yield {"period": one.period, "answers": one.answers, "score": one.score, "low": one.low,
                   "high": one.high, "complete": one.complete}  # fmt: skip


def report(
    survey: Survey, given: Sequence[Given], now: Instant, period: Period = "week", zone: str = "UTC"
) -> SurveyReport:
    """`given` in the order of (at, seq)."""
    kept = latest(one for one in given if one.at <= now and (one.option in survey.options or one.text))
    whole = scored(survey.kind, [one.option for one in kept])
    return SurveyReport(
        survey.name,
        survey.kind,
        said(survey.asks, "en"),
        len(kept),
        len({one.subject for one in kept}),
        *whole,
        options=tuple(_options(survey, kept)),
        periods=tuple(_periods(survey, kept, now, period, zone)),
        texts=tuple(_texts(kept)),
    )


def latest(given: Iterable[Given]) -> list[Given]:
    """Of each customer's answers to one message the last; answers to no message of ours all count."""
    found: dict[tuple[object, ...], Given] = {}
    for place, one in enumerate(given):
        key = (one.subject, one.message) if one.message else (one.subject, "", place)
        found.pop(key, None)
        found[key] = one
    return list(found.values())


def scored(kind: str, options: Sequence[str]) -> tuple[float | None, float | None, float | None]:
    """(score, low, high) of answers; the interval is the normal one, of the variance of what each is worth: a
    promoter 100, a detractor -100, anybody between 0; a satisfaction its score."""
    values = [_worth(kind, int(one)) for one in options if kind in SCORES and one]
    if not values:
        return None, None, None
    found = _mean(values)
    return (found.estimate, found.low, found.high) if len(values) >= FEWEST else (found.estimate, None, None)


def _worth(kind: str, score: int) -> float:
    if kind == "satisfaction":
        return float(score)
    return 100.0 * ((score >= PROMOTER) - (score <= DETRACTOR))


def _mean(values: Sequence[float]) -> Interval:
    n = len(values)
    mean = sum(values) / n
    half = Z * sqrt(sum((one - mean) ** 2 for one in values) / max(1, n - 1) / n)
    return Interval(mean, mean - half, mean + half)


def _options(survey: Survey, kept: Sequence[Given]) -> Iterator[OptionCount]:
    counts = Counter(one.option for one in kept)
    n = sum(counts[one] for one in survey.options)
    for one in survey.options if n else ():
        low, high = wilson(Sums(n, counts[one]))
        yield OptionCount(one, survey.label(one, "en"), counts[one], counts[one] / n, low, high)


def _periods(
    survey: Survey, kept: Sequence[Given], now: Instant, period: Period, zone: str
) -> Iterator[SurveyPoint]:
    """All from the first answer to now, also those in which nobody answered."""
    if not kept:
        return
    by: dict[object, list[str]] = {}
    for one in kept:
        by.setdefault(first_day(one.at, period, zone), []).append(one.option)
    for day in days_between(min(one.at for one in kept), now, period, zone):
        found = by.get(day, [])
        whole = ends(day, period, zone) <= now
        yield SurveyPoint(label(day, period), len(found), *scored(survey.kind, found), complete=whole)


def _texts(kept: Sequence[Given]) -> Iterator[Words]:
    spoken = sorted((one for one in kept if one.text), key=lambda one: one.at, reverse=True)
    for one in spoken[:NEWEST_TEXTS]:
        yield Words(one.subject, one.at, one.option, one.text)
