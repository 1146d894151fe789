"""Another attempt at a message which the provider certainly did not accept: whether, and when.

The waits grow (exponential back-off) so that an outage costs few attempts, and are spread by hash so that
the messages of one broadcast don't all come back at the same moment.
"""

from __future__ import annotations

from hark.clock import unit_hash
from hark.decide.work import Work, whole_ms
from hark.model import DAY, HOUR, MINUTE, Instant, Sent

ONCE_MORE_US = 5 * MINUTE
"""A transactional message of which nobody knows whether it was accepted goes once more after this time, in
which the provider's own report may come."""
MOST_ATTEMPTS = 8
"""After the eighth, seven and a half to ten hours after the first, a message is given up."""
FIRST_WAIT_US, FACTOR, LONGEST_WAIT_US = MINUTE, 3, 4 * HOUR
SPREAD = 0.25
"""Up to this part of a wait is taken off, by the hash of the message and the attempt."""


def next_attempt(work: Work, sent: Sent, after_us: int = 0, counted: bool = True) -> Instant | None:
    """When a message is due again after `sent.attempts` that failed for now; None: it is given up.

    It is given up after the eighth, and if the next would come at or after its expiry or the end of the
    goal's window, since nobody would be helped by it then. `after_us` is the least wait, at most a day; what
    was no attempt (`counted`) waits only so long.
    """
    if counted and sent.attempts >= MOST_ATTEMPTS:
        return None
    wait = wait_us(sent.message, sent.attempts) if counted else 0
    until = whole_ms(work.now + max(wait, min(after_us, DAY)))
    ends = (sent.expires_at, _goal_until(work, sent))
    return None if any(end is not None and until >= end for end in ends) else until


def once_more(work: Work, sent: Sent) -> Instant | None:
    """When a message goes again although it may have been accepted: a transactional one, once; else None."""
    until = whole_ms(work.now + ONCE_MORE_US)
    too_late = sent.expires_at is not None and until >= sent.expires_at
    return None if not sent.transactional or sent.doubts > 1 or too_late else until


def wait_us(message: str, attempt: int) -> int:
    """The wait after an attempt (the first is 1): a minute, tripled each time up to 4 h, less the spread."""
    wait: int = min(FIRST_WAIT_US * FACTOR ** (attempt - 1), LONGEST_WAIT_US)
    return wait - int(unit_hash(f"retry/{attempt}", message) * SPREAD * wait)


def _goal_until(work: Work, sent: Sent) -> Instant | None:
    """The end of the goal's window; transactional messages are sent for their own sake."""
    if sent.transactional:
        return None
    return next((run.goal_until for run in work.record.runs if run.id == sent.run), None)
