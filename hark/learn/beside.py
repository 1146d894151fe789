"""What happened to the arms beside the goal: who turned away, and what other campaigns sent them.

Neither decides. A guardrail that is broken is said; other messages are what the lift is measured among.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.types import EventMatch, Goal
from hark.learn import anytime
from hark.learn.activity import arms, days
from hark.learn.aggregates import Sums
from hark.learn.columns import Outcomes, integers
from hark.learn.compare import Interval
from hark.learn.facts import Facts
from hark.learn.looks import treated
from hark.model import FactName, Instant

CAME_BACK = "came back"
"""The guardrail that every campaign has: activity again after the entry."""


class Guardrail(Struct, frozen=True):
    """People of each arm who did it within the goal's window."""

    event: str
    treated: Sums
    control: Sums
    lift: Interval | None
    """Of the rates, right at every look; None during the burn-in."""
    wanted: bool = False
    """It is good if people do it: broken where fewer do."""

    @property
    def broken(self) -> bool:
        """Whether the campaign makes more people do it, or fewer what is wanted."""
        return self.lift is not None and (self.lift.high < 0 if self.wanted else self.lift.low > 0)


class Others(Struct, frozen=True):
    """Messages of other campaigns sent to one arm within the goal's window, on average a person."""

    arm: str
    messages: float


def guardrails(facts: Facts, outcomes: Outcomes, names: Sequence[str], now: Instant) -> tuple[Guardrail, ...]:
    """What the campaign must not bring about more of, over those whose window is over; and that people come
    back, of which it must not bring about less."""
    return (*(_guardrail(facts, outcomes, name, now) for name in names), _came_back(facts, outcomes, now))


def _came_back(facts: Facts, outcomes: Outcomes, now: Instant) -> Guardrail:
    """Who was active again within the goal's window, by anything but facts of ours."""
    back = days(facts, outcomes) > 0
    sums = {arm: Sums(int(who.sum()), int(back[who].sum())) for arm, who in arms(outcomes, now).items()}
    ours, others = treated(sums), sums.get(CONTROL, Sums())
    return Guardrail(CAME_BACK, ours, others, anytime.rate(ours, others), wanted=True)


def _guardrail(facts: Facts, outcomes: Outcomes, name: str, now: Instant) -> Guardrail:
    goal = Goal(EventMatch((name,)), outcomes.goal.within_us)
    sums = Outcomes(outcomes.entries, facts.events((name,)), goal).sums(now)
    ours, others = treated(sums), sums.get(CONTROL, Sums())
    return Guardrail(name, ours, others, anytime.rate(ours, others))


class _Sent(Struct, frozen=True):
    campaign: str = ""


def others(facts: Facts, outcomes: Outcomes, campaign: str, now: Instant) -> tuple[Others, ...]:
    """By arm, the messages that other campaigns sent people within the window after their entry."""
    entries, sent = outcomes.entries, facts.events((FactName.MESSAGE_SENT.value,))
    decode = msgspec.json.Decoder(_Sent).decode
    foreign = np.array([decode(one).campaign != campaign for one in sent["properties"].to_pylist()], np.bool_)
    subject, at = integers(sent, "subject")[foreign], integers(sent, "at")[foreign]
    place = np.minimum(np.searchsorted(entries.subject, subject), len(entries) - 1)
    since = at - entries.at[place]
    inside = (entries.subject[place] == subject) & (since > 0) & (since <= outcomes.goal.within_us)
    count = np.bincount(place[inside], minlength=len(entries))
    found = arms(outcomes, now).items()
    return tuple(Others(name, float(count[who].mean())) for name, who in found if who.any())
