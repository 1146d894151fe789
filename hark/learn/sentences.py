"""What a comparison says in plain English: what is known, how surely, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from hark.clock import moment
from hark.decide.assignment import CONTROL
from hark.definitions.types import Goal
from hark.learn import anytime, checks, compare
from hark.learn.aggregates import Sums
from hark.learn.compare import Interval
from hark.learn.comparison import Comparison, treated
from hark.learn.power import detectable
from hark.model import Instant
from hark.understand.wording import event, span

WORTH_SAYING = 0.02
"""Of the variance, explained by the past: under it the adjusted interval is the same to the eye."""


def sentences(found: Comparison) -> Iterator[str]:
    """The numbers, the standing (one sentence, always), and what stands beside them."""
    goal = found.campaign.goal
    if goal is None:
        yield "This campaign has no goal: what it changes is not measured."
        return
    if found.control.subjects and found.treated.subjects:
        yield _numbers(found, goal)
        yield _lift(found)
    yield standing(found)
    yield from _always(found)
    yield from _reached(found)
    yield from _variants(found)
    yield from _value(found, goal)
    yield from _adjusted(found, goal)
    yield from _disputed(found)
    yield from _power(found)
    yield from _unknown(found, goal)


def standing(found: Comparison) -> str:
    """What may be concluded now. A word of verdict only after the day of decision."""
    if found.campaign.control == 0:
        why = f" ({found.campaign.control_why})" if found.campaign.control_why else ""
        return f"Nobody is left alone{why}: what this campaign changes cannot be known."
    p = found.sample_ratio
    if p is not None and p < checks.SAMPLE_RATIO_P:
        return (
            f"The arms are not as large as their shares say (p = {p:.2g}): something treats them unlike"
            " before they are compared, so the lift must not be believed."
        )
    if found.decide_at is None:
        return "This cannot be judged yet (nobody has entered)."
    if found.decided:
        return verdict(found)
    few = checks.too_few(found.treated, found.control)
    if few:
        return f"This cannot be judged yet ({few})."
    return (
        f"The interval is exact if you decide at {date(found.decide_at)}; whoever decides at the first look"
        " that pleases is misled more often than once in 20 times."
    )


def verdict(found: Comparison) -> str:
    """The judgement at the day of decision: on those who entered in time for it, whatever came later."""
    ours, others = found.at_decision
    few = checks.too_few(ours, others)
    lift = compare.newcombe(ours, others)
    if few or lift is None or found.decide_at is None:
        return f"This cannot be judged ({few}): {date(found.decide_at)} has passed with too few."
    words = f"Judged as planned on {date(found.decide_at)}: "
    if not lift.excludes_zero:
        return words + f"no difference was found; anything from {points(lift)} is possible."
    return (
        words + f"the campaign {'raised' if lift.low > 0 else 'lowered'} the goal's rate, by {points(lift)}."
    )


def _numbers(found: Comparison, goal: Goal) -> str:
    did = f"did {event(goal.event.names, goal.event.where)} within {span(goal.within_us)}"
    ours, others = found.treated, found.control
    return (
        f"Of {ours.subjects:,} people treated, {_goals(ours)} {did};"
        f" of {others.subjects:,} left alone, {_goals(others)}."
    )


def _goals(arm: Sums) -> str:
    return f"{arm.goals:,} ({arm.rate or 0:.1%})"


def _lift(found: Comparison) -> str:
    lift = compare.newcombe(found.treated, found.control)
    assert lift is not None
    words = difference(lift, "95 % interval ")
    return f"Lift: {words}, over everybody who was drawn, reached by a message or not."


def _always(found: Comparison) -> Iterator[str]:
    lift = anytime.rate(found.treated, found.control)
    if lift is None or found.campaign.control == 0:
        return
    yield f"Whoever looks every day should go by {points(lift)}: that interval is right at every look (95 %)."


def _reached(found: Comparison) -> Iterator[str]:
    ours, others = treated(found.reached), found.reached.get(CONTROL, Sums())
    lift = compare.newcombe(ours, others)
    everybody = found.treated.subjects + found.control.subjects
    if lift is not None and ours.subjects + others.subjects < everybody:
        yield (
            f"Among the {ours.subjects + others.subjects:,} who came to the first message (in shadow, if left"
            f" alone): {difference(lift)}."
        )


def _variants(found: Comparison) -> Iterator[str]:
    if len(found.campaign.variants) < 2:
        return
    for name, lift in found.variants.items():
        if lift is not None:
            yield f"{name}: {difference(lift)} against those left alone."
    yield "The variants' intervals hold all together (95 %); which variant is better has not been tested."


def _power(found: Comparison) -> Iterator[str]:
    """What so many people can show, while the day of decision is to come."""
    people, alone = found.treated.subjects + found.control.subjects, found.control
    if found.decided or not (found.treated.subjects and alone.rate and alone.rate < 1):
        return
    smallest = detectable(alone.rate, people, alone.subjects / people)
    if smallest is not None:
        words = f"a rise of {100 * smallest:.1f} percentage points or more"
        yield f"So many people ({people:,}) show {words} in 4 cases of 5; a smaller one may go unseen."


def _value(found: Comparison, goal: Goal) -> Iterator[str]:
    lift = compare.welch(found.treated, found.control) if goal.value else None
    if lift is None:
        return
    yield (
        f"{goal.value} per person: {found.treated.mean or 0:.2f} treated, {found.control.mean or 0:.2f} left"
        f" alone; difference {lift.estimate:+.2f} ({lift.low:+.2f} to {lift.high:+.2f})."
    )
    share = checks.largest_share([found.treated, found.control])
    if share > checks.LARGE_SHARE:
        yield f"One person carries {share:.0%} of all {goal.value}: its difference rests on that one."


def _adjusted(found: Comparison, goal: Goal) -> Iterator[str]:
    """Said once the past explains enough to make a difference."""
    better = found.adjusted
    if better is None or better.removed < WORTH_SAYING or found.campaign.control == 0:
        return
    lift = better.lift
    bounds = f"{lift.low:+.2f} to {lift.high:+.2f} {goal.value} per person" if goal.value else points(lift)
    past = f"What people did in the {span(goal.within_us)} before"
    words = f"{past} explains {better.removed:.0%} of the differences between them"
    yield f"{words}; with that taken out the lift is {bounds}."


def _disputed(found: Comparison) -> Iterator[str]:
    if found.disputed <= checks.DISPUTED_SHARE:
        return
    lift = compare.newcombe(treated(found.undisputed), found.undisputed.get(CONTROL, Sums()))
    if lift is not None:
        yield (
            f"{found.disputed:.1%} of people turned out to have been in two arms under two ids; they count"
            f" where they entered first. Without them the lift is {difference(lift)}."
        )


def _unknown(found: Comparison, goal: Goal) -> Iterator[str]:
    window = span(goal.within_us)
    if found.waiting:
        yield (
            f"Not counted yet in any arm: {found.waiting:,} people whose {window}, and a day of grace,"
            " are not over."
        )
    yield f"Not known: what happens after {window}, and what it would do to people who were not eligible."


def difference(lift: Interval, before: str = "") -> str:
    """A difference of rates: "+2.3 percentage points (+1.2 to +3.4)"; `before` stands before the bounds."""
    bounds = f"{100 * lift.low:+.1f} to {100 * lift.high:+.1f}"
    return f"{100 * lift.estimate:+.1f} percentage points ({before}{bounds})"


def points(interval: Interval) -> str:
    """The bounds: "+1.2 to +3.4 percentage points"."""
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f} percentage points"


def date(at: Instant | None) -> str:
    """A moment for reading: "2026-03-02 09:00 UTC"."""
    return "a date not set" if at is None else f"{moment(at):%Y-%m-%d %H:%M} UTC"
