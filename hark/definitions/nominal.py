"""Triggers that name a moment: a date of the customer's, a schedule, a broadcast."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class OnDate(Struct, frozen=True, tag="date"):
    """A date that a trait names, less or more `offset_us`, at a local time of day; yearly, for birthdays."""

    trait: str
    offset_us: int = 0
    at: str | None = None
    zone: str = "customer"
    yearly: bool = False


class OnSchedule(Struct, frozen=True, tag="schedule"):
    """Again and again, for everybody, by a cron expression on the clocks of a zone."""

    cron: str
    zone: str = "customer"


class Broadcast(Struct, frozen=True, tag="broadcast"):
    """Once, for everybody, at a time (local in `zone` unless it says another), spread over `spread_us`."""

    at: str
    zone: str = "customer"
    late: Literal["skip", "send"] = "skip"
    """What becomes of those for whom the moment is past when they could first have entered."""
    spread_us: int = 0
