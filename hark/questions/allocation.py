"""What campaigns that learn have learned, as a question: each variant's share in the next batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.history.reader import Snapshot
from hark.learn.aggregates import Sums
from hark.learn.allocate import next_shares
from hark.learn.comparison import comparison
from hark.learn.units import by_unit
from hark.model import JSON
from hark.questions.subjects import facts_of

if TYPE_CHECKING:
    from hark.questions.desk import Desk

DIGITS = 3
"""Places of a share: smaller changes make no new batch."""


class AllocationQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Of every campaign in force with `allocation: learn`."""


def allocation(desk: Desk, _asked: AllocationQuestion, snapshot: Snapshot) -> JSON:
    """{campaign: {"version", "shares": {variant: share}, "complete": {variant: customers}}}."""
    about, found = facts_of(desk, snapshot), {}
    for document in desk.state.documents():
        campaign = definition(document, desk.zone) if document.kind == "campaign" else None
        if isinstance(campaign, Campaign) and campaign.learns:
            units = by_unit(about(document), campaign.name, document.version)
            entries = units.entries(campaign.name).get(document.version)
            sums = comparison(units, campaign, entries, desk.clock.now()).sums
            arms = {one.name: sums.get(one.name, Sums()) for one in campaign.variants}
            found[campaign.name] = {
                "version": document.version,
                "shares": rounded(next_shares(arms)),
                "complete": {name: arm.subjects for name, arm in arms.items()},
            }
    return found


def rounded(shares: dict[str, float]) -> dict[str, float]:
    """The shares with few places, the largest taking what is left over."""
    most = max(shares, key=lambda name: shares[name])
    others = {name: round(share, DIGITS) for name, share in shares.items() if name != most}
    return {name: others.get(name, round(1 - sum(others.values()), DIGITS)) for name in shares}
