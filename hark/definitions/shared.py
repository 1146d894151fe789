"""What several templates share, typed."""

from __future__ import annotations

from msgspec import Struct


class Layout(Struct, frozen=True, tag="layout"):
    """What stands around messages, with one place for each of them, in the forms that are needed."""

    name: str
    mjml: str | None = None
    html: str | None = None
    text: str | None = None


class Snippet(Struct, frozen=True, tag="snippet"):
    """A piece that several templates use."""

    name: str
    mjml: str | None = None
    html: str | None = None
    text: str | None = None
