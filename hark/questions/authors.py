"""How good each author's forecasts were, as a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hark.definitions.document import Document
from hark.history.reader import Snapshot
from hark.model import JSON
from hark.questions.subjects import reports_of

if TYPE_CHECKING:
    from hark.learn.report import Report
    from hark.learn.scored import Forecast
    from hark.questions.desk import Desk


class AuthorsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Of all campaigns in force, each by the author of the version that its report is on."""


def authors(desk: Desk, _asked: AuthorsQuestion, snapshot: Snapshot) -> JSON:
    """[`learn.authors.Author`], the least far off first."""
    from hark.learn.authors import authors as scored

    versions = campaigns(desk)
    found = reports_of(desk, snapshot, versions, desk.clock.now())
    return msgspec.to_builtins(scored(forecasts(versions, found)))


def campaigns(desk: Desk) -> dict[str, list[Document]]:
    """By name, the versions of the campaigns in force."""
    names = [one.name for one in desk.state.documents() if one.kind == "campaign"]
    return {name: desk.state.versions("campaign", name) for name in names}


def forecasts(
    versions: Mapping[str, Sequence[Document]], found: Mapping[str, Report]
) -> Iterator[tuple[str, str, Forecast]]:
    """(author, campaign, forecast) of the campaigns whose verdict is known."""
    for name, report in found.items():
        author = next(one.author for one in versions[name] if one.version == report.version)
        if report.forecast is not None:
            yield author or "nobody named", name, report.forecast
