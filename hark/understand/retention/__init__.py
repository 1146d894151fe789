"""Retention: of those who began in the same period, how many are active in each period after.

`specification` is what the answer means, in plain Python; `ask_retention` gives the same answer from the
history by the kernel. Both fill the same `Partial`s, which add up. A start or a return is an event, or a
condition (`understand.turning`).
"""

from hark.definitions.asked import FOREVER, Retention
from hark.understand.retention.answer import Cohort, RetentionAnswer
from hark.understand.retention.ask import ask_retention
from hark.understand.retention.meaning import specification

__all__ = ["FOREVER", "Cohort", "Retention", "RetentionAnswer", "ask_retention", "specification"]
