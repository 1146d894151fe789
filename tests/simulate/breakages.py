"""The engine broken on purpose, and after how many simulated days the model sees it.

`python -m tests.simulate.breakages` prints the table of docs/simulator.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from hark.decide import leaving, limits
from hark.decide.localtime import quiet_until
from hark.engine import gather
from hark.engine.folder import Folder
from hark.engine.messages import Messages
from hark.model import Instant, Outcome
from tests.simulate.difference import DifferenceError
from tests.simulate.world import World

DAYS = 25
FIRST_SEED, WORLDS = 1, 200


def _joins_no_exposures(*_: object) -> None:
    """Sticky arms are lost in a merge."""


def _takes_one_place_less(*given: Any) -> list[Instant]:
    return _taken(*given)[1:]


def _in_winter(hours: Any, at: Instant, zone: ZoneInfo) -> Instant | None:
    """The zone's offset of January all year."""
    offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    assert offset is not None
    return quiet_until(hours, at, timezone(offset))  # type: ignore[arg-type]


def _sends_again(messages: Messages, now: Instant) -> None:
    """What was *sending* when the engine ended counts as not accepted."""
    for row in messages._state.sending():
        failed = Outcome(row.subject, max(row.updated_at, now), row.message, "failed", temporary=True)
        messages._outcome(failed)


def _at_any_time(run: Any, _until: Instant, event: Any, _now: Instant) -> bool:
    return (event.at, event.seq) > (run.entered_at, run.entered_seq)


def _all_fresh(_repeats: object, ids: list[object], _arrived: Instant) -> list[bool]:
    return [True] * len(ids)


def _sends_to_the_control(work: Any, run: Any, *rest: Any) -> None:
    _go(work, replace(run, shadow=False), *rest)


def _without_cursors(parts: Any, taken: Any) -> Any:
    changes = _gathered(parts, taken)
    changes.cursors = {}
    return changes


def _timers_first(folder: Folder, subject: int, before: Instant) -> None:
    """At one instant timers precede events."""
    _wake(folder, subject, before + 1)


_taken, _go, _gathered, _wake = limits.taken, leaving._go, gather.gathered, Folder.wake

BREAKAGES: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "sticky arms are lost in a merge": ("hark.decide.merge._join_exposures", _joins_no_exposures),
    "a cap counts one message too few": ("hark.decide.limits.taken", _takes_one_place_less),
    "quiet hours ignore that clocks change": ("hark.decide.limits.quiet_until", _in_winter),
    "what was sending at a crash is sent again": ("hark.engine.messages.Messages.abandon", _sends_again),
    "goals count outside their window": ("hark.decide.goals.counts", _at_any_time),
    "a repeated call counts twice": ("hark.engine.repeats.Repeats.fresh", _all_fresh),
    "the control is written to": ("hark.decide.leaving._go", _sends_to_the_control),
    "the cursors are not in the commit": ("hark.engine.loop.gathered", _without_cursors),
    "timers come before events of their instant": ("hark.engine.folder.Folder.wake", _timers_first),
}


def broken(name: str) -> AbstractContextManager[Any]:
    """The engine with this fault, while it lasts."""
    return patch(*BREAKAGES[name])


def found_after(name: str, days: int = DAYS, worlds: int = WORLDS) -> tuple[int, int, str] | None:
    """(days simulated in all, the seed, what was seen); None if nothing was."""
    for world in range(worlds):
        seed = FIRST_SEED + world
        try:
            with broken(name), tempfile.TemporaryDirectory() as data:
                World(seed, Path(data)).live(days)
        except DifferenceError as difference:
            return world * days + difference.day, seed, difference.says
    return None


def main() -> None:
    print("| broken | found after | seed | as |\n|---|---|---|---|")
    for name in BREAKAGES:
        found = found_after(name)
        if found is None:
            print(f"| {name} | not in {DAYS * WORLDS} days | | |", flush=True)
            continue
        after, seed, says = found
        print(f"| {name} | {after} days | {seed} | {' '.join(says.split())[:160]} |", flush=True)


if __name__ == "__main__":
    main()
