"""What pages ask of the outbox: messages that fit, and how they fared by the recipients' domains."""

from __future__ import annotations

import apsw
from msgspec import Struct

from hark.model import Instant
from hark.store.contracts import OutboxRow
from hark.store.state_rows import outbox_row

NEWEST = 200_000
"""Messages that are looked at for a sum, the newest: a page must not read a year's mail."""
_COLUMNS = "message, subject, campaign, run, template, channel, state, due_at, updated_at, content, detail"

_TO = "json_extract(CAST(content AS TEXT), '$.to')"
_DUE = "json_extract(CAST(content AS TEXT), '$.due_by')"


class OutboxSearch(Struct, frozen=True):
    """Which messages; "" for any."""

    state: str = ""
    channel: str = ""
    campaign: str = ""
    text: str = ""
    """In the recipient's address, the template's name or what the provider said; or the message's id."""
    before: int | None = None
    """Only those with a lower number."""


class Fared(Struct, frozen=True):
    """What became of the messages to one domain."""

    domain: str
    sent: int
    """All that a provider took, whatever came of them."""
    delivered: int
    bounced: int
    complained: int
    failed: int
    unknown: int


class OutboxRead:
    """A part of `StateReader`."""

    @property
    def _db(self) -> apsw.Connection:
        raise NotImplementedError

    def find_messages(self, asked: OutboxSearch, limit: int = 100) -> list[tuple[int, OutboxRow]]:
        """(number, message), the newest first."""
        find = f"""SELECT number, {_COLUMNS} FROM outbox WHERE (?1 = '' OR state = ?1)
            AND (?2 = '' OR channel = ?2) AND (?3 = '' OR campaign = ?3)
            AND (?4 = '' OR message = ?4 OR instr(lower(template), ?4)
            OR instr(lower(ifnull({_TO}, '')), ?4) OR instr(lower(detail), ?4))
            AND (?5 IS NULL OR number < ?5) ORDER BY number DESC LIMIT ?6"""
        given = (asked.state, asked.channel, asked.campaign, asked.text.lower(), asked.before, limit)
        return [(row[0], outbox_row(row[1:])) for row in self._db.execute(find, given)]

    def tasks(self, assignee: str = "", limit: int = 100) -> list[OutboxRow]:
        """What people of the team have not ended yet, of one of them or ("") all: the soonest due first,
        then, the oldest first, what may take its time."""
        find = f"""SELECT {_COLUMNS} FROM outbox WHERE channel = 'task' AND state = 'sent'
            AND (?1 = '' OR json_extract(CAST(content AS TEXT), '$.assignee') = ?1)
            ORDER BY {_DUE} IS NULL, {_DUE}, number LIMIT ?2"""
        return [outbox_row(row) for row in self._db.execute(find, (assignee, limit))]

    def inbox(self, subject: int, limit: int) -> list[OutboxRow]:
        """A customer's messages in the app that were handed over, the newest first."""
        find = f"""SELECT {_COLUMNS} FROM outbox WHERE subject = ? AND channel = 'in_app'
            AND state IN ('sent', 'delivered') ORDER BY number DESC LIMIT ?"""
        return [outbox_row(row) for row in self._db.execute(find, (subject, limit))]

    def fared(self, since: Instant, limit: int = 30) -> list[Fared]:
        """By domain, mail since a moment, among the newest messages; the domains with the most first."""
        find = f"""SELECT lower(substr(address, instr(address, '@') + 1)) AS domain,
            sum(state IN ('sent', 'delivered', 'bounced', 'complained')), sum(state = 'delivered'),
            sum(state = 'bounced'), sum(state = 'complained'), sum(state = 'failed'), sum(state = 'unknown')
            FROM (SELECT {_TO} AS address, state FROM outbox WHERE channel = 'email' AND updated_at >= ?
                  AND state NOT IN ('wanted', 'sending', 'withheld')
                  ORDER BY number DESC LIMIT {NEWEST})
            WHERE instr(address, '@') GROUP BY domain ORDER BY count(*) DESC, domain LIMIT ?"""
        return [Fared(*row) for row in self._db.execute(find, (since, limit))]

    def came_back(self, since: Instant, limit: int = 50) -> list[OutboxRow]:
        """Messages that failed, bounced or were complained about since a moment, the newest first."""
        find = f"""SELECT {_COLUMNS} FROM outbox WHERE state IN ('failed', 'bounced', 'complained')
            AND updated_at >= ? ORDER BY number DESC LIMIT ?"""
        return [outbox_row(row) for row in self._db.execute(find, (since, limit))]
