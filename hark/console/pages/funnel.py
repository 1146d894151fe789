"""How many go down a path of steps, how quickly, and what those do who stop."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from hark.console import figures
from hark.console.asking import address
from hark.console.pages.asked import QuestionPage
from hark.model import JSON
from hark.understand.funnel import FunnelAnswer, StepAnswer
from hark.understand.funnel.answer import Drop

ORDERS = ("ordered", "strict", "unordered")
JOINED = {"ordered": ", then ", "strict": ", directly then ", "unordered": ", and in any order "}


class FunnelDrop(Struct, frozen=True):
    """Those who reached a step and not the next."""

    told: Drop
    following: str
    """The step they did not come to."""
    address: str
    """The page that lists them."""


class FunnelPage(QuestionPage, frozen=True):
    """The question and, once it is asked, its answer."""

    answer: FunnelAnswer | None = None

    @property
    def orders(self) -> tuple[str, ...]:
        return ORDERS

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.ask.typed["steps"].splitlines() if line.strip()]

    @property
    def sentence(self) -> str:
        typed = self.ask.typed
        steps = JOINED.get(typed["order"], ", ").join(self.lines)
        within = f", within {typed['within']}" if typed["within"] else ""
        by = f", by {typed['by']}" if typed["by"] else ""
        return f"{steps}{within}{by}{self.limits}"

    @property
    def last(self) -> StepAnswer | None:
        return self.answer.steps[-1] if self.answer else None

    @property
    def drops(self) -> tuple[FunnelDrop, ...]:
        """Those who stopped at each step but the last."""
        if not self.answer:
            return ()
        numbered = enumerate(zip(self.answer.instead, self.answer.steps[1:], strict=True), start=1)
        return tuple(FunnelDrop(told, after.step, self.stopped(number)) for number, (told, after) in numbered)

    def stopped(self, step: int) -> str:
        """The address of who reached this step and no further."""
        return f"/funnel/stopped?{self.ask.query}&step={step}"

    @property
    def rows(self) -> list[tuple[StepAnswer, FunnelDrop | None]]:
        """The steps, each but the last with its drop."""
        steps = self.answer.steps if self.answer else ()
        return list(zip(steps, (*self.drops, None), strict=True)) if steps else []

    @property
    def chart(self) -> JSON:
        if not self.answer or not self.answer.steps[0].customers:
            return None
        return figures.funnel(self.answer, [drop.address for drop in self.drops])

    @property
    def groups_chart(self) -> JSON:
        return figures.groups(self.answer) if self.answer and self.answer.groups else None

    @property
    def trend_chart(self) -> JSON:
        return figures.funnel_trend(self.answer) if self.answer and self.answer.trend else None

    @property
    def waits(self) -> list[tuple[str, str, JSON]]:
        """(id, step, figure): how long the way to each step took."""
        steps = list(enumerate(self.answer.steps)) if self.answer else []
        return [
            (f"wait-{place}", step.step, figures.waits(self.answer, place))
            for place, step in steps
            if self.answer and any(step.histogram)
        ]

    @property
    def examples(self) -> list[tuple[str, str]]:
        """(words, address) of funnels that this workspace could ask."""
        steps = self.names[:3]
        if len(steps) < 2:
            return []
        return [
            (f"{one}, then {two}, within 7d", address("funnel", {"steps": f"{one}\n{two}", "within": "7d"}))
            for one, two in pairwise(steps)
        ]
