"""The library of hypotheses, as a question: all of them, those with some words, those like a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hark.definitions.beliefs import Hypothesis
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON
from hark.questions.subjects import reports_of

if TYPE_CHECKING:
    from hark.learn.library import Entry
    from hark.questions.desk import Desk


class HypothesesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`search`: only those with all these words. `like`: only those tested by campaigns like this one."""

    search: str = ""
    like: str = ""
    documents: list[JSON] = []
    """As of a back-test: they stand in for those in force, or beside them."""


def hypotheses(desk: Desk, asked: HypothesesQuestion, snapshot: Snapshot) -> JSON:
    """{"hypotheses": [`learn.library.Entry`]}, documents first. Raises HarkError `campaign.unknown`."""
    from hark.learn.library import library
    from hark.questions.backtest import in_force

    documents = in_force(desk.state.documents(), asked.documents)
    typed = [definition(one, desk.zone) for one in documents if one.kind in ("campaign", "hypothesis")]
    campaigns = {one.name: one for one in typed if isinstance(one, Campaign)}
    versions = {name: found for name in campaigns if (found := desk.state.versions("campaign", name))}
    known = reports_of(desk, snapshot, versions, desk.clock.now()) if versions else {}
    entries = library([one for one in typed if isinstance(one, Hypothesis)], campaigns, known)
    if asked.like:
        entries = like(campaigns, asked.like, entries)
    return {"hypotheses": [msgspec.to_builtins(one) for one in entries if one.matches(asked.search)]}


def like(campaigns: dict[str, Campaign], name: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with a test that is like the campaign, but not it, each with the reasons."""
    from hark.learn.library import alike

    if name not in campaigns:
        hint = f"there are: {', '.join(campaigns) or 'none'}"
        raise HarkError(f"no campaign {name}", hint, "campaign.unknown")
    found = []
    for one in entries:
        tests = [test.campaign for test in one.tests if test.campaign != name]
        reasons = dict.fromkeys(
            reason for test in tests for reason in alike(campaigns[name], campaigns[test])
        )
        if reasons:
            found.append(msgspec.structs.replace(one, because=tuple(reasons)))
    return found
