"""The table of commands: all of them are listed, and asking for one loads nothing of the others."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import typer
from typer.testing import CliRunner

import hark.cli
from hark.cli import COMMANDS, app, loaded

HEAVY = ("numba", "numpy", "scipy", "pyarrow", "deltalake", "duckdb", "django", "plotly", "httpx", "httpcore",
         "ruamel", "hark.engine", "hark.understand", "hark.learn")  # fmt: skip


def registered() -> dict[str, str]:
    """By command the module that registers it, read from the modules themselves."""
    found: dict[str, str] = {}
    for one in iter_modules(hark.cli.__path__):
        module, own = import_module(f"hark.cli.{one.name}"), typer.Typer()
        if hasattr(module, "register"):
            module.register(own)
            found |= dict.fromkeys(typer.main.get_group(own).commands, one.name)
    return found


def test_the_table_lists_what_the_modules_register() -> None:
    """Every command of every module stands in the table under its module, and nothing else does."""
    assert {name: module for name, (module, _) in COMMANDS.items()} == registered()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_line_begins_its_own_help(name: str) -> None:
    """What `hark --help` says of a command is how the command's own help begins."""
    assert " ".join(loaded(name).help.split()).startswith(COMMANDS[name][1].rstrip("."))


def test_help_lists_every_command() -> None:
    """`hark --help` names each command of the table."""
    said = CliRunner().invoke(app, ["--help"]).stdout
    assert [name for name in COMMANDS if f"  {name} " not in said] == []


def test_a_mistyped_command_is_told_its_neighbour() -> None:
    """An unknown command is refused with the nearest known one."""
    done = CliRunner().invoke(app, ["funel"])
    assert done.exit_code == 2
    assert "Did you mean 'funnel'" in done.output


def loads(words: list[str]) -> set[str]:
    """The modules that a process has loaded once it has run a command."""
    program = (
        "import json, sys, hark.cli\n"
        "sys.argv = ['hark', *sys.argv[1:]]\n"
        "try:\n    hark.cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", ["--help", "source add web --json", "report --help", "funnel --help"])
def test_a_command_loads_only_what_it_needs(words: str, tmp_path: Path) -> None:
    """Help and the small commands load nothing of the engine, the questions or their libraries."""
    found = loads([*words.split(), *([] if "--help" in words else ["--data", str(tmp_path)])])
    assert sorted(found & set(HEAVY)) == []
