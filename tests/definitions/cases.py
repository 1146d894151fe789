"""`mistakes.txt`: wrong documents, each with all that the language must say of it.

A case begins with "=== name"; its text follows, then the problems, each "!! line: message (hint)".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE.parents[1] / "docs" / "examples").glob("*.yaml"))


class Mistake(NamedTuple):
    name: str
    text: str
    problems: list[str]


def mistakes() -> list[Mistake]:
    """Every case of the file."""
    parts = re.split(r"^=== ", (HERE / "mistakes.txt").read_text(), flags=re.MULTILINE)[1:]
    return [_mistake(part) for part in parts]


def _mistake(part: str) -> Mistake:
    name, _, rest = part.partition("\n")
    problems = re.findall(r"^!! (.*)$", rest, flags=re.MULTILINE)
    text = re.split(r"^!! ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return Mistake(name, text, problems)
