"""A row's columns as a track call, by a mapping that the importing person gives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from hark.clock import derived_id, instant, moment
from hark.errors import HarkError
from hark.model import JSON, SECOND

Values: TypeAlias = dict[str, Any]

MILLISECONDS_FROM = 100_000_000_000
"""A number this large counts milliseconds: as seconds it would be in the year 5138."""


class UnusableError(Exception):
    """Why a row can't become a call."""


class Mapping(Struct, frozen=True):
    """Which column is what. `event` names a column, `event_name` one name for all rows."""

    customer: str
    at: str
    event: str | None = None
    event_name: str | None = None
    traits: tuple[str, ...] = ()
    zone: str = "UTC"
    """Read times without a zone in this one."""
    id: str | None = None
    """The column with the message id; else it is made of file and row."""

    def check(self, have: Iterable[str]) -> None:
        """HarkError `import.column` for a column that the file does not have."""
        given = (self.customer, self.at, self.event, self.id, *self.traits)
        missing = [column for column in given if column and column not in have]
        if missing:
            hint = f"its columns are {', '.join(sorted(have))}"
            message = f"the file has no column {missing[0]}; nothing was imported"
            raise HarkError(message, hint=hint, id="import.column")

    def call(self, values: Values, file: str, line: int) -> JSON:
        """A row as a track call. Raises UnusableError."""
        customer, event = values.get(self.customer), self.event_name or values.get(self.event or "")
        if customer in (None, ""):
            raise UnusableError(f"no customer in {self.customer}")
        if event in (None, ""):
            raise UnusableError(f"no event in {self.event}")
        at = instant_of(values.get(self.at), self.zone)
        if at is None:
            raise UnusableError(f"no time in {self.at}: {values.get(self.at)!r}")
        taken = {self.customer, self.at, self.event, self.id, *self.traits}
        said = {key: plain(value) for key, value in values.items() if value is not None}
        traits = {key: said[key] for key in self.traits if key in said}
        given = values.get(self.id) if self.id else None
        return {
            "type": "track",
            "userId": id_text(customer),
            "event": str(event),
            "timestamp": iso(at),
            "messageId": derived_id(file, line) if given in (None, "") else id_text(given),
            "properties": {
                key: plain(values[key]) for key in values if key not in taken and values[key] is not None
            },
        } | ({"context": {"traits": traits}} if traits else {})


def iso(at: int) -> str:
    """An instant as text."""
    return moment(at).isoformat().replace("+00:00", "Z")


def plain(value: Any) -> JSON:
    """A value of a column as JSON has it: decimals as numbers, bytes as text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def id_text(value: Any) -> str:
    """Ids that a file holds as 17850.0 were whole numbers before a spreadsheet met a missing one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def instant_of(value: Any, zone: str) -> int | None:
    """An instant from what a column holds: time, date, ISO text, seconds or milliseconds since 1970.

    A whole number of eight digits is a date (20260301): as seconds it would be a day of 1970.
    """
    try:
        if isinstance(value, int) and 19_000_101 <= value <= 21_001_231:
            value = str(value)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return round((value / 1_000 if value >= MILLISECONDS_FROM else value) * SECOND)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None
