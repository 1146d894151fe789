"""How often something happens, to how many, and what it adds up to."""

from __future__ import annotations

from hark.console import figures
from hark.console.pages.asked import QuestionPage
from hark.model import JSON
from hark.understand.trend import Point, TrendAnswer


class TrendPage(QuestionPage, frozen=True):
    """The question and its answer; without an event it is about any activity."""

    answer: TrendAnswer | None = None

    @property
    def sentence(self) -> str:
        typed = self.ask.typed
        of = f" and {typed['of']}" if typed["of"] else ""
        by = f", split by {typed['by']}" if typed["by"] else ""
        beside = ", beside the time before" if typed["compare"] else ""
        return f"{typed['event'] or 'Any activity'}{of} by {typed['period']}{by}{self.limits}{beside}"

    @property
    def charts(self) -> list[tuple[str, str, JSON]]:
        """(id, heading, figure), the count first; of the property where the question names one."""
        if not self.answer or not self.answer.points:
            return []
        shown = [
            ("trend-count", "How often", figures.trend(self.answer, "count")),
            ("trend-customers", "How many different customers", figures.trend(self.answer, "customers", 260)),
        ]
        of = self.ask.typed["of"]
        if of:
            shown.append(("trend-sum", f"{of}, added up", figures.trend(self.answer, "sum", 260)))
            shown.append(("trend-typical", f"{of}, one by one", figures.typical(self.answer)))
        return shown

    @property
    def newest(self) -> tuple[tuple[Point, Point | None], ...]:
        """The points, the latest first, each with that as many periods before, where they are compared."""
        if not self.answer:
            return ()
        before = self.answer.before or [None] * len(self.answer.points)
        return tuple(zip(self.answer.points, before, strict=True))[::-1]

    @property
    def compares(self) -> bool:
        return bool(self.answer and self.answer.before)

    @property
    def last(self) -> Point | None:
        """The latest period that is over."""
        return next((one for one, _ in self.newest if one.complete), None)
