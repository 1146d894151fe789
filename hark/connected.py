"""What is known of a data directory's sources, as commands and pages show it: settings, keys, counts."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from hark.collect.sources import Key, Source, read_sources
from hark.errors import HarkError
from hark.model import DAY, Instant
from hark.store.counts import read_totals
from hark.store.state import StateReader


class KeyView(Struct, frozen=True):
    """One key as it may be shown."""

    id: str
    secret: bool
    key: str
    """The key itself; "" for a secret one, of which only a hash is kept."""
    added_at: Instant
    expires_at: Instant | None
    good: bool


class SourceView(Struct, frozen=True):
    """One source; counts since the data directory was made."""

    name: str
    disabled: bool
    strict: bool
    protected: tuple[str, ...]
    origins: tuple[str, ...]
    body_bytes: int
    rate_per_s: float | None
    dedupe_days: float
    keys: tuple[KeyView, ...]
    accepted: int
    """Calls answered by 200 and written to the log, repetitions among them."""
    duplicate: int
    """Of these, repetitions of a messageId, which the engine drops."""
    refused: dict[str, int]
    """By reason."""

    @property
    def body_kb(self) -> int:
        return self.body_bytes // 1024

    @property
    def refused_total(self) -> int:
        return sum(self.refused.values())

    @property
    def write_key(self) -> str:
        """The newest write key that is good; "" if there is none."""
        good = [key.key for key in self.keys if key.good and not key.secret]
        return good[-1] if good else ""


def source_views(data: Path, now: Instant) -> list[SourceView]:
    """All sources, by name."""
    totals, repeated = read_totals(data / "log" / "counts.db"), duplicates(data)
    found = sorted(read_sources(data), key=lambda source: source.name)
    return [_view(source, totals, repeated.get(source.name, 0), now) for source in found]


def source_view(data: Path, name: str, now: Instant) -> SourceView:
    """One source. Raises HarkError `source.unknown`."""
    found = source_views(data, now)
    for one in found:
        if one.name == name:
            return one
    hint = f"there are: {', '.join(one.name for one in found)}" if found else "make one: hark source add web"
    raise HarkError(f"there is no source {name!r}", hint, "source.unknown")


def duplicates(data: Path) -> dict[str, int]:
    """Repeated calls by source; none before an engine has run."""
    try:
        return StateReader(data / "state.db").duplicates()
    except HarkError:
        return {}


def _view(source: Source, totals: dict[tuple[str, str], int], repeated: int, now: Instant) -> SourceView:
    mine = {reason: calls for (name, reason), calls in totals.items() if name == source.name}
    return SourceView(
        name=source.name,
        disabled=source.disabled,
        strict=source.strict,
        protected=source.protected,
        origins=source.origins,
        body_bytes=source.body_bytes,
        rate_per_s=source.rate_per_s,
        dedupe_days=source.dedupe_us / DAY,
        keys=tuple(_key(key, now) for key in source.keys),
        accepted=mine.pop("", 0),
        duplicate=repeated,
        refused=dict(sorted(mine.items())),
    )


def _key(key: Key, now: Instant) -> KeyView:
    shown = "" if key.secret else key.held
    return KeyView(key.id, key.secret, shown, key.added_at, key.expires_at, key.is_good(now))
