"""The catalogue, as questions: what became of each item, and which pages are read and in no document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hark.definitions.content_drafts import drafts
from hark.definitions.contents import Content
from hark.definitions.levels import Stage
from hark.definitions.parse import definition
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.questions.segments import in_force

if TYPE_CHECKING:
    from hark.questions.desk import Desk


class ContentQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: as of this instant; None: now."""

    at: Instant | None = None


def content(desk: Desk, asked: ContentQuestion, snapshot: Snapshot) -> JSON:
    """{"at", "items", "formats", "stages", "unlisted"}: `learn.contents.Contents`."""
    from hark.learn.contents import contents

    now = desk.clock.now() if asked.at is None else asked.at
    return {
        "at": now,
        **msgspec.to_builtins(contents(whom(desk, snapshot), catalogue(desk), stages(desk), now)),
    }


class PagesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Pages that are read and in no document."""

    opened: bool = False
    """Also those that were only opened."""
    most: int = 100
    at: Instant | None = None


def pages(desk: Desk, asked: PagesQuestion, snapshot: Snapshot) -> JSON:
    """{"at", "pages": [`learn.pages.Page` and "draft": a content document as YAML; "" where its address is
    not known]}. Raises HarkError `question.wrong`."""
    from hark.learn.pages import pages as seen

    if not 1 <= asked.most <= MOST_PAGES:
        raise HarkError(f"{asked.most} pages", f"ask for 1 to {MOST_PAGES}", "question.wrong")
    now, known = desk.clock.now() if asked.at is None else asked.at, catalogue(desk)
    found = seen(whom(desk, snapshot), known.values(), stages(desk), now, asked.opened, asked.most)
    told = zip(msgspec.to_builtins(found), drafts(found, known), strict=True)
    return {"at": now, "pages": [page | {"draft": draft} for page, draft in told]}


MOST_PAGES = 1_000


def catalogue(desk: Desk) -> dict[str, Content]:
    """The items in force, by name."""
    typed = (definition(one, desk.zone) for one in desk.state.documents() if one.kind == "content")
    return {one.name: one for one in typed if isinstance(one, Content)}


def stages(desk: Desk) -> Stage:
    """The stages in force, with what their conditions name."""
    return next(one for one in in_force(desk) if isinstance(one, Stage))
