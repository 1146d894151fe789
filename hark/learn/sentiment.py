"""Whether words are kind or not: VADER (Hutto and Gilbert 2014, ICWSM), by its authors' library.

A lexicon of English and rules for negation, degree and punctuation; it learns nothing and calls nobody.
"""

from __future__ import annotations

from functools import cache
from typing import Any

LONGEST = 2000
"""Characters that are looked at."""


@cache
def _analyser() -> Any:
    # Late: its lexicon takes a while to load, which only who asks for words should pay.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def polarity(text: str) -> float:
    """From -1 (unkind) to 1 (kind); 0 where the words say neither, or are not English."""
    return float(_analyser().polarity_scores(text[:LONGEST])["compound"])
