"""How answers look: JSON for programs, tables and bars for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from hark.clock import moment
from hark.model import JSON, Instant
from hark.questions import Progress

if TYPE_CHECKING:
    from rich.console import Console

    console: Console
    """In a file or a pipe lines are as long as a wide terminal's."""

Data = Annotated[Path, typer.Option("--data", help="The data directory.", show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
HERE = Path("hark-data")


def __getattr__(name: str) -> Any:
    """`show.console` is made when something is first shown: JSON needs nothing of what draws tables."""
    if name != "console":
        raise AttributeError(name)
    return _console()


@cache
def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def as_json(value: object) -> None:
    """One JSON document on standard output, structs and all."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """A plain table; columns whose name ends in a space stand left, the others right."""
    from rich.table import Table

    if title:
        _console().print(title, style="bold")
    made = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        made.add_column(column.strip(), justify="left" if column.endswith(" ") else "right", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    _console().print(made)


def bar(share: float, width: int = 20) -> str:
    """A share of one as a bar with eighths."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


def percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A length of time in the two largest units a person would say: `2 min`, `1 h 5 min`, `3 d 4 h`."""
    if seconds is None:
        return ""
    left, said = round(seconds), []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        said.append(f"{count} {name}" if count else "")
    first = next((at for at, words in enumerate(said) if words), 3)
    return " ".join(filter(None, said[first : first + 2])) or "0 s"


def when(at: Instant) -> str:
    return moment(at).strftime("%Y-%m-%d %H:%M:%S")


def flat(value: JSON) -> str:
    """A small object as `key value, key value`."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {flat(item)}" for key, item in value.items())
    return str(value)


@contextmanager
def waiting() -> Iterator[Callable[[Progress], None]]:
    """Who is told of progress says it on standard error, if that is a terminal, until the answer is there."""
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda told: status.update(_progress(told))


def _progress(told: Progress) -> str:
    parts = f", {told.done} of {told.of} parts" if told.of else ""
    return f"{told.seconds:.0f} s{parts}; Ctrl-C ends the question"
