"""What a question may cost, and the one that watches it: how far it is, and whether it must end."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from msgspec import Struct

from hark.errors import HarkError
from hark.settings import Settings

MB = 1 << 20
HARD = 1.5
"""Times the budget: what no allocation passes, since between two look ups memory is not counted."""
SHARE = 0.5
"""Of the machine's memory, for questions where the settings give no number."""
ABANDONED_S = 30.0
"""A question after which nobody has looked for so long is ended."""


class Budget(Struct, frozen=True):
    """What is given to questions."""

    memory_bytes: float
    """Of the whole process, with the columns that it keeps."""
    seconds: float
    """For one question, waiting for its turn not counted."""


def budget_of(settings: Settings) -> Budget:
    """As the workspace has it."""
    memory = settings.question_memory_mb * MB or memory_bytes() * SHARE
    return Budget(memory, settings.question_s)


class Work:
    """One question under way. Safe to use from several threads."""

    def __init__(self, budget: Budget, abandoned_s: float = float("inf")) -> None:
        self.budget = budget
        self.done = self.of = 0
        """Parts of the history in hand: a question may go over it more than once."""
        self._abandoned_s = abandoned_s
        self._asked = self._begun = self._looked = time.monotonic()
        self._ended: HarkError | None = None

    @property
    def seconds(self) -> float:
        """Since it was asked."""
        return time.monotonic() - self._asked

    @property
    def unlooked_s(self) -> float:
        """Since somebody looked after it."""
        return time.monotonic() - self._looked

    def begin(self) -> None:
        """Its turn has come: the time it may take begins."""
        self._begun = time.monotonic()
        self.look_up()

    def looked(self) -> None:
        """Somebody still waits for the answer."""
        self._looked = time.monotonic()

    def end(self, why: HarkError) -> None:
        """Raise this at the next look up."""
        self._ended = why

    def bucket(self, done: int, of: int) -> None:
        """So many parts of the history are done."""
        self.done, self.of = done, of
        self.look_up()

    def look_up(self) -> None:
        """Raises HarkError: what ended it; `question.abandoned`, `question.slow`, `question.memory`."""
        if self._ended:
            raise self._ended
        if self.unlooked_s > self._abandoned_s:
            raise HarkError("nobody waited for the answer any more", "ask it again", "question.abandoned")
        if time.monotonic() - self._begun > self.budget.seconds:
            message = f"no answer within {self.budget.seconds:g} s, so the question was ended"
            raise HarkError(message, f"{SMALLER}, or raise question_s in hark.toml", "question.slow")
        if used_bytes() > self.budget.memory_bytes:
            raise too_much(self.budget)


SMALLER = "ask of a shorter time (since, until) or of fewer people (among)"


def too_much(budget: Budget) -> HarkError:
    """The refusal of a question whose columns do not fit."""
    message = f"the question needed more than {budget.memory_bytes / 1e9:.1f} GB of memory, so it was ended"
    return HarkError(message, f"{SMALLER}, or raise question_memory_mb in hark.toml", "question.memory")


def limit_memory(budget: Budget) -> None:
    """Let allocations of this process fail (MemoryError) before the machine would end it for them."""
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = int(budget.memory_bytes * HARD)
    if most == resource.RLIM_INFINITY or wanted < most:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def used_bytes() -> int:
    """This process's own memory: what it would give back at its end."""
    size, shared = Path("/proc/self/statm").read_text().split()[1:3]
    return (int(size) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def memory_bytes() -> float:
    """The machine's memory, or what a container may have of it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return machine
