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


class Block(Struct, frozen=True):
    """One piece of a mail that is put together in forms."""

    kind: str
    """heading, text, image, button, products, snippet or line."""
    says: str = ""
    """Its words; of an image its file or address, of products the list, of a snippet its name."""
    to: str = ""
    """Where it leads."""
    alt: str = ""
    """What is said to whoever does not see an image."""
    most: int = 4
    """Products that are shown."""


class Brand(Struct, frozen=True, tag="brand"):
    """How mails of blocks look, and what stands at their foot."""

    name: str
    logo: str = ""
    """A file of the image library, or an https address."""
    logo_alt: str = ""
    site: str = ""
    """Where the logo leads."""
    accent: str = "#3355dd"
    background: str = "#f3f4f6"
    font: str = "system"
    address: str = ""
    """Who writes, and from where: many laws ask for it."""
