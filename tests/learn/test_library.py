"""The library of hypotheses: what follows from verdicts, what is found, and what is like a new campaign."""

from __future__ import annotations

import pytest

from hark.definitions.beliefs import Hypothesis
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.learn.library import Standing, Trial, alike, believed, library, standing
from hark.learn.report import reports
from hark.learn.verdict import Word
from hark.model import DAY, JSON
from tests.learn.histories import T0, Told, campaign, people

NOW = T0 + 60 * DAY
HELPS, HARMS, NONE, OPEN, CANNOT = (
    Word.HELPS,
    Word.HARMS,
    Word.NO_LARGER,
    Word.NOT_YET,
    Word.CANNOT,
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), Standing.UNTESTED),
        ((OPEN, CANNOT), Standing.OPEN),
        ((HELPS, OPEN), Standing.HELD),
        ((NONE,), Standing.NOT_HELD),
        ((NONE, HARMS), Standing.REVERSED),
        ((HELPS, NONE), Standing.MIXED),
        ((HELPS, HARMS), Standing.MIXED),
    ],
)
def test_what_became_of_it_follows_from_its_tests(words: tuple[Word, ...], found: Standing) -> None:
    """Tests that cannot be judged, or not yet, say nothing; those that differ leave it mixed; the sentence of
    what is believed names every test that it rests on."""
    tests = [Trial(f"c{number}", 1, word, None, "") for number, word in enumerate(words)]
    assert standing(tests) is found
    said = believed(found, tests)
    known = (HELPS, HARMS, NONE)
    assert [one.campaign in said for one in tests] == [one.word in known for one in tests]


def typed(document: Document) -> Campaign:
    found = definition(document)
    assert isinstance(found, Campaign)
    return found


def test_a_campaign_s_own_words_are_an_entry_unless_a_document_has_it() -> None:
    """The verdict of each is that of its report; `now` in the author's words stands over what follows."""
    documents = {name: campaign(name=name, hypothesis=f"Belief of {name}.") for name in ("a", "b", "c")}
    events = people("mail", 300, 200, 1) + people("control", 300, 60, 1001)
    found = reports(Told(events), {name: [one] for name, one in documents.items()}, NOW)
    typed_ = {name: typed(one) for name, one in documents.items()}
    entries = library(
        [Hypothesis("h", "They buy.", tests=("c", "a")), Hypothesis("i", "No.", now="We gave it up.")],
        typed_,
        found,
    )
    assert [(one.name, one.document) for one in entries] == [("h", True), ("i", True), ("b", False)]
    first, second, third = entries
    assert (first.standing, first.now) == (Standing.HELD, "It held: c helps.")
    assert first.tests[0].sentence == found["c"].sentences[0]
    assert (second.standing, second.now) == (Standing.UNTESTED, "We gave it up.")
    assert (third.standing, third.situation) == (Standing.OPEN, "quiet")
    assert [one.name for one in entries if one.matches("HELPS buy")] == ["h"]
    assert [one.name for one in entries if one.matches("belief quiet")] == ["b"]


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({}, ("situation quiet", "goal Bought", "template hello")),
        ({"trigger": {"event": "A"}, "goal": {"any_of": ["Bought", "B"], "within": "1d"}},
         ("goal Bought", "template hello")),
        ({"trigger": {"event": "A"}, "goal": {"event": "B", "within": "1d"},
          "variants": {"x": {"send": {"channel": "email", "template": "other"}}}}, ()),
    ],
)  # fmt: skip
def test_campaigns_are_alike_in_situation_goal_or_template(
    changed: dict[str, JSON], reasons: tuple[str, ...]
) -> None:
    """Each likeness is named; who shares none of the three is not like it."""
    document = campaign()
    other = Document("campaign", "o", 1, document.body | changed)
    assert alike(typed(document), typed(other)) == reasons
