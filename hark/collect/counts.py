"""How many calls were accepted and refused, by source and reason, since the process began."""

from __future__ import annotations

from collections import Counter


class Counts:
    """Counters of one collect process; a refused request counts as one call."""

    def __init__(self) -> None:
        self.accepted_by: Counter[str] = Counter()
        self.refused_by: Counter[tuple[str, str]] = Counter()

    def accept(self, source: str, calls: int) -> None:
        self.accepted_by[source] += calls

    def refuse(self, source: str, reason: str, calls: int = 1) -> None:
        """`source` is "" where the key did not say."""
        self.refused_by[source, reason] += calls

    @property
    def accepted(self) -> int:
        return self.accepted_by.total()

    @property
    def refused(self) -> int:
        return self.refused_by.total()

    def by_source(self) -> dict[str, dict[str, object]]:
        """{"web": {"accepted": 12, "refused": {"no_id": 1}}}"""
        names = {*self.accepted_by, *(source for source, _ in self.refused_by)}
        return {name: {"accepted": self.accepted_by[name], "refused": self._reasons(name)} for name in names}

    def _reasons(self, name: str) -> dict[str, int]:
        return {reason: count for (source, reason), count in self.refused_by.items() if source == name}
