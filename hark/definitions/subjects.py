"""Whom a document is about: customers, or groups of a type."""

from __future__ import annotations

from hark.definitions.document import Document
from hark.definitions.shapes import NAME, Choice, Either, Mapped, Record, Shape

SUBJECT: Shape[str] = Either(
    Mapped(Choice(("customer",)), lambda *_: ""),
    Record("subject", {"group": NAME}, lambda values, _n, _r: values["group"], required=("group",)),
)
"""`customer` is ""; `{group: account}` is the type."""


def group_of(document: Document) -> str:
    """The type of the groups that a document in force is about; "" for customers."""
    said = document.body.get("subject")
    return str(said["group"]) if isinstance(said, dict) else ""
