"""The command `hark`. Thin: each command reads its arguments, asks the workspace, and prints.

A command's module is loaded when that command is asked for, and no other: what answers questions takes
seconds to load, which `hark source add` shouldn't pay.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from hark.errors import HarkError
from hark.without import without_pandas

COMMANDS = {
    "serve": ("run", "Run Hark: collector, engine, console and questions, in one directory behind one port."),
    "restart": ("run", "Start the processes of a running server anew (an upgrade, new settings)."),
    "demo": ("run", "A simulated shop: 60 days in a minute, the measured lift beside the truth."),
    "replay": ("run", "Live through the whole history again with the definitions of today."),
    "check": ("run", "Check definition files without applying them, or a data directory's health."),
    "source": ("source", "Where events come from, and their keys."),
    "rejects": ("source", "The reject log, newest first: what was refused, why, and how it began."),
    "hook": ("hooks", "Webhooks of other services that become events."),
    "events": ("events", "The catalogue of events and properties seen, and violations of the tracking plan."),
    "apply": ("write", "Put definitions into force, all of them or, if one is wrong, none."),
    "plan": ("write", "What `apply` would change."),
    "import": ("imports", "Events of the past, from files."),
    "people": ("people", "People, what they agreed to, and who must not be written to."),
    "suppressed": ("people", "Addresses that nobody writes to, newest first."),
    "suppress": ("people", "Write to an address no more, whoever has it."),
    "unsuppress": ("people", "An address is good again."),
    "export": ("exports", "Every definition in force as YAML that `apply` takes back."),
    "funnel": ("behaviour", "How many go down the path, and how quickly."),
    "retention": ("behaviour", "Do they come back?"),
    "paths": ("behaviour", "What people do next after an event, or did before it."),
    "sessions": ("behaviour", "How often people are there, and for how long."),
    "lifecycle": ("behaviour", "Who is new, returning, resurrected and dormant in each period."),
    "trend": ("behaviour", "How often an event happens, to how many, and what its property adds up to."),
    "question": ("behaviour", "The answer to a saved question."),
    "sql": ("behaviour", "Read-only SQL over the history, by DuckDB."),
    "pace": ("pace", "How long people take from one event to another."),
    "segment": ("segment", "Who is in a situation, now or as of a time."),
    "customer": ("ask", "One customer's ids, traits, segments and latest events."),
    "why": ("ask", "Why messages were sent to a customer, and why not."),
    "report": ("ask", "Did it change what people do, and how sure is that?"),
    "backtest": ("backtest", "What a campaign would have done."),
    "trigger": ("trigger", "Start a campaign for one customer; says what came of it."),
    "migrate": ("migrate", "Move live runs to another version of their campaign"),
    "start": ("turn", "Let people into a campaign, also after a pause: everybody, or first a share of them."),
    "rehearse": ("turn", "Rehearse a campaign: live in everything but handing messages off."),
    "pause": ("turn", "Pause a campaign: nobody enters, and nothing is sent."),
    "end": ("turn", "End a campaign: nobody enters any more, and who is in it walks to the end."),
    "calendar": ("calendar", "What the next days will ask of people's attention, and what collides."),
    "journey": ("calendar", "Where a campaign's runs are now."),
    "hypotheses": (
        "hypotheses",
        "What was believed, which campaigns test it, what they found, and what is believed now.",
    ),
    "programme": ("programme", "What a programme, or all messaging together, changes."),
    "allocate": ("allocate", "Begin the next batch of each campaign with `allocation: learn`."),
    "effects": ("effects", "What each campaign was found to change, by which messages are ranked."),
    "engagement": (
        "engagement",
        "How engaged customers are, by the levels of a definition; who rose, and who fell.",
    ),
    "survey": (
        "survey",
        "What customers answered to a survey: the score, over time, in their own words.",
    ),
    "stages": (
        "engagement",
        "How far people are in their decision to buy, how many go on, and how long they take.",
    ),
    "begin": ("begin", "A pack to start from: segments, three campaigns in draft with their back-tests."),
    "verify": ("engagement", "Whether a statement is as it was signed, and by this workspace."),
    "worth": ("worth", "Who is still a customer, how often they will buy, and for how much."),
    "attention": ("attention", "Time well spent: what each message and each text asks of people's time."),
    "content": ("content", "Each item of the catalogue: who read it, at which stage, and what came later."),
    "ties": ("ties", "The emotional tie: habit, attachment, both or neither."),
    "champions": (
        "champions",
        "Who speaks well of us: ranked by deep use, return, the friends they brought.",
    ),
    "subscriptions": ("subscriptions", "How long subscriptions last: who renews in each period."),
    "authors": ("authors", "How good the authors' forecasts were."),
    "digest": ("digest", "The last whole week: who was here, verdicts, steps that lost people or time."),
    "estimates": ("estimates", "Refresh the computed traits that a model estimates."),
    "signals": ("signals", "Which of the things people do in their first 28 days tell that they will stay?"),
    "merges": ("identity", "Who turned out to be one customer, when and why, and what was undone."),
    "unmerge": ("identity", "Undo a merge."),
    "preview": ("preview", "A message as a customer would get it, and what mail programs would mind."),
    "unfence": ("unfence", "Let this data directory send again, after a restore or a long silence."),
    "erase": ("erase", "Forget a customer for good."),
    "doctor": (
        "doctor",
        "Read every file to its last byte: what is damaged, what that costs.",
    ),
}
"""By name the module here which registers the command, and how the command's own help begins."""


class Later(TyperCommand):
    """Stands for a command in lists; the command itself is loaded once its arguments are to be read."""

    def make_context(self, *given: Any, **extra: Any) -> Any:
        return loaded(str(self.name)).make_context(*given, **extra)


class All(TyperGroup):
    """Every command of the table."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, (_, says) in COMMANDS.items():
            self.add_command(Later(name, short_help=says))


def loaded(name: str) -> Any:
    """The command itself."""
    own = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    import_module(f"hark.cli.{COMMANDS[name][0]}").register(own)
    return typer.main.get_group(own).commands[name]


app = typer.Typer(
    name="hark", cls=All, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def _every_command() -> None:
    """Listen to customers, form hypotheses, speak with a clear goal, learn whether it helped."""


def main() -> None:
    """Run the command; what a person can mend is one line with a hint, and exit code 1."""
    without_pandas()
    try:
        app()
    except HarkError as error:
        print(f"hark: {error}", file=sys.stderr)
        sys.exit(1)
