"""Do they come back, and to do what? Cohorts by the period of their start event."""

from __future__ import annotations

from msgspec import Struct

from hark.console import figures
from hark.console.asking import address
from hark.console.pages.asked import QuestionPage
from hark.definitions.conditions import read_condition
from hark.definitions.lines import step_of
from hark.model import JSON
from hark.understand.retention import Cohort, RetentionAnswer

COHORTS = {
    "first": "by their first in the range",
    "first_time": "only their first ever",
    "recurring": "in every period with one",
}
STRENGTHS = 8


class Cell(Struct, frozen=True):
    """A cohort in one period."""

    active: int
    share: float
    complete: bool
    """Whether the period is over."""
    strength: int
    """0 to STRENGTHS, by the share: which shade the cell has."""


class Row(Struct, frozen=True):
    cohort: str
    size: int
    cells: tuple[Cell, ...]


class Heat(Struct, frozen=True):
    """The cohorts of everybody, or of one group."""

    value: str
    rows: tuple[Row, ...]

    @property
    def places(self) -> range:
        return range(max((len(row.cells) for row in self.rows), default=0))


class RetentionPage(QuestionPage, frozen=True):
    """The question and, once it is asked, its answer."""

    answer: RetentionAnswer | None = None

    @property
    def sentence(self) -> str:
        typed = self.ask.typed
        back = _said(typed["return"]) if typed["return"] else "any activity"
        mode = " or later" if typed["on_or_after"] else ""
        by = f", by {typed['by']}" if typed["by"] else ""
        return f"{_said(typed['start'])}, then {back} in each {typed['period']} after{mode}{by}{self.limits}"

    @property
    def whens(self) -> list[str]:
        """Conditions to choose from, as the form takes them: being in a segment."""
        return [f"when {{in_segment: {name}}}" for name in self.segments]

    @property
    def cohorts(self) -> list[tuple[str, str]]:
        return list(COHORTS.items())

    @property
    def heats(self) -> list[Heat]:
        if not self.answer:
            return []
        groups = [(one.value, one.cohorts) for one in self.answer.groups] or [("", self.answer.cohorts)]
        return [Heat(value, tuple(map(_row, cohorts))) for value, cohorts in groups]

    @property
    def chart(self) -> JSON:
        return figures.retention(self.answer) if self.answer and self.answer.cohorts else None

    @property
    def examples(self) -> list[tuple[str, str]]:
        """(words, address) of questions that this workspace could ask."""
        return [(f"{one}, week by week", address("retention", {"start": one})) for one in self.names[:2]]


def _said(line: str) -> str:
    """A start or return in words."""
    asked = step_of(line)
    if isinstance(asked, dict) and "when" in asked:
        return f"they {read_condition(asked['when'], 'UTC').sentence()}"
    return line


def _row(cohort: Cohort) -> Row:
    cells = (_cell(cohort, after, active) for after, active in enumerate(cohort.active))
    return Row(cohort.cohort, cohort.size, tuple(cells))


def _cell(cohort: Cohort, after: int, active: int) -> Cell:
    share = active / cohort.size if cohort.size else 0.0
    return Cell(active, share, after < cohort.complete, round(share * STRENGTHS))
