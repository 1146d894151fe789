"""What `control: auto` comes to when a campaign is applied: the share that its back-test proposes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from hark.definitions.parse import Parsed
from hark.definitions.plan import Change
from hark.definitions.rewrite import rewritten
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import ask


def with_controls(data: Path, wanted: Sequence[Parsed], changes: Sequence[Change]) -> list[Parsed]:
    """The documents, with `{auto: share}` in new and changed campaigns that left the share to the back-test.

    Where there is no history yet, or the back-test fails, auto stays auto, which is 20 %.
    """
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in wanted]
    new = {
        change.name for change in changes if change.kind == "campaign" and change.what in ("new", "changed")
    }
    return [_with_control(data, one, documents) if one.name in new else one for one in wanted]


def _with_control(data: Path, one: Parsed, documents: JSON) -> Parsed:
    campaign = one.definition
    if not isinstance(campaign, Campaign) or campaign.expects is None or not campaign.control_auto:
        return one
    if one.body.get("control", "auto") != "auto":
        return one
    for share in _proposed(data, one.name, documents):
        body = {**one.body, "control": {"auto": share}}
        return replace(one, body=body, text=rewritten(one.text, body) if one.text else "")
    return one


def _proposed(data: Path, campaign: str, documents: JSON) -> Iterator[float]:
    """The share, if the history tells one."""
    try:
        found = ask(data, {"backtest": {"campaign": campaign, "documents": documents}})
    except HarkError:
        return  # no history yet, or too long a one: the default is always right to start with
    if found["control"]["customers"] is not None:
        yield round(found["control"]["share"], 2)
