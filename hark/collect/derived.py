"""Rows of the log by which the day's work tells what follows from several histories, or from all."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from hark.model import JSON, Instant

KIND = "derived"


class DerivedName(StrEnum):
    """What is told. Never activity; JOINED a product may tell too."""

    JOINED = "Referral Joined"
    STAYED = "Referral Stayed"
    ESTIMATED = "Worth Estimated"


class DerivedEvent(Struct, frozen=True):
    """What was worked out of one customer."""

    name: DerivedName
    subject: int
    at: Instant
    properties: dict[str, JSON]


class DerivedRow(Struct, frozen=True):
    """What was worked out of several customers at once."""

    events: list[DerivedEvent]
