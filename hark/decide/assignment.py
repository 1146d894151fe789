"""Which arm a customer comes into: hashed, recomputable by anybody, and recorded for good.

u = clock.unit_hash(salt, stable key), with one salt for the global control (`global`) and two for each
campaign (`campaign/NAME/control`, `campaign/NAME/variant`). A share s takes u < s; variants take their
parts of [0, 1) in the order of the document. A recorded arm stays as long as the version has it.
"""

from __future__ import annotations

from msgspec import Struct

from hark.clock import unit_hash
from hark.decide.course import Course
from hark.model import Exposure, Record

CONTROL = "control"
GLOBAL_CONTROL = "global_control"
TREATED = "treated"


class Draw(Struct, frozen=True):
    """An arm, and how it came about."""

    arm: str
    """control, global_control, or the variant's name."""
    variant: str
    """The variant walked; in a control the one that would have been."""
    share: float
    """The control's share at the draw."""
    propensity: float
    """The probability of this arm at the draw, among people outside the global control."""
    carried: bool = False
    """Recorded at an earlier entry and not drawn now."""

    @property
    def shadow(self) -> bool:
        return self.arm in (CONTROL, GLOBAL_CONTROL)


def draw(record: Record, course: Course, global_share: float) -> Draw:
    """The arm of an eligible customer; notes in the record what was drawn of the global control."""
    variant, weight = would_be(record.key, course)
    share = course.campaign.control
    if not course.campaign.transactional and _in_global_control(record, global_share):
        return Draw(GLOBAL_CONTROL, variant, share, global_share)
    exposure = recorded(record, course)
    if exposure:
        walked = variant if exposure.arm == CONTROL else exposure.arm
        return Draw(exposure.arm, walked, exposure.share, exposure.propensity, True)
    if share and unit_hash(f"campaign/{course.name}/control", record.key) < share:
        return Draw(CONTROL, variant, share, share)
    return Draw(variant, variant, share, (1 - share) * weight)


def would_be(key: str, course: Course) -> tuple[str, float]:
    """(variant, its share among the variants) that the stable key draws."""
    shares = course.shares
    if len(shares) == 1:
        return shares[0][1], 1.0
    u = unit_hash(f"campaign/{course.name}/variant", key)
    for end, name, share in shares:
        if u < end:
            return name, share
    return shares[-1][1], shares[-1][2]


def recorded(record: Record, course: Course) -> Exposure | None:
    """The latest exposure to the campaign whose arm this version still has."""
    found = [one for one in record.exposures if one.campaign == course.name and _has(course, one.arm)]
    return max(found, key=lambda one: (one.version, one.at, one.seq), default=None)


def _has(course: Course, arm: str) -> bool:
    return course.campaign.control > 0 if arm == CONTROL else arm in course.steps


def _in_global_control(record: Record, share: float) -> bool:
    if share <= 0:
        return False
    if not record.global_arm:
        record.global_arm = CONTROL if unit_hash("global", record.key) < share else TREATED
    return record.global_arm == CONTROL
