"""Is this server ready? A closed set of reasons why not, each seen in one look at the data directory."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from hark.model import SECOND, Instant
from hark.settings import Settings

if TYPE_CHECKING:
    from hark.store.standing import Standing

LAG_S = 30.0
"""An engine that is further behind is red."""
LEAST_FREE_MB = 64
_MB = 1 << 20


class RedReason(StrEnum):
    """Why a server is not ready."""

    ENGINE_LAG = "engine_lag"
    """An event waits for the engine since more than 30 s."""
    ENGINE_SILENT = "engine_silent"
    """The engine has not been heard of for 30 s: it hangs, or can't start."""
    TICK_FAILS = "tick_fails"
    """The engine's last tick failed; it is started again and again, events are kept in the log."""
    SEAL_FAILS = "seal_fails"
    """Writing into the history failed the last time; events are kept in the state."""
    DISK_LOW = "disk_low"
    """Less is free than twice `min_free_mb` or 64 MB."""
    FENCED = "fenced"
    """Nothing is sent, since this may be a copy of a directory that sends too (`hark unfence`)."""
    LOG_UNREAD = "log_unread"
    """More of the log is unread than `unread_log_mb`: nothing more is accepted."""
    DRAINING = "draining"
    """This process is ending; the next one is ready in a moment."""


TITLES = {
    RedReason.ENGINE_LAG: "The engine is behind.",
    RedReason.ENGINE_SILENT: "The engine is silent.",
    RedReason.TICK_FAILS: "The engine fails.",
    RedReason.SEAL_FAILS: "The history can't be written.",
    RedReason.DISK_LOW: "The disk is nearly full.",
    RedReason.FENCED: "Nothing is sent.",
    RedReason.LOG_UNREAD: "No more events are accepted.",
    RedReason.DRAINING: "The collector is starting anew.",
}


class Red(Struct, frozen=True):
    """One thing that is not as it should be."""

    reason: RedReason
    message: str
    """What it is, and what to do."""

    @property
    def title(self) -> str:
        """The reason as a person would say it."""
        return TITLES[self.reason]


def reds(standing: Standing, settings: Settings, now: Instant, up_s: float) -> list[Red]:
    """What is wrong. `now` is the clock by which events arrive; since `up_s` seconds somebody has looked."""
    found = [
        _lag(standing, now),
        _silent(standing, up_s),
        _failing(standing),
        _disk(standing, settings),
        _fenced(standing),
        _unread(standing, settings),
    ]
    return [red for red in found if red]


def lag_s(standing: Standing, now: Instant) -> float:
    """For how long the oldest event waits that the engine has not read; 0: none waits."""
    return 0.0 if standing.oldest is None else max(0.0, (now - standing.oldest) / SECOND)


def too_much_unread(standing: Standing, settings: Settings, share: float = 1.0) -> bool:
    """Whether the unread part of the log is over this share of what it may be."""
    limit = settings.unread_log_mb * _MB * share
    return 0 < limit < standing.unread_bytes


def _lag(standing: Standing, now: Instant) -> Red | None:
    behind_s = lag_s(standing, now)
    if behind_s <= LAG_S:
        return None
    message = f"the engine is {behind_s:,.0f} s behind; events are kept in the log"
    return Red(RedReason.ENGINE_LAG, message)


def _silent(standing: Standing, up_s: float) -> Red | None:
    said_s = standing.vitals.at_s if standing.vitals else 0.0
    if up_s <= LAG_S or standing.seen_s - said_s <= LAG_S:
        return None
    return Red(RedReason.ENGINE_SILENT, "the engine gives no sign of life; look at the server's output")


def _failing(standing: Standing) -> Red | None:
    if not standing.vitals or not (standing.vitals.failure or standing.vitals.seal_failure):
        return None
    if standing.vitals.failure:
        message = f"the engine's last tick failed: {standing.vitals.failure}"
        return Red(RedReason.TICK_FAILS, message)
    return Red(RedReason.SEAL_FAILS, f"the history can't be written: {standing.vitals.seal_failure}")


def _fenced(standing: Standing) -> Red | None:
    if not standing.vitals or not standing.vitals.fenced:
        return None
    message = f"{standing.vitals.fenced}. Messages wait; if no other copy sends, say so: hark unfence"
    return Red(RedReason.FENCED, message)


def _disk(standing: Standing, settings: Settings) -> Red | None:
    if standing.free_bytes >= max(LEAST_FREE_MB, 2 * settings.min_free_mb) * _MB:
        return None
    message = (
        f"{standing.free_bytes // _MB:,} MB are free on the disk; under {settings.min_free_mb:,} MB "
        "nothing more is accepted (min_free_mb): free some space"
    )
    return Red(RedReason.DISK_LOW, message)


def _unread(standing: Standing, settings: Settings) -> Red | None:
    if not too_much_unread(standing, settings):
        return None
    message = (
        f"the engine has {standing.unread_bytes // _MB:,} MB of the log to read; over "
        f"{settings.unread_log_mb:,} MB nothing more is accepted (unread_log_mb)"
    )
    return Red(RedReason.LOG_UNREAD, message)
