"""The typed questions about behaviour: what can be asked of a history. How they are written: `questions`.

All of them may be limited to a range of instants [start, end) and to the members of a segment (`among`).
With `group` they are about groups of this type in place of customers.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from hark.definitions.types import EventMatch
from hark.errors import HarkError
from hark.model import MINUTE, Instant
from hark.understand.conditions import Condition

FOREVER = 2**62
"""Later than every instant, longer than every window."""
MOST_STEPS = 24
SESSION_GAP = 30 * MINUTE

Period: TypeAlias = Literal["day", "week", "month"]
Order: TypeAlias = Literal["ordered", "strict", "unordered"]
Cohorts: TypeAlias = Literal["first", "first_time", "recurring"]


class By(Struct, frozen=True):
    """What splits an answer: a property of the event, a trait as of then, or being in a segment."""

    kind: Literal["property", "trait", "segment"]
    name: str
    """A dotted path, or the segment's name."""


class Funnel(Struct, frozen=True):
    """A path of steps. Attempts start in [start, end) and may end after it."""

    steps: tuple[EventMatch, ...]
    within_us: int | None = None
    """From the first step to the last; None: no limit."""
    start: Instant = -FOREVER
    end: Instant = FOREVER
    order: Order = "ordered"
    barred: tuple[tuple[EventMatch, ...], ...] = ()
    """For each gap between a step and the next what must not happen in it; () where nothing is barred."""
    by: By | None = None
    instead: bool = False
    """Also: what those who stopped did then."""
    trend: Period | None = None
    """Also: one line for each period in which attempts started."""
    zone: str = "UTC"
    among: str | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise HarkError(
                f"a funnel has 1 to {MOST_STEPS} steps, not {len(self.steps)}", id="question.steps"
            )
        if self.order == "unordered" and any(self.barred):
            hint = "leave out the {not: ...} steps, or ask for an order"
            raise HarkError("steps without an order have nothing between them", hint, "question.steps")


class When(Struct, frozen=True):
    """A condition, asked at the end of each period, in the present one now.

    As a start it stands for the periods at whose end it holds and did not before; as a return for each one at
    whose end it holds.
    """

    where: Condition


class Retention(Struct, frozen=True):
    """Whoever does `start` in [begin, end) belongs to the cohort of the period in which they do."""

    start: EventMatch | When
    returns: EventMatch | When | None = None
    """What counts as a return; None: any activity. Facts and inactive events never do."""
    period: Period = "week"
    zone: str = "UTC"
    begin: Instant = -FOREVER
    end: Instant = FOREVER
    cohorts: Cohorts = "first"
    """first: by the first start in the range; first_time: only if it is the first ever; recurring: in every
    period with a start."""
    on_or_after: bool = False
    """Active in period k: came back in it or in a later one."""
    by: By | None = None
    returned_to: bool = False
    """Also: what those who returned came back to do."""
    among: str | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.start, When) and self.by and self.by.kind == "property":
            hint = "split by trait:NAME or segment:NAME"
            raise HarkError("a start by a condition is no event with properties", hint, "question.by")


class Paths(Struct, frozen=True):
    """What comes after the first `origin` in the range, or before the first `target`, step by step."""

    origin: EventMatch | None = None
    target: EventMatch | None = None
    """With `origin`: where a path ends; alone: the anchor that paths lead to."""
    depth: int = 3
    top: int = 20
    """Branches of a node and paths that are listed; the others fold into "other"."""
    rare: float = 0.01
    """Branches of a smaller share of all the customers fold too."""
    collapse: bool = True
    """The same event several times in a row counts as one step."""
    gap_us: int | None = SESSION_GAP
    """A gap without activity that ends the session, and the path; None: sessions don't matter."""
    facts: bool = False
    """Whether what Hark wrote itself, and inactive events, are steps too."""
    start: Instant = -FOREVER
    end: Instant = FOREVER
    among: str | None = None
    group: str = ""


class Sessions(Struct, frozen=True):
    """Runs of activity without a gap of `gap_us`, by the period in which they begin."""

    gap_us: int = SESSION_GAP
    period: Period = "week"
    zone: str = "UTC"
    start: Instant = -FOREVER
    end: Instant = FOREVER
    among: str | None = None
    group: str = ""


class Lifecycle(Struct, frozen=True):
    """Who is new, returning, resurrected and dormant in each period."""

    period: Period = "week"
    zone: str = "UTC"
    start: Instant = -FOREVER
    end: Instant = FOREVER
    among: str | None = None
    group: str = ""


class Trend(Struct, frozen=True):
    """How often an event happens in each period, to how many, and what its property adds up to."""

    event: EventMatch | None = None
    """None: any activity."""
    period: Period = "day"
    of: str | None = None
    """The numeric property that is summed, averaged and ranked."""
    by: By | None = None
    zone: str = "UTC"
    start: Instant = -FOREVER
    end: Instant = FOREVER
    among: str | None = None
    group: str = ""
    compare: bool = False
    """Also: as many periods before `start`, which must be given."""

    def __post_init__(self) -> None:
        if self.compare and self.start == -FOREVER:
            hint = "say since when: since"
            raise HarkError("a comparison with the time before needs a beginning", hint, "question.compare")


Asked: TypeAlias = Funnel | Retention | Paths | Sessions | Lifecycle | Trend
