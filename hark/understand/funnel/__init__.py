"""Funnels: how many go down a path of steps, how quickly, and what those do who stop.

`specification` is what the answer means, in plain Python; `ask_funnel` gives the same answer from the history
by the kernel (`understand.kernels.funnel`). Both fill the same `Partial`s, which add up.
"""

from hark.definitions.asked import FOREVER, Funnel
from hark.understand.funnel.answer import FunnelAnswer, Group, Open, StepAnswer, within
from hark.understand.funnel.ask import ask_funnel, who_stopped
from hark.understand.funnel.meaning import attempt, specification
from hark.understand.steps import matches, named, parse_step

__all__ = [
    "FOREVER",
    "Funnel",
    "FunnelAnswer",
    "Group",
    "Open",
    "StepAnswer",
    "ask_funnel",
    "attempt",
    "matches",
    "named",
    "parse_step",
    "specification",
    "who_stopped",
    "within",
]
