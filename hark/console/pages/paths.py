"""What people do next after an event, or did before it."""

from __future__ import annotations

from hark.console import figures
from hark.console.asking import address
from hark.console.pages.asked import QuestionPage
from hark.model import JSON
from hark.understand.paths import PathsAnswer


class PathsPage(QuestionPage, frozen=True):
    """The question and, once it is asked, its answer."""

    answer: PathsAnswer | None = None

    @property
    def forward(self) -> bool:
        return bool(self.ask.typed["from"])

    @property
    def sentence(self) -> str:
        typed = self.ask.typed
        after = f"after {typed['from']}" if typed["from"] else f"before {typed['to']}"
        until = f", up to {typed['to']}" if typed["from"] and typed["to"] else ""
        return f"What people did {after}{until}, {typed['depth']} steps{self.limits}"

    @property
    def chart(self) -> JSON:
        return figures.paths(self.answer, self.forward) if self.answer and self.answer.tree.next else None

    @property
    def top(self) -> list[tuple[tuple[str, ...], int, float]]:
        """(steps in the order in which they happened, customers, their share) of the most frequent paths."""
        if not self.answer:
            return []
        all_ = self.answer.tree.customers
        turn = 1 if self.forward else -1
        return [(one.path[::turn], one.customers, one.customers / all_) for one in self.answer.top if all_]

    @property
    def examples(self) -> list[tuple[str, str]]:
        """(words, address) of questions that this workspace could ask."""
        return [(f"What comes after {one}?", address("paths", {"from": one})) for one in self.names[:2]] + [
            (f"What comes before {one}?", address("paths", {"to": one})) for one in self.names[-1:]
        ]
