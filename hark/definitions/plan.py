"""What applying documents would change, the command that applies them, and the way back to YAML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from hark.definitions import yaml
from hark.definitions.document import Document
from hark.definitions.documents import KINDS
from hark.definitions.parse import Parsed
from hark.definitions.rewrite import rewritten
from hark.model import JSON


class Change(Struct, frozen=True):
    """What becomes of one document if it is applied."""

    what: Literal["new", "changed", "worded", "same"]
    """worded: it says the same in other words, such as a comment more; that makes no version."""
    kind: str
    name: str
    version: int
    """The version it is then in force as."""
    keys: tuple[str, ...] = ()
    """Its keys that differ from the version in force, in the order of the text; for "changed"."""


def plan(current: Iterable[Document], wanted: Iterable[Parsed]) -> list[Change]:
    """What applying `wanted` to the newest versions `current` would change, in the order of `wanted`."""
    newest = {(document.kind, document.name): document for document in current}
    return [_change(newest.get((one.kind, one.name)), one) for one in wanted]


def _change(old: Document | None, wanted: Parsed) -> Change:
    if old is None:
        return Change("new", wanted.kind, wanted.name, 1)
    body = as_kept(old.body, wanted.body)
    keys = tuple(
        key
        for key in dict.fromkeys([*old.body, *body])
        if key not in old.body or key not in body or old.body[key] != body[key]
    )
    if not keys:
        text = as_worded(old.body, wanted.body, wanted.text)
        worded = bool(text) and text != text_of(old)
        return Change("worded" if worded else "same", wanted.kind, wanted.name, old.version)
    return Change("changed", wanted.kind, wanted.name, old.version + 1, keys)


def as_kept(old: JSON, wanted: JSON) -> JSON:
    """The body wanted, but with what `control: auto` came to in the version in force: who writes auto again
    changes nothing by it."""
    kept = old.get("control")
    if isinstance(kept, dict) and wanted.get("control", "auto") == "auto":
        return {**wanted, "control": kept}
    return wanted


def command(wanted: Sequence[Parsed], author: str = "", note: str = "") -> dict[str, JSON]:
    """The body of the log's `define` command that puts these documents into force."""
    documents = [
        {"kind": one.kind, "name": one.name, "body": one.body, **({"text": one.text} if one.text else {})}
        for one in wanted
    ]
    return {"name": "define", "documents": documents, "author": author, "note": note}


def export(documents: Iterable[Document]) -> str:
    """The documents as YAML that `parse` reads back to the same bodies, by kind and name; each as it was
    written, where that is known."""
    order = list(KINDS)
    ordered = sorted(documents, key=lambda document: (order.index(document.kind), document.name))
    return "---\n".join(text_of(document) for document in ordered)


def as_worded(old: JSON, wanted: JSON, text: str) -> str:
    """The text wanted, where it says the same as the version in force: with what that keeps (`as_kept`)."""
    kept = as_kept(old, wanted)
    return text if kept is wanted or not text else rewritten(text, kept)


def text_of(document: Document) -> str:
    """The document as it was written, or else written out."""
    return document.text or yaml.write([document.body])
