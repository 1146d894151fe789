"""The engine broken on purpose, and after how many simulated days the model sees it.

`python -m tests.simulate.breakages` prints the table of docs/simulator.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from hark.clock import instant
from hark.decide import holdouts, leaving, limits, timed
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


def _on_no_clock_of_theirs(_record: Any, _fallback: str, wanted: str) -> ZoneInfo:
    return ZoneInfo("UTC" if wanted == "customer" else wanted)


def _never_late(*given: Any) -> Any:
    found = _broadcast(*given)
    return None if found and found.late else found


def _by_the_wall(timed: Any, local: datetime, _zone: ZoneInfo) -> int:
    """Hours of an offset are hours on the wall; no time of day is kept."""
    return instant(local + timedelta(microseconds=timed.offset_us))


def _drawn_anew(record: Any, holdouts: Any, name: Any, now: Instant) -> Any:
    record.programmes.pop(name, None)
    return _programme_arm(record, holdouts, name, now)


def _the_first(_record: Any, group: Any) -> Any:
    return group[0]


def _for_good(record: Any, holdouts: Any, now: Instant) -> bool:
    return _in_global_control(record, replace(holdouts, redraw_us=None), now)


def _as_of_the_commit(parts: Any, row: Any) -> int:
    subject: int = parts.state.canonical(row.subject)
    return subject


def _at_random(*_: object) -> float:
    """All are alike."""
    return 1.0


_taken, _go, _gathered, _wake = limits.taken, leaving._go, gather.gathered, Folder.wake
_broadcast, _programme_arm = timed._broadcast, holdouts.programme_arm
_in_global_control = holdouts.in_global_control

BREAKAGES: Mapping[str, tuple[str, Any]] = {
    "sticky arms are lost in a merge": ("hark.decide.merge._join_exposures", _joins_no_exposures),
    "a cap counts one message too few": ("hark.decide.limits.taken", _takes_one_place_less),
    "quiet hours ignore that clocks change": ("hark.decide.limits.quiet_until", _in_winter),
    "what was sending at a crash is sent again": ("hark.engine.messages.Messages.abandon", _sends_again),
    "goals count outside their window": ("hark.decide.goals.counts", _at_any_time),
    "a repeated call counts twice": ("hark.engine.repeats.Repeats.fresh", _all_fresh),
    "the control is written to": ("hark.decide.leaving._go", _sends_to_the_control),
    "the cursors are not in the commit": ("hark.engine.loop.gathered", _without_cursors),
    "timers come before events of their instant": ("hark.engine.folder.Folder.wake", _timers_first),
    "an answer in the tick of a merge is lost": ("hark.engine.parts.Parts.whose", _as_of_the_commit),
    "what falls due in its own tick waits for the next": ("hark.engine.records.Records.due", lambda *_: []),
    "starts come on the clocks of UTC": ("hark.decide.timed.zone_for", _on_no_clock_of_theirs),
    "whoever comes late to a broadcast is left out": ("hark.decide.timed._broadcast", _never_late),
    "dates come without their time of day": ("hark.decide.timed._shifted", _by_the_wall),
    "a programme draws again at each entry": ("hark.decide.assignment.programme_arm", _drawn_anew),
    "an exclusive group is always the first's": ("hark.decide.rules.chosen", _the_first),
    "the global control is never drawn again": ("hark.decide.assignment.in_global_control", _for_good),
    "a message takes no attention": ("hark.decide.attention.cost", lambda *_: 0.0),
    "no message is ever ignored": ("hark.decide.attention.SILENCE_US", 1 << 60),
    "a merge brings new attention": ("hark.decide.attention.join", lambda *_: None),
    "first come, first served": ("hark.decide.limits.rank", _at_random),
    "nobody is ranked by a draw": ("hark.decide.ranking.explores", lambda *_: False),
    "nothing is outranked": ("hark.decide.manners._rival", lambda *_: False),
    "asks follow each other": ("hark.decide.manners._asks", lambda *_: False),
    "who waits for support is written to": ("hark.decide.manners._intent", lambda *_: "help"),
    "levels have no patience": ("hark.definitions.levels.Level.own", property(lambda level: level.when)),
    "what a member does is not the group's": ("hark.engine.groups.Groups._route", lambda *_: None),
    "what is followed beside the goal is lost": ("hark.decide.goals._reach_also", lambda *_: None),
    "a goal that is judged always holds": ("hark.decide.goals.holds", lambda *_: True),
    "levels start nothing": ("hark.decide.levels.Levels.started", lambda *_: ()),
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
