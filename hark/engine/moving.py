"""What the team does with runs on their way: moves them to another version, lets them stand still.

Each customer hears of it by an input of its own, so that its history says it, and a repeated tick repeats it.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hark.decide.migration import live
from hark.decide.plan import Plan
from hark.engine.folder import Folder
from hark.errors import HarkError
from hark.model import JSON, Command, Instant
from hark.store.contracts import Row
from hark.store.state import StateReader


class MigrateRow(Struct, frozen=True):
    """The command `migrate` (docs/architecture.md)."""

    campaign: str
    to: int
    steps: dict[str, str] = {}
    """The new ids of waits, by the old."""


class Moving:
    def __init__(self, reader: StateReader, folder: Folder) -> None:
        self._reader, self._folder = reader, folder

    def migrate(self, row: Row) -> None:
        """Moves the live runs of a campaign that can be moved. Raises HarkError `campaign.version` for a
        version that there is not."""
        asked = _migrate.decode(row.body)
        if self._folder.plan.owner(asked.campaign).course(asked.campaign, asked.to) is None:
            raise HarkError(f"{asked.campaign} has no version {asked.to}", id="campaign.version")
        self._tell(asked.campaign, row.received_at, "migrate", {"to": asked.to, "steps": asked.steps})

    def paused(self, before: Plan, at: Instant) -> None:
        """Lets runs stand still, or go on, where a campaign that keeps their timers was paused, or no longer
        is."""
        plan = self._folder.plan
        for name in sorted(name for one in plan.plans() for name in one.current):
            stood, stands = (one.owner(name).stands_still(name) for one in (before, plan))
            if stands != stood:
                self._tell(name, at, "stand" if stands else "go_on", {})

    def _tell(self, campaign: str, at: Instant, name: str, data: dict[str, JSON]) -> None:
        for subject in self._reader.naming(campaign):
            record = self._folder.records.get(subject).record
            if any(live(record, campaign)) or any(one.stands for one in record.sends):
                said = {"campaign": campaign, **data}
                self._folder.give(Command(subject, max(at, record.now), name, said))


_migrate = msgspec.json.Decoder(MigrateRow)
