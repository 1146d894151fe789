"""The ordered funnel: how many go down a path of steps, and how quickly.

`specification` is what the answer means, in plain Python; `ask_funnel` gives the same answer from the history
by the kernel (`understand.kernels.funnel`). Both fill the same `Partial`s, which add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hark.definitions.types import EventMatch
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON, SECOND, Event, Instant
from hark.understand import operators
from hark.understand.partials import over_buckets

Step: TypeAlias = EventMatch
Seconds = npt.NDArray[np.float64]

FOREVER = 2**62
"""Later than every instant, longer than every window."""
MOST_STEPS = 32


class Funnel(Struct, frozen=True):
    """A path of steps. Attempts start in [start, end) and may end after it."""

    steps: tuple[Step, ...]
    within_us: int | None = None
    """From the first step to the last; None: no limit."""
    start: Instant = -FOREVER
    end: Instant = FOREVER

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise HarkError(
                f"a funnel has 1 to {MOST_STEPS} steps, not {len(self.steps)}", id="question.steps"
            )


class StepAnswer(Struct, frozen=True):
    """One step. Times are seconds, None where nobody came; medians are of those who reached the step."""

    step: str
    customers: int
    rate_from_first: float
    """0 where nobody took the first step, as also `rate_from_previous`."""
    rate_from_previous: float
    median_s: float | None
    """From the step before to this one; `p90_s` is the 90th percentile."""
    p90_s: float | None
    median_from_first_s: float | None
    p90_from_first_s: float | None


class Open(Struct, frozen=True):
    """Attempts whose window is not over yet: shown apart, since they may still come further."""

    customers: int
    reached: tuple[int, ...]
    """Customers per step, by the deepest such attempt."""


class FunnelAnswer(Struct, frozen=True):
    steps: tuple[StepAnswer, ...]
    open: Open

    def to_json(self) -> JSON:
        """{"steps": [{"step", "customers", "rate_from_first", "median_s", ...}], "open": {...}}."""
        return msgspec.json.decode(msgspec.json.encode(self))


class Partial(Struct, frozen=True):
    """What one bucket adds: customers per step, and the times of each (µs, one per customer).

    Times don't add up to a median, so they are kept whole: 16 bytes per customer and step reached.
    """

    reached: tuple[int, ...]
    open: tuple[int, ...]
    from_first: tuple[npt.NDArray[np.int64], ...]
    from_previous: tuple[npt.NDArray[np.int64], ...]


def parse_step(text: str) -> Step:
    """ "Cart" is that event, "Cart|Wishlist" any of the two. Raises HarkError for an empty name."""
    names = tuple(name.strip() for name in text.split("|"))
    if not all(names):
        raise HarkError(f"a step without a name: {text!r}", hint='write "A|B" for any of two', id="step.name")
    return Step(names)


# -- what it means --------------------------------------------------------------------------------------


def specification(funnel: Funnel, histories: Iterable[Sequence[Event]], now: Instant) -> FunnelAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    known = [[event for event in history if event.at <= now] for history in histories]
    over, still_open = ranges(funnel, now)
    best = [attempt(funnel, events, *over) for events in known]
    waiting = [attempt(funnel, events, *still_open) for events in known]
    return answer(funnel, [partial(_matrix(funnel, best), _matrix(funnel, waiting))])


def attempt(funnel: Funnel, events: Sequence[Event], start: Instant, end: Instant) -> list[Instant]:
    """The times at which the reported attempt of one subject reached each step; [] without an attempt.

    It is the earliest-starting of those which reach the deepest level that any reaches.
    """
    best: list[Instant] = []
    for row, event in enumerate(events):
        if start <= event.at < end and matches(funnel.steps[0], event):
            found = follow(funnel, events[row:])
            best = found if len(found) > len(best) else best
    return best


def follow(funnel: Funnel, events: Sequence[Event]) -> list[Instant]:
    """The times of the attempt that starts at the first event, taking each step's earliest match."""
    times = [events[0].at]
    for event in events[1:]:
        if len(times) == len(funnel.steps) or event.at - times[0] > within(funnel):
            break
        if matches(funnel.steps[len(times)], event):
            times.append(event.at)
    return times


def matches(step: Step, event: Event) -> bool:
    """Whether an event is one of the step's, and its properties fulfil the predicate."""
    return event.name in step.names and (not step.where or operators.compile(step.where)(event.properties))


def within(funnel: Funnel) -> int:
    return FOREVER if funnel.within_us is None else funnel.within_us


def ranges(funnel: Funnel, now: Instant) -> tuple[tuple[Instant, Instant], tuple[Instant, Instant]]:
    """Where attempts start whose window is over at `now`, and where those start whose window is not.

    A window is over strictly after its last instant. Without a window nothing stays open.
    """
    if funnel.within_us is None:
        return (funnel.start, funnel.end), (funnel.end, funnel.end)
    cut = min(max(now - funnel.within_us, funnel.start), funnel.end)
    return (funnel.start, cut), (cut, funnel.end)


# -- from the history -----------------------------------------------------------------------------------


def ask_funnel(snapshot: Snapshot, funnel: Funnel, now: Instant) -> FunnelAnswer:
    """The answer from a snapshot of the history, one bucket a thread."""
    # numba takes half a second to load, which only questions should pay.
    from hark.understand.kernels import funnel as kernel
    from hark.understand.kernels.rows import Bit, names_of, needs_properties, stream

    bits, over_at = [Bit(step) for step in funnel.steps], ranges(funnel, now)

    limit = within(funnel)

    def one(bucket: int) -> Partial:
        rows = stream(snapshot.runs(bucket, names_of(bits), needs_properties(bits)), bits)
        over, still_open = (kernel.times(rows, len(bits), limit, *range_, now) for range_ in over_at)
        return partial(over, still_open)

    return answer(funnel, over_buckets(snapshot, one))


# -- adding up ------------------------------------------------------------------------------------------

NEVER = np.iinfo(np.int64).min


def _matrix(funnel: Funnel, attempts: Iterable[list[Instant]]) -> npt.NDArray[np.int64]:
    steps = len(funnel.steps)
    rows = [[*times, *[NEVER] * (steps - len(times))] for times in attempts if times]
    return np.array(rows, np.int64).reshape(-1, steps)


def partial(over: npt.NDArray[np.int64], still_open: npt.NDArray[np.int64]) -> Partial:
    """From (subjects, steps) times, NEVER where a step was not reached."""
    reached = over != NEVER
    columns = [over[reached[:, step]] for step in range(over.shape[1])]
    return Partial(
        tuple(int(count) for count in reached.sum(axis=0)),
        tuple(int(count) for count in (still_open != NEVER).sum(axis=0)),
        tuple(rows[:, step] - rows[:, 0] for step, rows in enumerate(columns)),
        tuple(rows[:, step] - rows[:, max(step - 1, 0)] for step, rows in enumerate(columns)),
    )


def answer(funnel: Funnel, partials: Sequence[Partial]) -> FunnelAnswer:
    """All partials together."""
    customers = [sum(counts) for counts in zip(*(one.reached for one in partials), strict=True)]
    waiting = tuple(sum(counts) for counts in zip(*(one.open for one in partials), strict=True))
    before = [customers[0], *customers]
    steps = [
        StepAnswer(
            "|".join(step.names),
            customers[place],
            _rate(customers[place], customers[0]),
            _rate(customers[place], before[place]),
            *_times([one.from_previous[place] for one in partials], place),
            *_times([one.from_first[place] for one in partials], place),
        )
        for place, step in enumerate(funnel.steps)
    ]
    return FunnelAnswer(tuple(steps), Open(waiting[0], waiting))


def _rate(some: int, all_: int) -> float:
    return some / all_ if all_ else 0.0


def _times(parts: Sequence[npt.NDArray[np.int64]], place: int) -> tuple[float | None, float | None]:
    """Median and 90th percentile in seconds (linear between ranks: Hyndman and Fan 1996, type 7)."""
    whole = np.concatenate(parts)
    if place == 0 or not len(whole):
        return None, None
    median, p90 = np.quantile(whole, [0.5, 0.9])
    return float(median) / SECOND, float(p90) / SECOND
