"""Whether an event is one of a step's; how a step is named."""

from __future__ import annotations

from hark.definitions.types import EventMatch
from hark.errors import HarkError
from hark.model import Event, Kind
from hark.understand import operators


def matches(step: EventMatch, event: Event) -> bool:
    """Whether an event is one of the step's, and its properties fulfil the predicate."""
    return event.name in step.names and (not step.where or operators.compile(step.where)(event.properties))


def is_activity(event: Event) -> bool:
    """Neither a fact of Hark's own nor sent as inactive."""
    return event.active and event.kind != Kind.FACT


def named(step: EventMatch) -> str:
    """ "A|B", as a person would write the step; its predicate is not told."""
    return "|".join(step.names)


def parse_step(text: str) -> EventMatch:
    """ "Cart" is that event, "Cart|Wishlist" any of the two. Raises HarkError for an empty name."""
    names = tuple(name.strip() for name in text.split("|"))
    if not all(names):
        raise HarkError(f"a step without a name: {text!r}", hint='write "A|B" for any of two', id="step.name")
    return EventMatch(names)
