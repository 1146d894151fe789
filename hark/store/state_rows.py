"""Rows of `state.db` as typed values."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from hark.definitions.document import Document
from hark.store.contracts import OutboxRow

SQLRow: TypeAlias = tuple[Any, ...]

OUTBOX = """SELECT message, subject, campaign, run, template, channel, state, due_at, updated_at, content,
detail FROM outbox"""
DOCUMENTS = """SELECT kind, name, version, body, author, note, applied_at, coalesce(text, '')
    FROM documents AS d LEFT JOIN texts USING (kind, name, version)"""


def outbox_row(row: SQLRow) -> OutboxRow:
    """From the columns of OUTBOX."""
    message, subject, campaign, run, template, channel, state, due_at, updated_at, content, detail = row
    return OutboxRow(
        *(message, subject, campaign, run, template, channel, state, due_at, updated_at),
        content=msgspec.json.decode(content),
        detail=detail,
    )


def document(row: SQLRow) -> Document:
    """From the columns of DOCUMENTS."""
    kind, name, version, body, author, note, applied_at, text = row
    return Document(kind, name, version, msgspec.json.decode(body), author, note, applied_at, text)
