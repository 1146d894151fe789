"""How the demo prints what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hark.cli.show import bar, console, percent, span, table
from hark.learn.sentences import difference

if TYPE_CHECKING:
    from hark.demo.run import DemoResult

__all__ = ["address", "console", "result"]
WEEKS = 8


def result(found: DemoResult) -> None:
    """Funnel, retention, arms, and the measured lift beside the truth."""
    console.print(
        f"\n{found.customers:,} customers, {found.events:,} events and {found.mails:,} mails"
        f" in {found.seconds:.0f} s\n"
    )
    _funnel(found)
    _retention(found)
    _arms(found)
    _lift(found)


def _funnel(found: DemoResult) -> None:
    table(
        ["step ", "customers", " ", "of the first", "median time"],
        [_step(**one) for one in found.funnel["steps"]],
        title="From looking to buying",
    )
    console.print()


def _step(
    step: str, customers: int, rate_from_first: float, median_s: float | None, **_: object
) -> list[str]:
    return [step, f"{customers:,}", bar(rate_from_first), percent(rate_from_first), span(median_s)]


def _retention(found: DemoResult) -> None:
    rows = [
        (one["cohort"], f"{one['size']:,}", *_shares(one["active"], one["size"]))
        for one in found.retention["cohorts"]
    ]
    columns = ["signed up in ", "customers", *(str(week) for week in range(WEEKS))]
    table(columns, rows, title="Who comes back, by week")
    console.print()


def _shares(active: list[int], size: int) -> list[str]:
    shares = [f"{count / max(size, 1):.0%}" for count in active[:WEEKS]]
    return shares + [""] * (WEEKS - len(shares))


def _arms(found: DemoResult) -> None:
    rows = [
        (one.arm, f"{one.entered:,}", f"{one.complete:,}", f"{one.goals:,}", percent(one.rate))
        for one in found.arms
    ]
    table(["arm ", "entered", "complete", "goals", "rate"], rows, title="Campaign come_back")
    for sentence in found.sentences:
        console.print(sentence, style="dim")
    console.print()


def _lift(found: DemoResult) -> None:
    measured, truth = difference(found.lift, "95 % interval "), f"{100 * found.planted:+.1f}"
    console.print(f"measured  {measured}", style="bold")
    console.print(f"truth     {truth}, as only the simulator can know it\n", style="bold green")


def address(url: str, invitation: str | None) -> None:
    """Where to look, while it goes on."""
    if invitation:
        console.print(invitation)
    console.print(f"The shop goes on in real time at {url} - end it with Ctrl-C.", style="bold")
