"""What may be concluded of a campaign now, in a closed set of words."""

from __future__ import annotations

from enum import StrEnum
from math import ceil

from msgspec import Struct

from hark.learn import anytime, checks
from hark.learn.compare import Interval
from hark.learn.comparison import Comparison
from hark.learn.entries import GRACE_US
from hark.model import DAY, Instant

TENTH = 0.1
"""Of the control's goal rate: the smallest difference of interest, where the author expects none."""


class Word(StrEnum):
    """The verdict in a word."""

    HELPS = "helps"
    HARMS = "harms"
    NO_LARGER = "no difference larger than"
    """`larger_than` says what; a smaller difference may be."""
    NOT_YET = "not known yet"
    CANNOT = "cannot be judged"


class Verdict(Struct, frozen=True):
    """A verdict and what it rests on."""

    word: Word
    lift: Interval | None = None
    """The interval it rests on: right at every look, or that of the deciding weekly look. With CANNOT:
    what is known all the same."""
    larger_than: float | None = None
    """With NO_LARGER: the difference of rates that is excluded, in either direction, of `margin` or less."""
    why: str = ""
    """With NOT_YET and CANNOT, what stands in the way."""
    days: int | None = None
    """With NOT_YET: about how many days are needed at the present pace. None: that cannot be said."""
    since: Instant | None = None
    """When the plan's look was that decided it; None where no looks were planned."""

    @property
    def known(self) -> bool:
        """Whether it says what the campaign changes."""
        return self.word in (Word.HELPS, Word.HARMS, Word.NO_LARGER)


def verdict(found: Comparison) -> Verdict:
    """The verdict now. By the plan's looks where the campaign has a `decide_by`, else at every look."""
    why = cannot(found)
    if why:
        return Verdict(Word.CANNOT, why=why)
    if found.first is None:
        return Verdict(Word.NOT_YET, why="nobody has entered")
    return _as_planned(found) if found.plan is not None else _at_every_look(found)


def cannot(found: Comparison) -> str:
    """Why no lift of this campaign may be believed, whatever comes; "" if it may."""
    if found.campaign.goal is None:
        return "it has no goal"
    if found.campaign.rehearsal:
        return "it was a rehearsal, in which nothing was sent"
    if found.campaign.goal.response:
        return "its goal is an answer to the message, which nobody can give who is left alone"
    if found.campaign.control == 0:
        reason = f" ({found.campaign.control_why})" if found.campaign.control_why else ""
        return f"nobody is left alone{reason}"
    doubted = min((draw.p for draw in found.draws if draw.p is not None), default=1.0)
    if doubted < checks.SAMPLE_RATIO_P:
        return f"the arms are not as large as their shares say (p = {doubted:.2g})"
    return ""


def _as_planned(found: Comparison) -> Verdict:
    plan = found.plan
    assert plan is not None
    if plan.decided is not None and plan.decided.interval is not None:
        return _different(plan.decided.interval, plan.decided.at)
    last = plan.looks[-1] if plan.looks else None
    if last is None or not plan.over:
        interval = last.interval if last else None
        return Verdict(Word.NOT_YET, interval, why="the planned looks are not over", days=_to_the_end(found))
    if last.interval is None or not last.enough:
        few = checks.too_few(found.treated, found.control) or "too few people in time"
        return Verdict(Word.CANNOT, why=f"the planned looks are over, with too little seen by then: {few}")
    return _over(found, last.interval, last.at)


def _at_every_look(found: Comparison) -> Verdict:
    interval = anytime.rate(found.treated, found.control)
    few = checks.too_few(found.treated, found.control)
    if few is None and interval is not None:
        if interval.excludes_zero:
            return _different(interval)
        if found.no_more or _excluded(interval) <= margin(found):
            return _over(found, interval)
        return Verdict(Word.NOT_YET, interval, days=days_needed(found))
    if found.no_more:
        return Verdict(Word.CANNOT, why=f"nobody enters any more, and there are {few or _BURN_IN}")
    return Verdict(Word.NOT_YET, why=few or _BURN_IN, days=days_needed(found))


_BURN_IN = f"under {anytime.FEWEST_GOALS} people with the goal, or without it, in an arm"


def _different(interval: Interval, since: Instant | None = None) -> Verdict:
    return Verdict(Word.HELPS if interval.low > 0 else Word.HARMS, interval, since=since)


def _excluded(interval: Interval) -> float:
    """The smallest difference that is excluded, in either direction."""
    return max(-interval.low, interval.high)


def _over(found: Comparison, interval: Interval, since: Instant | None = None) -> Verdict:
    """Nothing more will be seen, or need be, and none was found: a difference that matters is excluded, or it
    may well be there. What was not seen is no evidence that there is nothing."""
    if _excluded(interval) <= margin(found):
        return Verdict(Word.NO_LARGER, interval, _excluded(interval), since=since)
    matters = f"{100 * margin(found):.1f} percentage points"
    why = f"it is over, and too few people took part to tell a difference of {matters} from none"
    return Verdict(Word.CANNOT, interval, why=why, since=since)


def margin(found: Comparison) -> float:
    """The smallest difference of interest: what the author expects, else a tenth of the control's rate."""
    return abs(found.campaign.expects or 0.0) or TENTH * (found.control.rate or 0.0)


def days_needed(found: Comparison) -> int | None:
    """About how many days more until a difference of `margin` is found in 4 cases of 5, at the present pace.

    The pace is that of the entries so far. None without an idea of the rate or of the pace, or if the
    campaign takes nobody in by then.
    """
    rate, control = (found.control + found.treated).rate, found.campaign.control
    if not rate or rate >= 1 or not margin(found):
        return None
    needed = anytime.people_needed(rate * (1 - rate) * (1 / control + 1 / (1 - control)), margin(found))
    return _days_to(found, max(needed, found.counted + 1))


def _to_the_end(found: Comparison) -> int | None:
    if found.campaign.decide_at is not None:
        return max(ceil((found.campaign.decide_at - found.now) / DAY), 0)
    return _days_to(found, found.campaign.decide_people or 0)


def _days_to(found: Comparison, people: int) -> int | None:
    """Until so many people count, if they go on entering as they did. None: they do not."""
    assert found.first is not None and found.campaign.goal is not None
    stops = found.now if found.campaign.ends is None else min(found.now, found.campaign.ends)
    pace = found.everybody / max(stops - found.first, DAY)
    enters = found.first + people / pace if pace else None
    if enters is None or (found.campaign.ends is not None and enters > found.campaign.ends):
        return None
    return max(ceil((enters + found.campaign.goal.within_us + GRACE_US - found.now) / DAY), 1)
