"""Another attempt at a message which the provider certainly did not accept: whether, and when.

The waits grow (exponential back-off) so that an outage costs few attempts, and are spread by hash so that
the messages of one broadcast don't all come back at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from hark.clock import unit_hash
from hark.decide.work import Work, whole_ms
from hark.model import DAY, HOUR, MINUTE, SECOND, Instant, Sent

ONCE_MORE_US = 5 * MINUTE
"""A transactional message of which nobody knows whether it was accepted goes once more after this time, in
which the provider's own report may come."""
USUAL_WAITS_US = tuple(min(MINUTE * 3**number, 4 * HOUR) for number in range(7))
"""After each attempt; after the eighth, seven and a half to ten hours after the first, it is given up."""
WEBHOOK_WAITS_US = (
    *(5 * SECOND, 5 * MINUTE, 30 * MINUTE),
    *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)),
)
"""The schedule of the Standard Webhooks specification (*Deliverability and reliability*): ten attempts in
two and a half to three days."""
SPREAD = 0.25
"""Up to this part of a wait is taken off, by the hash of the message and the attempt."""


def next_attempt(work: Work, sent: Sent, after_us: int = 0, counted: bool = True) -> Instant | None:
    """When a message is due again after `sent.attempts` that failed for now; None: it is given up.

    It is given up after the last wait of its channel, and if the next attempt would come at or after its
    expiry or the end of the goal's window, since nobody would be helped by it then. `after_us` is the least
    wait, at most a day; what was no attempt (`counted`) waits only so long.
    """
    waits = WEBHOOK_WAITS_US if sent.channel == "webhook" else USUAL_WAITS_US
    if counted and sent.attempts > len(waits):
        return None
    wait = wait_us(sent.message, sent.attempts, waits) if counted else 0
    until = whole_ms(work.now + max(wait, min(after_us, DAY)))
    ends = (sent.expires_at, _goal_until(work, sent))
    return None if any(end is not None and until >= end for end in ends) else until


def once_more(work: Work, sent: Sent) -> Instant | None:
    """When a message goes again although it may have been accepted: a transactional one, once; else None."""
    until = whole_ms(work.now + ONCE_MORE_US)
    too_late = sent.expires_at is not None and until >= sent.expires_at
    return None if not sent.transactional or sent.doubts > 1 or too_late else until


def wait_us(message: str, attempt: int, waits: Sequence[int] = USUAL_WAITS_US) -> int:
    """The wait after an attempt (the first is 1), less the spread."""
    wait = waits[attempt - 1]
    return wait - int(unit_hash(f"retry/{attempt}", message) * SPREAD * wait)


def _goal_until(work: Work, sent: Sent) -> Instant | None:
    """The end of the goal's window; transactional messages are sent for their own sake."""
    if sent.transactional:
        return None
    return next((run.goal_until for run in work.record.runs if run.id == sent.run), None)
