"""How often people are there, and for how long."""

from __future__ import annotations

from hark.console import figures
from hark.console.pages.asked import QuestionPage
from hark.model import JSON
from hark.understand.sessions import SessionPeriod, SessionsAnswer


class SessionsPage(QuestionPage, frozen=True):
    """The question and its answer; it is asked without a word too."""

    answer: SessionsAnswer | None = None

    @property
    def sentence(self) -> str:
        typed = self.ask.typed
        return f"Activity without a gap of {typed['gap']}, by {typed['period']}{self.limits}"

    @property
    def chart(self) -> JSON:
        return figures.sessions(self.answer) if self.answer and self.answer.periods else None

    @property
    def newest(self) -> tuple[SessionPeriod, ...]:
        """The periods, the latest first."""
        return self.answer.periods[::-1] if self.answer else ()
