"""Which calls are repetitions: message ids by source, each remembered for as long as its source says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

from hark.collect.sources import read_sources
from hark.errors import HarkError
from hark.history.dedupe import LONGEST, Dedupe, fingerprint
from hark.model import DAY, Instant


class Repeats:
    """`Dedupe` with the spans of the sources in DIR/log/sources.json, read again when that file changes."""

    def __init__(self, dedupe: Dedupe, data: Path) -> None:
        self._dedupe, self._data = dedupe, data
        self._spans: dict[str, int] = {}
        self._read_at = 0

    def fresh(self, ids: Sequence[tuple[str, str]], arrived: Instant) -> list[bool]:
        """For each (source, message id) whether it is seen for the first time."""
        self._refresh()
        spans = {source: self._spans.get(source, DAY) for source in {source for source, _ in ids}}
        different = sorted(set(spans.values()))
        if len(different) == 1:
            return self._dedupe.fresh(list(starmap(fingerprint, ids)), arrived, different[0])
        answer = [True] * len(ids)
        for span in different:
            places = [place for place, (source, _) in enumerate(ids) if spans[source] == span]
            fresh = self._dedupe.fresh([fingerprint(*ids[place]) for place in places], arrived, span)
            for place, new in zip(places, fresh, strict=True):
                answer[place] = new
        return answer

    def _refresh(self) -> None:
        """A file that can't be read leaves the spans as they are: collect complains about it."""
        try:
            changed_at = (self._data / "log" / "sources.json").stat().st_mtime_ns
            if changed_at != self._read_at:
                self._spans = {one.name: _bounded(one.dedupe_us) for one in read_sources(self._data)}
                self._read_at = changed_at
        except (OSError, HarkError):
            return


def _bounded(span_us: int) -> int:
    return max(DAY, min(LONGEST, span_us))
