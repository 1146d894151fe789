"""What moving a campaign's live runs to another version would do, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hark.decide.reasons import STAYS, Stays
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON

if TYPE_CHECKING:
    from hark.decide.migration import Group
    from hark.questions.desk import Desk


class MigrationQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`to` None: the newest version. `steps`: the new ids of waits, by the old."""

    campaign: str
    to: int | None = None
    steps: dict[str, str] = {}


def migration(desk: Desk, asked: MigrationQuestion, _snapshot: Snapshot) -> JSON:
    """{"campaign", "to", "moves", "stays", "groups": [{"version", "variant", "step", "to_step", "why",
    "says", "runs", "at_once", "done"}]}: live runs that stand alike, counted.

    Raises HarkError `campaign.unknown`, `campaign.version`.
    """
    # Late: all that decides is loaded for it, as in the engine.
    from hark.decide.migration import preview
    from hark.engine.definitions import Definitions

    versions = [one.version for one in desk.state.versions("campaign", asked.campaign)]
    if not versions:
        raise HarkError(f"no campaign {asked.campaign}", "see `hark export`", "campaign.unknown")
    to = asked.to or versions[-1]
    if to not in versions:
        known = f"there are: {', '.join(map(str, versions))}"
        raise HarkError(f"{asked.campaign} has no version {to}", known, "campaign.version")
    plan = Definitions(desk.state.all_documents(), desk.zone).plan
    found = (desk.state.record(subject) for subject in desk.state.naming(asked.campaign))
    records = (record for record in found if record is not None)
    groups = preview(records, plan, asked.campaign, to, asked.steps, desk.clock.now())
    moves = sum(one.runs for one in groups if not one.why)
    stays = sum(one.runs for one in groups if one.why)
    counted: JSON = {"moves": moves, "stays": stays, "groups": [_said(one) for one in groups]}
    return {"campaign": asked.campaign, "to": to, **counted}


def _said(group: Group) -> JSON:
    says = STAYS[Stays(group.why)] if group.why else ""
    return {**msgspec.structs.asdict(group), "says": says}
