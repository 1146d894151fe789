"""The next version of a campaign's document when it is started, rehearsed, paused or ended."""

from __future__ import annotations

from collections.abc import Mapping

from hark.clock import moment
from hark.model import JSON, Instant

TURNS: Mapping[str, Mapping[str, JSON]] = {
    "start": {},
    "start-5": {"ramp": "5%"},
    "start-50": {"ramp": "50%"},
    "rehearse": {"rehearsal": "yes"},
    "pause": {"paused": "yes"},
    "hold": {"paused": {"timers": "keep"}},
    "end": {"ends": None},
}
"""What each sets; of the other ways to be live, none. A ramp stays through a pause."""
NOTES: Mapping[str, str] = {
    "start": "started",
    "start-5": "started with 5 %",
    "start-50": "went on with 50 %",
    "rehearse": "rehearsed",
    "pause": "paused",
    "hold": "paused, timers kept",
    "end": "ended",
}
"""For the record."""
PAUSES = ("pause", "hold")
LIVE = ("paused", "rehearsal", "ramp")
"""The keys that say how far a campaign is live."""


def turned(body: Mapping[str, JSON], how: str, now: Instant) -> dict[str, JSON]:
    """The next version of a campaign's document."""
    if how == "end":
        return {**body, "ends": f"{moment(now):%Y-%m-%dT%H:%M:%SZ}"}
    kept = {key: value for key, value in body.items() if key not in LIVE or (key == "ramp" and how in PAUSES)}
    return {**kept, **TURNS[how]}


def ramped(body: Mapping[str, JSON], share: str) -> dict[str, JSON]:
    """Live for this share of people, such as "5%"; for everybody with "100%"."""
    kept = {key: value for key, value in body.items() if key not in LIVE}
    return kept if share.strip() in ("100%", "100 %") else {**kept, "ramp": share}
