"""What is wrong with definitions: every problem with its place, what was expected, and a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from hark.errors import HarkError


class Problem(Struct, frozen=True, order=True):
    """One mistake: where it is and what was expected there."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.message}{hint}"


class DefinitionError(HarkError):
    """Definitions were refused whole; `problems` holds all that is wrong, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)), id="definitions.refused")

    def __str__(self) -> str:
        """One line for each problem, "file:line: message (hint)", and the id behind the last."""
        return f"{self.message} [{self.id}]"


class Problems:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, line: int, message: str, hint: str = "") -> None:
        self.found.append(Problem(self.file, line, message, hint))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the nearest valid name, or all of them where none is near."""
    names: Sequence[str] = sorted(known)
    by_lower = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), by_lower, n=1)
    if close:
        return f'did you mean "{by_lower[close[0]]}"?'
    return f"known: {', '.join(names[:30])}" if names else "there is none yet"
