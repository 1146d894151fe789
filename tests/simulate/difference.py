"""Where engine and model part: the first fact on which they do, and what led to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hark.clock import moment
from hark.model import DAY, Event
from tests.simulate.nouns import Fact

if TYPE_CHECKING:
    from tests.simulate.world import World

SHOWN = 60


class DifferenceError(Exception):
    """The engine and the model do not agree; says how to see it again."""

    def __init__(self, world: World, says: str, subject: int = 0) -> None:
        self.day = (world.clock.at - world.script.start) // DAY + 1
        self.says, self.subject = says, subject
        again = f"python -m tests.simulate --seed {world.seed} --days {self.day}"
        super().__init__(f"{again}\nday {self.day}: {says}\n" + "\n".join(history(world, subject)))


def compare(world: World, expected: Sequence[Fact], found: Sequence[Event]) -> None:
    """Each customer's facts, in their order: names, times, and all that the model states of them."""
    theirs, ours = defaultdict(list), defaultdict(list)
    for fact in expected:
        theirs[fact.subject].append(fact)
    for event in found:
        ours[event.subject].append(event)
    for subject in sorted({*theirs, *ours}):
        for place in range(max(len(theirs[subject]), len(ours[subject]))):
            one = theirs[subject][place] if place < len(theirs[subject]) else None
            other = ours[subject][place] if place < len(ours[subject]) else None
            if one is None or other is None or not same(one, other):
                raise DifferenceError(
                    world, f"expected {_fact(one)}\n       found    {_event(other)}", subject
                )


def same(expected: Fact, found: Event) -> bool:
    says = json.loads(found.properties)
    stated = all(says.get(name) == value for name, value in expected.says.items())
    return (expected.name, expected.at) == (found.name, found.at) and stated


def history(world: World, subject: int) -> list[str]:
    """The customer's last events and facts."""
    mine = [_event(one) for one in world.told if one.subject == subject]
    return [f"what customer {subject} did and had, at last:", *mine[-SHOWN:]] if subject else []


def _fact(fact: Fact | None) -> str:
    return (
        "nothing" if fact is None else f"{moment(fact.at):%m-%d %H:%M:%S.%f} {fact.name} {_said(fact.says)}"
    )


def _event(event: Event | None) -> str:
    if event is None:
        return "nothing"
    return f"{moment(event.at):%m-%d %H:%M:%S.%f} {event.name} {_said(json.loads(event.properties))}"


def _said(says: Mapping[str, Any]) -> str:
    shown = {name: value[:8] if name in ("run", "message") else value for name, value in says.items()}
    return json.dumps(shown, default=str)[:400]
