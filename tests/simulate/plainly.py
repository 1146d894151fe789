"""What the reference reads and reckons with: spans, hashes, local times, conditions. Nothing here decides."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)


@lru_cache
def span(text: str) -> int:
    """Microseconds of "3d"."""
    return int(text[:-1]) * UNITS[text[-1]] * 1_000_000


def share(text: str) -> float:
    """0.2 of "20%"; none is nobody."""
    return 0.0 if text == "none" else float(text.rstrip("%")) / 100


def moment(text: str | None, otherwise: int) -> int:
    """The instant of an ISO text with a zone; of a date its first in UTC."""
    if text is None:
        return otherwise
    found = datetime.fromisoformat(text)
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - EPOCH) // US


def taken(u: float, weights: Mapping[str, float]) -> tuple[str, float]:
    """(name, its share) of the part of [0, 1) in which u lies, in the order written."""
    total = sum(weights.values())
    end = 0.0
    for name, weight in weights.items():
        end += weight
        if u < end / total:
            return name, weight / total
    return name, weight / total


def ceil_ms(at: int) -> int:
    return (at + 999) // 1000 * 1000


def hashed(salt: str, key: str) -> float:
    """u in [0, 1) as docs/decide.md gives it: the first 53 bits of 64-bit BLAKE2b, keyed by the salt."""
    return (
        int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, key=salt.encode()).digest()) >> 11
    ) / 2**53


def derived(*parts: object) -> str:
    """The id that follows from these parts."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def local(at: int, zone: str) -> datetime:
    return (EPOCH + at * US).astimezone(ZoneInfo(zone))


def at_local(after: int, clock: str, zone: str, days: object = None) -> int:
    """The first moment after `after` at which clocks in the zone show that time, on one of these days."""
    day = local(after, zone).date()
    while True:
        moment = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))
        found = (moment.astimezone(UTC) - EPOCH) // US
        if found > after and (not days or day.strftime("%a").lower() in days):  # type: ignore[operator]
            return found
        day += timedelta(days=1)


def quiet_end(hours: Mapping[str, str] | None, at: int, customers: str) -> int | None:
    """The end of the quiet hours that a moment lies in, None outside them: from, and not to."""
    if hours is None:
        return None
    zone = (customers if hours["zone"] == "customer" else hours["zone"]) or hours["fallback_zone"]
    shown = local(at, zone).strftime("%H:%M")
    start, end = hours["from"], hours["to"]
    inside = start <= shown < end if start <= end else not end <= shown < start
    return at_local(at, end, zone) if inside else None


def fits(where: Mapping[str, Any] | None, says: Mapping[str, Any]) -> bool:
    """Whether the properties pass: equal, or `gte`."""
    return all(_passes(says.get(name), asked) for name, asked in (where or {}).items())


def _passes(value: Any, asked: Any) -> bool:
    if isinstance(asked, dict):
        return isinstance(value, int | float) and value >= asked["gte"]
    return bool(value == asked)
