"""A customer's arms in everything that is in force, for other senders: they leave alone whom we do."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hark.decide.assignment import draw, recorded
from hark.decide.holdouts import CONTROL, GLOBAL_CONTROL, in_global_control, programme_arm
from hark.decide.plan import Plan
from hark.decide.record import decode, encode
from hark.model import Instant, Record


class CampaignArm(Struct, frozen=True):
    """The arm in one campaign, were the customer to enter it now."""

    arm: str
    """control, global_control, programme_control, or the variant's name."""
    variant: str
    version: int
    recorded: bool
    """Drawn at an earlier entry; else as it would be drawn by the definitions in force."""
    left_alone: bool


class Arms(Struct, frozen=True):
    """All arms of one customer. Transactional campaigns have none."""

    left_alone: bool
    """In the global control: no campaign at all is for them."""
    programmes: dict[str, str]
    """By programme, control or treated."""
    campaigns: dict[str, CampaignArm]


def left_alone(record: Record, plan: Plan, campaigns: Sequence[str], now: Instant) -> str:
    """By what the customer is left alone: `global_control`, or the first of these campaigns in whose control,
    or programme's control, they are or would be; "" by none. The record is left as it is."""
    subject = decode(encode(record))
    if in_global_control(subject, plan.holdouts, now):
        return GLOBAL_CONTROL
    courses = (plan.current[name] for name in campaigns)
    return next((one.name for one in courses if draw(subject, one, plan.holdouts, now).shadow), "")


def arms_of(record: Record, plan: Plan, now: Instant) -> Arms:
    """Recorded arms, and those that would be drawn at this moment; the record is left as it is."""
    subject = decode(encode(record))
    courses = [course for course in plan.current.values() if not course.campaign.transactional]
    programmes = {}
    for name in plan.holdouts.programmes:
        found, _ = programme_arm(subject, plan.holdouts, name, now)
        programmes[name] = found.arm if found else CONTROL
    campaigns = {}
    for course in courses:
        drawn = draw(subject, course, plan.holdouts, now)
        known = recorded(record, course) is not None
        campaigns[course.name] = CampaignArm(drawn.arm, drawn.variant, course.version, known, drawn.shadow)
    return Arms(in_global_control(subject, plan.holdouts, now), programmes, campaigns)
