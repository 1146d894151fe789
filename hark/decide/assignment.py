"""Which arm a customer comes into: hashed, recomputable by anybody, and recorded for good.

u = clock.unit_hash(salt, stable key), with two salts for each campaign (`campaign/NAME/control`,
`campaign/NAME/variant`). A share s takes u < s; variants take their parts of [0, 1) in the order of the
document, under `allocation: learn` as large as the batch's table says. A recorded arm stays as long as the
version has it; with `arm: per_entry` each entry is drawn anew, its occurrence behind the key.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hark.clock import unit_hash
from hark.decide.course import Course, Shares
from hark.decide.holdouts import (
    CONTROL,
    GLOBAL_CONTROL,
    PROGRAMME_CONTROL,
    TREATED,
    Holdouts,
    in_global_control,
    programme_arm,
)
from hark.model import Exposure, Instant, ProgrammeArm, Record

__all__ = ["CONTROL", "GLOBAL_CONTROL", "PROGRAMME_CONTROL", "TREATED", "Draw", "draw", "would_be"]


class Draw(Struct, frozen=True):
    """An arm, and how it came about."""

    arm: str
    """control, global_control, programme_control, or the variant's name."""
    variant: str
    """The variant walked; in a control the one that would have been."""
    share: float
    """The control's share at the draw."""
    propensity: float
    """The probability of this arm at the draw, among people whom no wider control takes."""
    carried: bool = False
    """Recorded at an earlier entry and not drawn now."""
    batch: int = 0
    """The number of the table by which a learning allocation drew the variant; 0: by none."""
    programme: ProgrammeArm | None = None
    """The arm in the campaign's programme, if it was drawn at this moment."""

    @property
    def shadow(self) -> bool:
        return self.arm in (CONTROL, GLOBAL_CONTROL, PROGRAMME_CONTROL)


def draw(record: Record, course: Course, holdouts: Holdouts, now: Instant = 0, occurrence: str = "") -> Draw:
    """The arm of an eligible customer; notes in the record what was drawn of the hold-outs over campaigns."""
    campaign = course.campaign
    key = drawn_by(record, course)
    key = f"{key}/{occurrence}" if campaign.per_entry else key
    variant, weight = would_be(key, course)
    own = Draw(variant, variant, campaign.control, (1 - campaign.control) * weight, batch=course.batch)
    if campaign.transactional:
        return own
    if in_global_control(record, holdouts, now):
        return replace(own, arm=GLOBAL_CONTROL, propensity=holdouts.share)
    programme, now_drawn = programme_arm(record, holdouts, campaign.programme, now)
    own = replace(own, programme=programme if now_drawn else None)
    if programme and programme.arm == CONTROL:
        return replace(own, arm=PROGRAMME_CONTROL, propensity=programme.share)
    return _of_campaign(record, course, own, key)


def drawn_by(record: Record, course: Course) -> str:
    """The stable key that is hashed: the customer's; with `assign_by` that of the group of this type, of
    several the one whose id sorts first, so that everybody of one group has one arm."""
    groups = record.summaries.get(course.unit.key) if course.unit else None
    return f"g:{course.campaign.assign_by}:{min(groups)}" if groups else record.key


def _of_campaign(record: Record, course: Course, own: Draw, key: str) -> Draw:
    """The recorded arm; without one the control's, or the variant's."""
    exposure = None if course.campaign.per_entry else recorded(record, course)
    if exposure:
        walked = own.variant if exposure.arm == CONTROL else exposure.arm
        return replace(
            own, arm=exposure.arm, variant=walked, share=exposure.share, propensity=exposure.propensity,
            carried=True, batch=exposure.batch,
        )  # fmt: skip
    if own.share and unit_hash(f"campaign/{course.name}/control", key) < own.share:
        return replace(own, arm=CONTROL, propensity=own.share)
    return own


def would_be(key: str, course: Course) -> tuple[str, float]:
    """(variant, its share among the variants) that the stable key draws."""
    if len(course.shares) == 1:
        return course.shares[0][1], 1.0
    return taken(unit_hash(f"campaign/{course.name}/variant", key), course.shares)


def taken(u: float, shares: Shares) -> tuple[str, float]:
    """(variant, its share) whose part of [0, 1) u lies in."""
    return next(((name, share) for end, name, share in shares if u < end), shares[-1][1:])


def recorded(record: Record, course: Course) -> Exposure | None:
    """The latest exposure to the campaign whose arm this version still has."""
    found = [one for one in record.exposures if one.campaign == course.name and _has(course, one.arm)]
    return max(found, key=lambda one: (one.version, one.at, one.seq), default=None)


def _has(course: Course, arm: str) -> bool:
    return course.campaign.control > 0 if arm == CONTROL else arm in course.steps


def chosen(record: Record, group: Sequence[Course]) -> Course:
    """Of the campaigns of one `exclusive` group the one that is this customer's.

    The one entered first; without an entry that of the highest u of salt `exclusive/GROUP/CAMPAIGN`, so that
    a campaign added to the group, or taken away, moves nobody between the others (rendezvous hashing: Thaler
    and Ravishankar 1998, IEEE/ACM Transactions on Networking 6(1), 1-14).
    """
    names = {course.name for course in group}
    entered = min(
        (one for one in record.exposures if one.campaign in names), key=lambda one: one.at, default=None
    )
    if entered is not None:
        return next(course for course in group if course.name == entered.campaign)
    return max(
        group,
        key=lambda one: unit_hash(f"exclusive/{one.campaign.exclusive}/{one.name}", record.key),
    )
