"""Where the runs of one version of a campaign are now, and what each of its steps has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from hark.decide.program import Instruction
from hark.model import FactName, Record, Run


class Place(Struct, frozen=True):
    """One step of one variant."""

    variant: str
    step: str
    """Its id."""
    waiting: int = 0
    """Runs that stand here now, of people who are written to."""
    alone: int = 0
    """The same of people who are left alone: they walk in shadow."""
    queued: int = 0
    """Messages of this step that are wanted and not out yet."""
    sent: int = 0
    withheld: int = 0


class Journey(Struct, frozen=True):
    """One version of a campaign, as it stands."""

    campaign: str
    version: int
    entered: dict[str, int]
    """Entries so far by arm."""
    running: int
    """Runs under way, of people who are written to."""
    alone: int
    """The same of people who are left alone."""
    watched: int
    """Runs whose steps are over and whose goal is still awaited."""
    goals: dict[str, int]
    """By arm, runs that reached the goal."""
    exits: dict[str, int]
    """By reason, runs whose steps ended."""
    places: tuple[Place, ...]
    """In the order of the document."""
    others: dict[str, int] = field(default_factory=dict)
    """Runs under way of other versions, by version."""


class Said(Struct, frozen=True, gc=False):
    """What is read of a fact about a campaign."""

    campaign: str = ""
    version: int = 0
    arm: str = ""
    step: str = ""
    reason: str | None = None
    first: bool = False
    also: int | None = None


class Tally:
    """Adds up records and facts."""

    def __init__(self, campaign: str, version: int, code: Mapping[str, Sequence[Instruction]]) -> None:
        """`code`: each variant's program, as `Course.steps`."""
        self.campaign, self.version, self._code = campaign, version, code
        self._at: Counter[tuple[str, str, str]] = Counter()
        self._whole: Counter[str] = Counter()
        self._entered: Counter[str] = Counter()
        self._goals: Counter[str] = Counter()
        self._exits: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def record(self, record: Record) -> None:
        """One customer's runs and messages, as they stand."""
        for run in record.runs:
            if run.campaign == self.campaign:
                self._run(run)
        for one in record.sends:
            if (one.campaign, one.version, one.state) == (self.campaign, self.version, "wanted"):
                self._at[one.arm, one.step, "queued"] += 1

    def _run(self, run: Run) -> None:
        if run.version != self.version:
            self._others[str(run.version)] += not run.finished
        elif run.finished:
            self._whole["watched"] += run.goal_at is None
        else:
            self._whole["alone" if run.shadow else "running"] += 1
            code = self._code[run.variant]
            if run.step < len(code):
                self._at[run.variant, code[run.step].id, "alone" if run.shadow else "waiting"] += 1  # type: ignore[union-attr]

    def fact(self, name: str, said: Said) -> None:
        """One fact about this campaign."""
        take = _TAKES.get(name)
        if take and (said.campaign, said.version) == (self.campaign, self.version):
            take(self, said)

    def _enters(self, said: Said) -> None:
        self._entered[said.arm] += 1

    def _exit(self, said: Said) -> None:
        self._exits[said.reason or ""] += 1

    def _goal(self, said: Said) -> None:
        self._goals[said.arm] += said.first and said.also is None

    def _sent(self, said: Said) -> None:
        self._at[said.arm, said.step, "sent"] += 1

    def _withheld(self, said: Said) -> None:
        self._at[said.arm, said.step, "withheld"] += 1

    def result(self) -> Journey:
        """Everything told so far."""
        places = [self._place(variant, one) for variant, code in self._code.items() for one in _ids(code)]
        return Journey(
            self.campaign, self.version, dict(self._entered), self._whole["running"], self._whole["alone"],
            self._whole["watched"], dict(self._goals), dict(self._exits), tuple(places), dict(self._others),
        )  # fmt: skip

    def _place(self, variant: str, step: str) -> Place:
        kinds = ("waiting", "alone", "queued", "sent", "withheld")
        return Place(variant, step, *(self._at[variant, step, kind] for kind in kinds))


def _ids(code: Iterable[Instruction]) -> list[str]:
    return [one.id for one in code if hasattr(one, "id")]


_TAKES: Mapping[str, Callable[[Tally, Said], Any]] = {
    FactName.CAMPAIGN_ENTERED.value: Tally._enters,
    FactName.CAMPAIGN_EXITED.value: Tally._exit,
    FactName.GOAL_REACHED.value: Tally._goal,
    FactName.MESSAGE_SENT.value: Tally._sent,
    FactName.MESSAGE_WITHHELD.value: Tally._withheld,
}
TOLD = tuple(_TAKES)
"""The names of the facts that are counted."""
