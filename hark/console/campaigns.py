"""What the console says of a campaign in one line, on Home and in the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from django.conf import settings
from msgspec import Struct

from hark.console.source import Source
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.learn.report import Report
from hark.model import Instant


class CampaignLine(Struct, frozen=True):
    """One campaign among others."""

    name: str
    version: int
    state: str
    """As `state_of` says."""
    hypothesis: str
    control: float
    """Share left alone, 0..1."""
    control_why: str
    transactional: bool
    standing: str
    """What may be concluded now, in one sentence."""
    word: str
    """The verdict in a word; "" while there is no report."""
    believed: bool | None
    """Whether it is found beside all the others (`Report.believed`)."""
    entered: int


def lines(here: Source) -> Iterator[CampaignLine]:
    """All campaigns, live ones first."""
    found = [one for one in here.state.documents() if one.kind == "campaign"]
    told = all_told(here) if found else {}
    made = [_line(here, document, typed(document), told) for document in found]
    yield from sorted(made, key=lambda one: (one.state != "live", one.name))


def typed(document: Document) -> Campaign:
    """The campaign in a document."""
    found = definition(document, settings.HARK_ZONE)
    assert isinstance(found, Campaign)
    return found


def _line(
    here: Source, document: Document, campaign: Campaign, told: Mapping[str, Report] | HarkError
) -> CampaignLine:
    report = told if isinstance(told, HarkError) else told.get(campaign.name, _UNTOLD)
    return CampaignLine(
        name=campaign.name,
        version=document.version,
        state=state_of(here, document),
        hypothesis=" ".join(campaign.hypothesis.split()),
        control=campaign.control,
        control_why=campaign.control_why,
        transactional=campaign.transactional,
        standing=standing(report) if isinstance(report, Report) else str(report),
        word=report.verdict.word if isinstance(report, Report) else "",
        believed=report.believed if isinstance(report, Report) else None,
        entered=sum(arm.entered for arm in report.arms) if isinstance(report, Report) else 0,
    )


def all_told(here: Source) -> Mapping[str, Report] | HarkError:
    """By campaign, its report, or why there are none."""
    try:
        return msgspec.convert(here.ask({"reports": {}}), dict[str, Report])
    except HarkError as error:
        return error


_UNTOLD = HarkError("its report is not made yet", "look again in a moment", "report.waiting")
"""Of a campaign that came while the others' reports were made."""


def told(here: Source, name: str, version: int | None = None, by_segment: bool = False) -> Report | HarkError:
    """The report of a campaign, or why there is none."""
    try:
        found = here.ask({"report": {"campaign": name, "version": version, "by_segment": by_segment}})
    except HarkError as error:
        return error
    return msgspec.convert(found, Report)


def standing(report: Report) -> str:
    """The verdict in a sentence."""
    return report.sentences[0]


def state_of(here: Source, document: Document) -> str:
    """draft (no version was ever without `paused`), or as `state`."""
    found = state(typed(document), here.now())
    if found != "paused":
        return found
    versions = here.state.versions("campaign", document.name)
    return "draft" if all(typed(one).paused for one in versions) else found


def state(campaign: Campaign, now: Instant) -> str:
    """live, rehearsal, paused, planned (its dates are to come) or ended."""
    if campaign.paused:
        return "paused"
    if campaign.rehearsal and (campaign.ends is None or now < campaign.ends):
        return "rehearsal"
    if campaign.starts is not None and now < campaign.starts:
        return "planned"
    return "ended" if campaign.ends is not None and now >= campaign.ends else "live"
