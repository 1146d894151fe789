"""What engagement means here: levels from weak to strong, each a condition with patience."""

from __future__ import annotations

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


class Engagement(Struct, frozen=True, tag="engagement"):
    """The levels, the weakest first."""

    name: str
    levels: tuple[Level, ...]
    ladder: bool = True
    """A level counts only if those below it are met."""
    says: str = ""

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
        """The level after this one; None after the strongest."""
        place = self.names.index(name) + 1
        return self.names[place] if place < len(self.names) else None


class Reaching(Struct, frozen=True):
    """A change of level that starts a campaign."""

    definition: str
    level: str
    rises: bool
    """It is reached; else somebody who had it falls below it."""
