"""What was believed, tested and found: hypotheses with the verdicts of their campaigns, and what is like
a new one.

Nothing is decided here: each verdict is that of its campaign's report, and several are never added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hark.definitions.beliefs import Hypothesis
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Send
from hark.learn.compare import Interval
from hark.learn.report import Report
from hark.learn.verdict import Word
from hark.understand.wording import listed


class Standing(StrEnum):
    """What has become of a hypothesis, by the verdicts of its tests."""

    UNTESTED = "untested"
    OPEN = "not known yet"
    HELD = "held"
    NOT_HELD = "did not hold"
    REVERSED = "the reverse held"
    MIXED = "held in some tests, not in others"


class Trial(Struct, frozen=True):
    """A campaign that tests it, and its verdict now."""

    campaign: str
    version: int
    word: Word
    lift: Interval | None
    sentence: str


class Entry(Struct, frozen=True):
    """One entry of the library: a hypothesis document, or what a campaign says it believes."""

    name: str
    document: bool
    """False: the words of a campaign, of this name, that no document names."""
    question: str | None
    seen: str
    situation: str | None
    belief: str
    tests: tuple[Trial, ...]
    standing: Standing
    now: str
    """What is believed now: the author's words, else what follows from the verdicts."""
    because: tuple[str, ...] = ()
    """In what it is like the campaign that was asked about; () where none was."""

    def matches(self, text: str) -> bool:
        """Whether every word of the text stands somewhere in it, in capitals or not."""
        said = (self.name, self.question, self.seen, self.situation, self.belief, self.now, self.standing)
        tests = (part for one in self.tests for part in (one.campaign, one.word, one.sentence))
        whole = " ".join(filter(None, (*said, *tests))).casefold()
        return all(word in whole for word in text.casefold().split())


def library(
    hypotheses: Iterable[Hypothesis], campaigns: Mapping[str, Campaign], reports: Mapping[str, Report]
) -> list[Entry]:
    """Every hypothesis, and every campaign's own that none of them tests, by name."""
    documents = list(hypotheses)
    tested = {campaign for one in documents for campaign in one.tests}
    own = [
        Hypothesis(name, " ".join(one.hypothesis.split()), situation=one.trigger.enters, tests=(name,))
        for name, one in campaigns.items()
        if one.hypothesis and name not in tested
    ]
    made = [_entry(one, True, reports) for one in documents] + [_entry(one, False, reports) for one in own]
    return sorted(made, key=lambda one: (not one.document, one.name))


def _entry(one: Hypothesis, document: bool, reports: Mapping[str, Report]) -> Entry:
    tests = tuple(_test(reports[name]) for name in one.tests if name in reports)
    found = standing(tests)
    now = one.now or believed(found, tests)
    return Entry(one.name, document, one.question, one.seen, one.situation, one.belief, tests, found, now)


def _test(report: Report) -> Trial:
    judged = report.verdict
    return Trial(report.campaign, report.version, judged.word, judged.lift, report.sentences[0])


def standing(tests: Sequence[Trial]) -> Standing:
    """By the tests that say what they change; those that cannot be judged say nothing."""
    if not tests:
        return Standing.UNTESTED
    known = {one.word for one in tests} & {Word.HELPS, Word.HARMS, Word.NO_LARGER}
    if not known:
        return Standing.OPEN
    if known == {Word.HELPS}:
        return Standing.HELD
    if Word.HELPS in known:
        return Standing.MIXED
    return Standing.REVERSED if Word.HARMS in known else Standing.NOT_HELD


def believed(found: Standing, tests: Sequence[Trial]) -> str:
    """What follows from the verdicts, in a sentence; it says which tests it rests on."""
    match found:
        case Standing.UNTESTED:
            return "Nobody has tested it: no campaign is named."
        case Standing.OPEN:
            return "It is tested, and not known yet."
        case Standing.HELD:
            return f"It held: {_those(tests, Word.HELPS)}."
        case Standing.NOT_HELD:
            return f"It did not hold: {_those(tests, Word.NO_LARGER)}."
        case Standing.REVERSED:
            return f"The reverse held: {_those(tests, Word.HARMS, Word.NO_LARGER)}."
    helps, others = _those(tests, Word.HELPS), _those(tests, Word.HARMS, Word.NO_LARGER)
    return f"It depends: {helps}, but {others}. What differs between them is the next question."


_SAYS = {
    Word.HELPS: ("helps", "help"),
    Word.HARMS: ("harms", "harm"),
    Word.NO_LARGER: ("makes no difference that could be seen", "make no difference that could be seen"),
}


def _those(tests: Sequence[Trial], *words: Word) -> str:
    """ "a and b help", for each of the words that a test has."""
    parts = []
    for word in words:
        names = [one.campaign for one in tests if one.word is word]
        if names:
            parts.append(f"{listed(names, 'and')} {_SAYS[word][len(names) > 1]}")
    return listed(parts, "and")


def alike(campaign: Campaign, other: Campaign) -> tuple[str, ...]:
    """In what another campaign is like this one: the situation, the goal, what it sends."""
    found = []
    if campaign.trigger == other.trigger:
        start = campaign.trigger.enters
        found.append(f"situation {start}" if start else "the same trigger")
    goals = _goals(campaign) & _goals(other)
    if goals:
        found.append(f"goal {listed(sorted(goals), 'and')}")
    sent = _templates(campaign) & _templates(other)
    if sent:
        found.append(f"template {listed(sorted(sent), 'and')}")
    return tuple(found)


def _goals(campaign: Campaign) -> set[str]:
    return set(campaign.goal.event.names) if campaign.goal else set()


def _templates(campaign: Campaign) -> set[str]:
    steps = (step for variant in campaign.variants for step in every(variant.steps))
    return {name for step in steps if isinstance(step, Send) for _, name in step.ways}
