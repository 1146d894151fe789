"""The attention policy for one message: quiet hours and rolling caps."""

from __future__ import annotations

from msgspec import Struct

from hark.clock import moment, unit_hash
from hark.decide.localtime import quiet_until, zone_of
from hark.decide.profile import text
from hark.decide.ranking import rank
from hark.decide.reasons import Held
from hark.decide.rules import Values
from hark.decide.work import Work, whole_ms
from hark.definitions.manners import Cap
from hark.model import MINUTE, Instant, Sent

SPREAD_US = 10 * MINUTE
"""Over how long the messages that waited for the end of quiet hours are spread, by hash."""


NOT_TO_CUSTOMERS = frozenset(("webhook", "task", "chat"))
"""Channels by which other systems and the team are told, and no customer."""


class Withhold(Struct, frozen=True):
    """The message will not go."""

    reason: Held
    values: Values


class Defer(Struct, frozen=True):
    """Not now; ask again at `until`."""

    reason: Held
    values: Values
    until: Instant


def quiet(work: Work, sent: Sent) -> Defer | None:
    """Defers to the end of quiet hours, and up to ten minutes more by the hash of the message."""
    hours = work.plan.attention.quiet_hours
    if hours is None:
        return None
    zone = zone_of(hours.zone, text(work.record.traits, "timezone"), hours.fallback_zone)
    end = quiet_until(hours, work.now, zone)
    if end is None:
        return None
    local = moment(work.now).astimezone(zone).strftime("%H:%M")
    until = end + int(unit_hash("quiet", sent.message) * SPREAD_US)
    return Defer(Held.QUIET_HOURS, {"local": local, "zone": str(zone)}, whole_ms(until))


def capped(work: Work, sent: Sent) -> Withhold | Defer | None:
    """The strictest answer of the caps: one that withholds, else the one that defers longest."""
    caps = [cap for cap in work.plan.attention.caps if cap.channel in (None, sent.channel)]
    found = [verdict for cap in caps if (verdict := _over(work, sent, cap))]
    for verdict in found:
        if isinstance(verdict, Withhold):
            return verdict
    return max(found, key=_until, default=None)


def _until(verdict: Withhold | Defer) -> Instant:
    return verdict.until if isinstance(verdict, Defer) else 0


def _over(work: Work, sent: Sent, cap: Cap) -> Withhold | Defer | None:
    places = taken(work, sent, cap)
    if len(places) < cap.messages:
        return None
    values: Values = {"taken": len(places), "messages": cap.messages, "per_us": cap.per_us}
    until = whole_ms(places[-cap.messages] + cap.per_us)
    longest = cap.max_wait_us
    if cap.on_cap == "skip" or (longest is not None and until > sent.wanted_at + longest):
        return Withhold(Held.CAP, values)
    return Defer(Held.CAP, values, until)


def taken(work: Work, sent: Sent, cap: Cap) -> list[Instant]:
    """When the places were taken that stand in this message's way, ascending.

    A message handed off holds its place for `per` from then; one still wanted holds the place of the
    moment it is due, against those that it goes before. So of two that wait, exactly one waits for the other.
    """
    places = []
    for other in work.record.sends:
        if other.message == sent.message or not _takes_a_place(other, cap):
            continue
        if other.sent_at is None:
            if goes_before(work, sent, other):
                places.append(max(other.due_at, work.now))
        elif other.sent_at > work.now - cap.per_us:
            places.append(other.sent_at)
    return sorted(places)


def goes_before(work: Work, sent: Sent, other: Sent) -> bool:
    """Whether another message that is wanted goes before this one: never first come, first served.

    The worthier campaign's, unless the other is due sooner by more than the policy's window; then, and of
    alike ones, the one wanted first.
    """
    if other.sent_at is not None or other.message == sent.message or other.transactional:
        return False
    if not to_customers(other):
        return False
    arbitration = work.plan.attention.arbitration
    window = arbitration.within_us if arbitration else 0
    mine, theirs = rank(work, sent.campaign), rank(work, other.campaign)
    my_due, their_due = (max(one.due_at, work.now) for one in (sent, other))
    if mine < theirs and their_due <= my_due + window:
        return True
    if mine > theirs and my_due <= their_due + window:
        return False
    waiting = [one.message for one in work.record.sends]
    return sent.message not in waiting or waiting.index(other.message) < waiting.index(sent.message)


def to_customers(sent: Sent) -> bool:
    """Whether a customer gets it, and no other system and nobody of ours."""
    return sent.channel not in NOT_TO_CUSTOMERS


def _takes_a_place(other: Sent, cap: Cap) -> bool:
    """Whether the message counts under the cap."""
    return not other.transactional and cap.channel in (None, other.channel) and to_customers(other)
