"""Where the runs of a campaign are now, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.decide.course import Course
from hark.decide.standing import TOLD, Said, Tally
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.history.watching import watching
from hark.model import JSON

if TYPE_CHECKING:
    from hark.questions.desk import Desk

PAGE = 1_000


class JourneyQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`version` None: the one in force."""

    campaign: str
    version: int | None = None


def journey(desk: Desk, asked: JourneyQuestion, snapshot: Snapshot) -> JSON:
    """`decide.standing.Journey` as plain data. Raises HarkError `campaign.unknown`."""
    versions = {one.version: one for one in desk.state.versions("campaign", asked.campaign)}
    document = versions.get(asked.version or max(versions, default=0))
    if document is None:
        what = f"no campaign {asked.campaign}" + (f", version {asked.version}" if asked.version else "")
        raise HarkError(what, "see `hark export`", "campaign.unknown")
    campaign = definition(document, desk.zone)
    assert isinstance(campaign, Campaign)
    tally = Tally(campaign.name, document.version, Course(campaign, document.version).steps)
    _records(desk, tally)
    _facts(snapshot.of_groups() if campaign.group else snapshot, tally)
    return msgspec.to_builtins(tally.result())


def _records(desk: Desk, tally: Tally) -> None:
    after: int | None = 0
    while after is not None:
        page = desk.state.records_naming(tally.campaign, after, PAGE)
        for record in page:
            tally.record(record)
        after = page[-1].subject if len(page) == PAGE else None
        watching.get().look_up()


def _facts(snapshot: Snapshot, tally: Tally) -> None:
    read = msgspec.json.Decoder(Said)
    for bucket in range(snapshot.buckets):
        watching.get().bucket(bucket, snapshot.buckets)
        for rows in snapshot.rows(bucket, ("subject", "name", "properties"), ("name",), _told):
            names = rows["name"].cast(pa.string()).to_pylist()
            for name, said in zip(names, rows["properties"].to_pylist(), strict=True):
                tally.fact(name, read.decode(said))


def _told(rows: pa.Table) -> pa.Array:
    return pc.is_in(rows["name"].cast(pa.string()), pa.array(TOLD, pa.string()))
