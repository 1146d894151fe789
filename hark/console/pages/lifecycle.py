"""Who is new, returning, resurrected and dormant in each period."""

from __future__ import annotations

from hark.console import figures
from hark.console.pages.asked import QuestionPage
from hark.model import JSON
from hark.understand.lifecycle import LifecycleAnswer, Stage


class LifecyclePage(QuestionPage, frozen=True):
    """The question and its answer; it is asked without a word too."""

    answer: LifecycleAnswer | None = None

    @property
    def sentence(self) -> str:
        return f"Everybody's activity by {self.ask.typed['period']}{self.limits}"

    @property
    def chart(self) -> JSON:
        return figures.lifecycle(self.answer) if self.answer and self.answer.periods else None

    @property
    def newest(self) -> tuple[Stage, ...]:
        """The periods, the latest first."""
        return self.answer.periods[::-1] if self.answer else ()

    @property
    def last(self) -> Stage | None:
        """The latest period that is over."""
        return next((one for one in self.newest if one.complete), None)
