"""What each campaign was found to change, as a question: by it messages that want one customer are ranked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.history.reader import Snapshot
from hark.learn.comparison import comparison
from hark.learn.effects import LEAST, Arms, effects
from hark.learn.facts import Facts
from hark.learn.units import by_unit
from hark.model import JSON
from hark.questions.subjects import facts_of

if TYPE_CHECKING:
    from hark.questions.desk import Desk

DIGITS = 4
"""Places of an effect: smaller changes make no new version."""
LEAST_SPREAD = 0.0001


class EffectsQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Of every campaign in force that leaves some people alone."""


def learned(desk: Desk, _asked: EffectsQuestion, snapshot: Snapshot) -> JSON:
    """{campaign: {"of": version, "mean", "spread", "worth", "treated", "control"}}: the posterior of its lift
    of the goal rate, by complete windows of the newest version that has enough of them."""
    told_of, found, about = facts_of(desk, snapshot), {}, {}
    for document in desk.state.documents():
        for version, campaign, arms in _newest(desk, told_of(document), document):
            found[document.name] = arms
            sizes = {"treated": arms.treated.subjects, "control": arms.control.subjects}
            about[document.name] = {"of": version, "worth": campaign.worth, **sizes}
    return {
        name: {
            **about[name],
            "mean": round(one.mean, DIGITS),
            "spread": max(LEAST_SPREAD, round(one.spread, DIGITS)),
        }
        for name, one in effects(found).items()
    }


def _newest(desk: Desk, facts: Facts, document: Document) -> Iterator[tuple[int, Campaign, Arms]]:
    """The newest version with enough complete windows in both arms, if there is one."""
    if document.kind != "campaign":
        return
    entries = facts.entries(document.name)
    for one in sorted(desk.state.versions("campaign", document.name), key=lambda one: -one.version):
        campaign = definition(one, desk.zone)
        if isinstance(campaign, Campaign) and campaign.goal and one.version in entries:
            units = by_unit(facts, campaign.name, one.version)
            mine = units.entries(campaign.name)[one.version]
            made = comparison(units, campaign, mine, desk.clock.now())
            arms = Arms(made.treated, made.control)
            if min(arm.subjects for arm in arms) >= LEAST:
                yield one.version, campaign, arms
                return
