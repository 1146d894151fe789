"""The command `hark`. Thin: each command reads its arguments, asks the workspace, and prints."""

from __future__ import annotations

import sys

import typer

from hark.cli import (
    allocate,
    ask,
    backtest,
    behaviour,
    doctor,
    erase,
    events,
    exports,
    hooks,
    identity,
    imports,
    people,
    run,
    segment,
    signals,
    source,
    worth,
    write,
)
from hark.errors import HarkError

app = typer.Typer(
    name="hark",
    help="Listen to customers, form hypotheses, speak with a clear goal, learn whether it helped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
MODULES = (
    run,
    source,
    write,
    imports,
    people,
    hooks,
    events,
    exports,
    behaviour,
    segment,
    ask,
    backtest,
    allocate,
    worth,
    signals,
    erase,
    identity,
    doctor,
)
for module in MODULES:
    module.register(app)


def main() -> None:
    """Run the command; what a person can mend is one line with a hint, and exit code 1."""
    try:
        app()
    except HarkError as error:
        print(f"hark: {error}", file=sys.stderr)
        sys.exit(1)
