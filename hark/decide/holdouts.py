"""Who is left alone by more than one campaign: the global control and the controls of programmes.

u = clock.unit_hash(salt, stable key); the salt of the global control is `global`, with `redraw` it is
`global/N`, N the number of whole redraw spans since 1970; that of a programme `programme/NAME`. What was
drawn is recorded: of the global control until the next redraw, of a programme for good.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from hark.clock import unit_hash
from hark.definitions.types import Programme
from hark.model import Instant, ProgrammeArm, Record

CONTROL = "control"
TREATED = "treated"
GLOBAL_CONTROL = "global_control"
PROGRAMME_CONTROL = "programme_control"
NEVER_COMPARED = frozenset((GLOBAL_CONTROL, PROGRAMME_CONTROL))
"""The arms of those who are in no campaign's comparison."""


class Holdouts(Struct, frozen=True):
    """The hold-outs in force."""

    share: float = 0.0
    """Of the global control."""
    redraw_us: int | None = None
    programmes: Mapping[str, tuple[Programme, int]] = field(default_factory=dict)
    """By name, with the version of its document."""


def in_global_control(record: Record, holdouts: Holdouts, now: Instant) -> bool:
    """Whether the customer is left alone by every campaign; notes in the record what was drawn."""
    if holdouts.share <= 0:
        return False
    period = now // holdouts.redraw_us if holdouts.redraw_us else 0
    if not record.global_arm or record.global_period != period:
        salt = f"global/{period}" if holdouts.redraw_us else "global"
        record.global_arm = CONTROL if unit_hash(salt, record.key) < holdouts.share else TREATED
        record.global_period = period
    return record.global_arm == CONTROL


def programme_arm(
    record: Record, holdouts: Holdouts, name: str | None, now: Instant
) -> tuple[ProgrammeArm | None, bool]:
    """The customer's arm in a programme, and whether it was drawn at this moment; None: there is none."""
    if name is None or name not in holdouts.programmes:
        return None, False
    known = record.programmes.get(name)
    if known is not None:
        return known, False
    programme, version = holdouts.programmes[name]
    arm = CONTROL if unit_hash(f"programme/{name}", record.key) < programme.control else TREATED
    record.programmes[name] = drawn = ProgrammeArm(arm, version, now, programme.control)
    return drawn, True


def earlier(one: ProgrammeArm | None, other: ProgrammeArm) -> ProgrammeArm:
    """Of two arms that a merge brings together, the one drawn first counts."""
    return other if one is None or other.at < one.at else one
