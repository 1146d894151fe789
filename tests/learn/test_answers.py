"""What customers say: scales, words, and how well the words are read."""

from __future__ import annotations

import csv
import gzip

import msgspec
import pytest

from hark.learn.answers import answer, latest
from hark.learn.sentiment import polarity
from hark.model import DAY, JSON
from tests.data import shared
from tests.learn.histories import T0


@pytest.mark.parametrize(
    ("told", "goodwill", "mood", "said"),
    [
        ({"kind": "nps", "score": 9}, 0.9, "warm", "nps 9 of 10"),
        ({"kind": "nps", "score": 7}, 0.7, "lukewarm", "nps 7 of 10"),
        ({"kind": "nps", "score": 6}, 0.6, "low", "nps 6 of 10"),
        ({"kind": "satisfaction", "score": 1}, 0.0, "low", "satisfaction 1 of 5"),
        ({"kind": "satisfaction", "score": 4}, 0.75, "warm", "satisfaction 4 of 5"),
        ({"score": 3, "most": 4}, 0.75, "warm", "score 3 of 4"),
        ({"kind": "poll", "score": 2}, 0.2, "low", "score 2 of 10"),
        ({"kind": "nps", "score": 11}, 1.0, "warm", "nps 11 of 10"),
    ],
)
def test_scores_are_read_on_their_scale(told: JSON, goodwill: float, mood: str, said: str) -> None:
    """NPS' promoters and detractors, satisfaction of 1 to 5, and any other scale by its most."""
    found = answer(1, T0, "Survey Answered", msgspec.json.encode(told))
    assert found is not None
    assert (found.goodwill, found.mood, found.said) == (goodwill, mood, said)


def test_words_alone_are_an_answer_and_nothing_is_none() -> None:
    """Words have the mood of their sentiment; a score keeps its own; without either nobody spoke."""
    kind = answer(1, T0, "Survey Answered", b'{"text": "I love this, it is wonderful!"}')
    unkind = answer(
        1, T0, "Survey Answered", b'{"comment": "Horrible. I hate it.", "score": 9, "kind": "nps"}'
    )
    assert kind is not None
    assert unkind is not None
    assert (kind.mood, kind.said) == ("warm", "")
    assert unkind.mood == "warm"
    assert unkind.sentiment is not None
    assert unkind.sentiment < -0.5
    assert answer(1, T0, "Survey Answered", b'{"answers": {}}') is None
    worth = answer(1, T0, "Worth It", b'{"worth": false}')
    assert worth is not None
    assert worth.mood == "low"


def test_the_last_answer_holds_for_a_year() -> None:
    """A later one replaces it; one of a year ago says nothing any more, one of tomorrow nothing yet."""
    first = answer(1, T0, "Survey Answered", b'{"score": 2}')
    later = answer(1, T0 + DAY, "Survey Answered", b'{"score": 8}')
    assert first is not None
    assert later is not None
    assert latest(iter([first, later]), T0 + DAY) == {1: later}
    assert latest(iter([first, later]), T0 + DAY - 1) == {1: first}
    assert latest(iter([first]), T0 + 365 * DAY) == {}


@pytest.mark.parametrize(("file", "right"), [("amazon", 0.84), ("imdb", 0.79)])
def test_how_well_words_are_read(file: str, right: float) -> None:
    """Of 1,000 labelled sentences of reviews so many are read as they were meant (docs/learn.md says so)."""
    with gzip.open(shared(f"review_sentences/{file}_sentences.csv.gz"), "rt") as lines:
        rows = list(csv.DictReader(lines))
    hits = sum((polarity(row["sentence"]) > 0) == (row["positive"] == "1") for row in rows)
    assert hits / len(rows) >= right
