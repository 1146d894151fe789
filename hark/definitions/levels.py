"""What engagement means here, and the stages of a decision: levels from weak to strong, each a condition
with patience."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from hark.understand.conditions.base import Condition
from hark.understand.conditions.combine import AllOf, AnyOf
from hark.understand.conditions.held import Held


class Level(Struct, frozen=True):
    name: str
    when: Condition
    for_us: int = 0
    """How long the condition must have held (`held_for`)."""
    grace_us: int = 0
    """How long the level is kept once it does not hold any more."""

    @property
    def own(self) -> Condition:
        """When the level is reached, whatever the others."""
        return Held(self.when, self.for_us, self.grace_us) if self.for_us or self.grace_us else self.when


class Ladder(Struct, frozen=True):
    """Levels of one kind, the weakest first; a customer has one of them at a time, or none."""

    name: str
    levels: tuple[Level, ...]
    ladder: bool = True
    """A level counts only if those below it are met."""
    says: str = ""
    floor: str = ""
    """What being below all levels is called; "" where it has no name."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels)

    def at_least(self, name: str) -> Condition:
        """Who has reached a level, or a stronger one. Raises ValueError for a level it has not."""
        place = self.names.index(name)
        own = [level.own for level in self.levels]
        parts = tuple(own[: place + 1] if self.ladder else own[place:])
        return parts[0] if len(parts) == 1 else AllOf(parts) if self.ladder else AnyOf(parts)

    def next_above(self, name: str) -> str | None:
        """The level after this one, or after the floor; None after the strongest."""
        place = self.names.index(name) + 1 if name in self.names else 0
        return self.names[place] if place < len(self.names) else None

    def known(self, name: str) -> bool:
        """Whether there is such a level, the floor included."""
        return name in self.names or (name != "" and name == self.floor)


class Engagement(Ladder, frozen=True, tag="engagement"):
    """What engagement means here."""


class Stage(Ladder, frozen=True, tag="stage"):
    """The stages of the purchase decision."""


Levelled: TypeAlias = Engagement | Stage


class Reaching(Struct, frozen=True):
    """A change of level that starts a campaign."""

    definition: str
    level: str
    rises: bool
    """It is reached; else somebody who had it falls below it."""
    kind: str = "engagement"
    """Of the document that has the levels: engagement or stage."""
