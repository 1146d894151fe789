"""Who watches a question while it is answered: told how far it has come, and able to end it.

Who reads looks up between pieces of work (a group of rows, a bucket); within one nothing can be ended.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Watch(Protocol):
    """Somebody who waits for an answer. Told from several threads."""

    def bucket(self, done: int, of: int) -> None:
        """So many parts of the history are done. Raises HarkError to end the question."""
        ...

    def look_up(self) -> None:
        """A piece of work is done. Raises HarkError to end the question."""
        ...


class Nobody:
    """Watches a question that nobody can end."""

    def bucket(self, done: int, of: int) -> None:
        """Nobody is told."""

    def look_up(self) -> None:
        """Goes on."""


_NOBODY: Watch = Nobody()
watching: ContextVar[Watch] = ContextVar("watching", default=_NOBODY)
"""Who watches the question that is being answered in this context."""
