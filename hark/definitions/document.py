"""A document as it is kept. Apart from the types of what documents say: who only hands documents on, such as
a reader of the state, needs nothing of the language.
"""

from __future__ import annotations

from msgspec import Struct

from hark.model import JSON, Instant


class Document(Struct, frozen=True):
    """One immutable version of one definition."""

    kind: str
    name: str
    version: int
    body: JSON
    """What was written, as plain data in the order of the document; `parse.definition` types it."""
    author: str = ""
    note: str = ""
    applied_at: Instant = 0
    text: str = ""
    """The YAML as somebody wrote it, comments and all, which says exactly `body`; "" where there is none."""
