"""What a comparison may see of an arm: counts and sums that add up, never rows."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Sums(Struct, frozen=True):
    """An arm's complete first entries. The sums of two disjoint groups of subjects add up with `+`."""

    subjects: int = 0
    goals: int = 0
    """Subjects who reached the goal within the window."""
    value: float = 0.0
    """Sum over subjects of each one's value (the sum over its goal events in the window)."""
    value_squared: float = 0.0
    """Sum over subjects of the square of each one's value."""
    largest: float = 0.0
    """The largest value of one subject."""

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.subjects + other.subjects,
            self.goals + other.goals,
            self.value + other.value,
            self.value_squared + other.value_squared,
            max(self.largest, other.largest),
        )

    @property
    def rate(self) -> float | None:
        """Goals per subject; None without subjects."""
        return self.goals / self.subjects if self.subjects else None

    @property
    def mean(self) -> float | None:
        """Value per subject; None without subjects."""
        return self.value / self.subjects if self.subjects else None

    @property
    def variance(self) -> float | None:
        """The unbiased variance of the subjects' values; None under two subjects."""
        if self.subjects < 2:
            return None
        return max(self.value_squared - self.value**2 / self.subjects, 0.0) / (self.subjects - 1)


def total(parts: Iterable[Sums]) -> Sums:
    """The sums of all parts together."""
    return sum(parts, Sums())
