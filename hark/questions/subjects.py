"""Whose histories campaigns are asked about: those of customers, or of groups of a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from hark.definitions.document import Document
from hark.definitions.subjects import group_of
from hark.history.reader import Snapshot
from hark.learn.facts import Facts
from hark.model import Instant
from hark.questions.behaviour import whom

if TYPE_CHECKING:
    from hark.learn.report import Report
    from hark.questions.desk import Desk


def facts_of(desk: Desk, snapshot: Snapshot) -> Callable[[Document], Facts]:
    """What Hark wrote of the campaigns of whom a campaign is about, read once for each kind of subject."""

    @cache
    def facts(group: str) -> Facts:
        return Facts(whom(desk, snapshot, group))

    return lambda document: facts(group_of(document))


def reports_of(
    desk: Desk, snapshot: Snapshot, campaigns: Mapping[str, Sequence[Document]], now: Instant
) -> dict[str, Report]:
    """The reports of these campaigns (by name their versions) beside each other, whomever each is about."""
    from hark.learn.report import reports

    newest: Iterable[Document] = (versions[-1] for versions in campaigns.values())
    groups = {kind: whom(desk, snapshot, kind) for kind in {group_of(one) for one in newest} - {""}}
    return reports(whom(desk, snapshot), campaigns, now, desk.zone, groups)
