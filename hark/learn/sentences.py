"""What a comparison says in plain English: what is known, how surely, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from hark.clock import moment
from hark.decide.assignment import CONTROL
from hark.definitions.types import Goal
from hark.learn import checks, compare
from hark.learn.aggregates import Sums
from hark.learn.also import AlsoGoal, answered, did
from hark.learn.anytime import needed_by
from hark.learn.batches import said
from hark.learn.compare import Interval
from hark.learn.comparison import Comparison
from hark.learn.looks import treated
from hark.learn.power import detectable
from hark.learn.scored import forecast, money
from hark.learn.verdict import Verdict, Word
from hark.model import Instant
from hark.understand.wording import listed, span

WORTH_SAYING = 0.02
"""Of the variance, explained by the past: under it the adjusted interval is the same to the eye."""


def sentences(found: Comparison, judged: Verdict) -> Iterator[str]:
    """The verdict first; then the numbers, and what stands beside them."""
    goal = found.campaign.goal
    yield standing(found, judged)
    if goal is None:
        return
    yield from _money(found, goal, judged)
    yield from _next(judged)
    if found.control.subjects and found.treated.subjects:
        yield _numbers(found, goal)
        yield _lift(found)
    yield from _units(found)
    yield from _reached(found)
    yield from _variants(found)
    yield from said(found.between)
    yield from _value(found, goal)
    yield from _adjusted(found, goal)
    yield from _forecast(found, judged)
    yield from _response(found, goal)
    yield from _also(found)
    yield from _beside(found)
    yield from _disputed(found)
    yield from _power(found, judged)
    yield from _assumed(found, judged)
    yield from _unknown(found, goal)


def _units(found: Comparison) -> Iterator[str]:
    """What was compared, where it was not customers."""
    by = found.campaign.assign_by
    if by is not None:
        yield (
            f"What is compared, and counted here, are groups ({by}), since everybody of one has one arm: one"
            " entered with the first of its members, and reached the goal when any of those who entered did."
            " Customers of none are units by themselves."
        )


def standing(found: Comparison, judged: Verdict) -> str:
    """The verdict in a sentence, never without its interval."""
    if judged.word is Word.CANNOT:
        known = f"; {_bounds(judged)}" if judged.lift is not None else ""
        return f"This cannot be judged: {judged.why}{known}.{_MEND.get(judged.why.split(' (')[0], '')}"
    if judged.word is Word.NOT_YET or judged.lift is None or found.campaign.goal is None:
        return _not_yet(judged)
    done = did(found.campaign.goal)
    if judged.word is Word.NO_LARGER:
        largest = f"{100 * (judged.larger_than or 0):.1f} percentage points"
        return f"It makes no difference larger than {largest} to how many {done}: {_bounds(judged)}."
    helps = judged.word is Word.HELPS
    word, more = ("helps", "more") if helps else ("harms", "fewer")
    return f"It {word}: {more} people {done}, {difference(judged.lift, '95 % interval ')}{_since(judged)}."


_MEND = {
    "the arms are not as large as their shares say": (
        " Something treats them unlike before they are compared, so the lift must not be believed."
    ),
    "nobody is left alone": " What this campaign changes cannot be known without a control.",
}


def _not_yet(judged: Verdict) -> str:
    needs = f" (needs about {_days(judged.days)})" if judged.days is not None else ""
    parts = [f"Not known yet{needs}"]
    if judged.why:
        parts.append(judged.why)
    if judged.lift is not None:
        parts.append(f"so far {_bounds(judged)}")
    return ": ".join([parts[0], "; ".join(parts[1:])]) + "." if parts[1:] else parts[0] + "."


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _bounds(judged: Verdict) -> str:
    assert judged.lift is not None
    return f"the lift is {points(judged.lift)} (95 % interval)"


def _since(judged: Verdict) -> str:
    return f", found at the weekly look of {date(judged.since)}" if judged.since is not None else ""


def _money(found: Comparison, goal: Goal, judged: Verdict) -> Iterator[str]:
    """What it brought, where a goal has a value and a word was found."""
    worth = money(found) if judged.known else None
    if worth is None:
        return
    people = found.treated.subjects
    each = f"{worth.estimate:+.2f} {goal.value} per person ({worth.low:+.2f} to {worth.high:+.2f})"
    whole = f"{people * worth.estimate:+,.0f} ({people * worth.low:+,.0f} to {people * worth.high:+,.0f})"
    yield f"In {goal.value}: {each}; for the {people:,} people treated so far {whole}."


def _next(judged: Verdict) -> Iterator[str]:
    if judged.word is Word.HELPS:
        yield "Next: keep it, and watch it with fewer people left alone (control: 5%)."
    elif judged.word is Word.HARMS:
        yield "Next: stop it (paused: yes); those it was meant for do better without."
    elif judged.word is Word.NO_LARGER:
        yield "Next: stop it, or try another message, moment or audience; waiting longer will not find more."
    elif judged.word is Word.CANNOT and judged.lift is not None:
        yield (
            "Next: test it again with more people, or with a stronger message; what was seen neither shows"
            " nor excludes a difference that matters."
        )


def _numbers(found: Comparison, goal: Goal) -> str:
    ours, others = found.treated, found.control
    return (
        f"Of {ours.subjects:,} people treated, {_goals(ours)} {did(goal)};"
        f" of {others.subjects:,} left alone, {_goals(others)}."
    )


def _goals(arm: Sums) -> str:
    return f"{arm.goals:,} ({arm.rate or 0:.1%})"


def _lift(found: Comparison) -> str:
    """For one look that was fixed beforehand: what others publish."""
    lift = compare.newcombe(found.treated, found.control)
    assert lift is not None
    words = difference(lift, "95 % interval for who looks only once ")
    return f"Lift: {words}, over everybody who was drawn, reached by a message or not."


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
    chances = listed([f"{name} {chance:.0%}" for name, chance in found.best.items()], "and")
    yield (
        "The variants' intervals hold all together and at every look (95 %). Which is better has not been"
        f" tested; the probability to be the best is {chances}."
    )


def _power(found: Comparison, judged: Verdict) -> Iterator[str]:
    """What so many people can show, while nothing is known."""
    people, alone = found.counted, found.control
    if judged.word is not Word.NOT_YET or not (found.treated.subjects and alone.rate and alone.rate < 1):
        return
    smallest = detectable(alone.rate, people, alone.subjects / people, needed_by(found.campaign))
    if smallest is not None:
        words = f"a rise of {100 * smallest:.1f} percentage points or more"
        yield f"So many people ({people:,}) show {words} in 4 cases of 5; a smaller one may go unseen."


def _forecast(found: Comparison, judged: Verdict) -> Iterator[str]:
    """The author's `expects` beside what came."""
    scored = forecast(found, judged)
    if scored is None:
        return
    held = "as the interval allows" if scored.inside else "which the interval leaves out"
    yield (
        f"The author expected {100 * scored.expects:+.1f} percentage points, {held};"
        f" the forecast was off by {100 * abs(scored.error):.1f}."
    )


def _assumed(found: Comparison, judged: Verdict) -> Iterator[str]:
    if judged.lift is None:
        return
    if found.plan is not None:
        looks = f"the {len(found.plan.looks)} weekly looks so far were planned, and the interval holds at all"
    else:
        looks = "the interval holds at every look, whenever you stop"
    yield f"Assumed: people act apart from each other, and were drawn by the hash alone; {looks}."


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


def _response(found: Comparison, goal: Goal) -> Iterator[str]:
    """Of a transactional campaign whose goal is an answer to its message."""
    rate = answered(found.treated) if goal.response else None
    if rate is not None:
        people = f"Of {found.treated.subjects:,} people written to, {_goals(found.treated)} {did(goal)}"
        yield f"{people} (95 % interval {rate.low:.1%} to {rate.high:.1%}): a response, not a lift."


def _also(found: Comparison) -> Iterator[str]:
    """Goals beside the goal."""
    for one in found.also:
        if one.rate is not None:
            bounds = f"{one.rate.low:.1%} to {one.rate.high:.1%}"
            people = f"of {one.treated.subjects:,} written to, {_goals(one.treated)}"
            yield f"Response: {people} {one.says} ({bounds})."
        elif one.treated.subjects and one.control.subjects:
            yield _beside_the_goal(one)


def _beside_the_goal(one: AlsoGoal) -> str:
    rates = f"{_goals(one.treated)} of those treated, {_goals(one.control)} of those left alone"
    lift = f"; {difference(one.lift)}" if one.lift else ""
    return f"Beside the goal, deciding nothing: {rates} {one.says}{lift}."


def _beside(found: Comparison) -> Iterator[str]:
    """Guardrails that are broken, and what else people were sent."""
    for one in found.guardrails:
        if one.broken and one.lift is not None:
            word = "fewer" if one.wanted else "more"
            yield f"Guardrail broken: {word} people {one.event}, {difference(one.lift)}."
    if any(one.messages for one in found.others):
        told = listed([f"{one.messages:.2f} in {one.arm}" for one in found.others], "and")
        yield f"Messages of other campaigns in the same time, per person: {told}."


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
