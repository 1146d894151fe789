"""The emotional tie, as a question: what customers say beside what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hark.clock import moment
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON, WEEK, Instant
from hark.questions.behaviour import whom
from hark.understand.engagement import AFTER_US, returned
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.learn.answers import Answer
    from hark.learn.ties import Low, Tie
    from hark.questions.desk import Desk

STEP_US = 4 * WEEK
MOST_STEPS = 13
LOW_LISTED = 100


class TiesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`months`: how many times four weeks to look back; `at`: as of this instant, None: now."""

    months: int = 6
    at: Instant | None = None


def ties(desk: Desk, asked: TiesQuestion, snapshot: Snapshot) -> JSON:
    """{"at", "customers", "groups": [{"group", "says", "customers", "share", "came_back"}], "over_time":
    [{"at", "customers": {group: n}}], "moves": [{"from", "to", "customers"}], "said": [`learn.ties.Month`],
    "low": [`learn.ties.Low`]}.

    "came_back" is of those in the group four weeks ago. Raises HarkError `question.wrong`.
    """
    from hark.learn import ties as learn
    from hark.learn.answers import answers
    from hark.learn.habit import habits

    if not 1 <= asked.months <= MOST_STEPS:
        raise HarkError(f"{asked.months} months", f"ask for 1 to {MOST_STEPS}", "question.wrong")
    now = desk.clock.now() if asked.at is None else asked.at
    everybody = whom(desk, snapshot)
    spoken = list(answers(everybody, now))
    ends = [now - (asked.months - step) * STEP_US for step in range(asked.months + 1)]
    stood = [_standing(everybody, spoken, end) for end in ends]
    known = habits(everybody, now)
    return {
        "at": now,
        "customers": len(stood[-1]),
        "groups": _groups(everybody, spoken, stood[-1], now),
        "over_time": [
            {"at": end, "customers": Counter(one.values())} for end, one in zip(ends, stood, strict=True)
        ],
        "moves": _moves(stood[0], stood[-1]),
        "said": msgspec.to_builtins(learn.months([(_month(one.at, desk.zone), one) for one in spoken])),
        "low": [_low(desk, one) for one in learn.low(known, _latest(spoken, now))[:LOW_LISTED]],
    }


def _latest(spoken: Sequence[Answer], at: Instant) -> dict[int, Answer]:
    from hark.learn.answers import latest

    return latest(iter(spoken), at)


def _standing(everybody: People, spoken: Sequence[Answer], at: Instant) -> dict[int, Tie]:
    from hark.learn import ties as learn
    from hark.learn.habit import habits

    return learn.ties(habits(everybody, at), _latest(spoken, at))


def _groups(
    everybody: People, spoken: Sequence[Answer], now_in: Mapping[int, Tie], now: Instant
) -> list[JSON]:
    from hark.learn import ties as learn

    counts, at = Counter(now_in.values()), now - AFTER_US
    back = frozenset(one for bucket in returned(everybody, at) for one in bucket.tolist())
    came = learn.came_back(_standing(everybody, spoken, at), back)
    return [
        {
            "group": one,
            "says": learn.SAYS[one],
            "customers": counts[one],
            "share": counts[one] / max(1, len(now_in)),
            "came_back": msgspec.to_builtins(came[one]) if one in came else None,
        }
        for one in learn.TIES
    ]


def _moves(before: Mapping[int, Tie], now: Mapping[int, Tie]) -> list[JSON]:
    from hark.learn.ties import TIES
    from hark.learn.ties import moves as moved

    order = {name: place for place, name in enumerate((*TIES, "not here"))}
    found = sorted(moved(before, now).items(), key=lambda one: (order[one[0][0]], order[one[0][1]]))
    return [{"from": origin, "to": to, "customers": n} for (origin, to), n in found]


def _month(at: Instant, zone: str) -> str:
    return f"{moment(at).astimezone(ZoneInfo(zone)):%Y-%m}"


def _low(desk: Desk, one: Low) -> JSON:
    from hark.questions.kinds import known_as

    return {"customer": known_as(desk.state, one.subject), **msgspec.to_builtins(one)}
