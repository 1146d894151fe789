"""Plain English for events and spans of time, as conditions say them, for the stages that follow."""

from hark.understand.conditions.wording import event, listed, predicate, span

__all__ = ["event", "listed", "predicate", "span"]
