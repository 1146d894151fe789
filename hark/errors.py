"""The one error a person is meant to read: what is wrong, what to do, and a stable id to search for."""

from __future__ import annotations


class HarkError(Exception):
    """A mistake or a state that a person can mend. Command lines print it in one line, without a trace.

    `id` is stable and documented (`data.in-use`, `log.broken`); `hint` says what to do next.
    """

    def __init__(self, message: str, hint: str = "", id: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.id = id

    def __str__(self) -> str:
        """One line: "message (hint) [id]"."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.message}{hint} [{self.id}]"
