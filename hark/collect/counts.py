"""How many calls were accepted and refused, by source and reason: in memory, and kept by a `Store`.

Counted is what stands in the log (rows and the reject log) the moment it is on disk, and beside it the
refused requests that are not kept. A place in the log goes with every count that is kept, so that no call is
counted twice or left out, however the process ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from hark.clock import Clock
from hark.model import HOUR
from hark.store.contracts import Counted, CountKey, NewRow, Place, Reject

ACCEPTED = ""


class Store(Protocol):
    """Where counts are kept (`store.counts.CountStore`)."""

    def add(self, counted: Counted, place: Place) -> None: ...


class Counts:
    """Counters of the collect process, going on from what was kept; for its event loop's thread."""

    def __init__(self, clock: Clock, place: Place, totals: Mapping[CountKey, int]) -> None:
        self._clock = clock
        self._place = place
        self._totals: Counter[CountKey] = Counter(totals)
        self._new: Counter[tuple[str, int, str]] = Counter()

    def stored(self, rows: Sequence[NewRow], rejects: Sequence[Reject], seqs: Sequence[int]) -> None:
        """Rows and refused calls are on disk, in the order in which they stand there."""
        for row in rows:
            if row.calls:
                self._add(row.source, row.received_at // HOUR, ACCEPTED, row.calls)
        for reject in rejects:
            self._add(reject.source, reject.received_at // HOUR, reject.reason, 1)
        seq = seqs[-1] if seqs else self._place.seq
        self._place = Place(seq, self._place.reject + len(rejects))

    def refuse(self, source: str, reason: str) -> None:
        """A request was refused that the reject log does not hold."""
        self._add(source, self._clock.now() // HOUR, reason, 1)

    def found(self, counted: Counted) -> None:
        """What an earlier process left in the log without counting it."""
        for (source, hour, reason), calls in counted.items():
            self._add(source, hour, reason, calls)

    def _add(self, source: str, hour: int, reason: str, calls: int) -> None:
        self._totals[source, reason] += calls
        self._new[source, hour, reason] += calls

    def take(self) -> tuple[Counted, Place] | None:
        """What is new since the last `take`, and up to where; None: nothing."""
        if not self._new:
            return None
        taken, self._new = self._new, Counter()
        return taken, self._place

    def give_back(self, counted: Counted) -> None:
        """What was taken could not be kept: it is new still."""
        self._new.update(counted)

    @property
    def accepted(self) -> int:
        return sum(calls for (_, reason), calls in self._totals.items() if reason == ACCEPTED)

    @property
    def refused(self) -> int:
        return self._totals.total() - self.accepted

    def by_source(self) -> dict[str, dict[str, object]]:
        """{"web": {"accepted": 12, "refused": {"no_id": 1}}}, since the data directory was made."""
        names = {source for source, _ in self._totals}
        return {name: self._of(name) for name in sorted(names)}

    def _of(self, name: str) -> dict[str, object]:
        mine = {reason: calls for (source, reason), calls in self._totals.items() if source == name}
        return {"accepted": mine.pop(ACCEPTED, 0), "refused": mine}
