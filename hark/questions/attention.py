"""Time well spent, as a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hark.definitions.parse import definition
from hark.definitions.types import Campaign, Template
from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.questions.subjects import reports_of
from hark.speak.plain import LIQUID, plain

if TYPE_CHECKING:
    from hark.learn.attention import Message
    from hark.learn.compare import Interval
    from hark.learn.report import Report
    from hark.questions.desk import Desk


class AttentionQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: as of this instant; None: now."""

    at: Instant | None = None


def attention(desk: Desk, asked: AttentionQuestion, snapshot: Snapshot) -> JSON:
    """{"at", "messages": [`learn.attention.Message`], "content": [`learn.attention.Content`],
    "campaigns": [{"campaign", "minutes", "worth", "caused": null or `learn.attention.Caused`, "why"}]}."""
    from hark.learn import attention as learn

    now = desk.clock.now() if asked.at is None else asked.at
    everybody = whom(desk, snapshot)
    found = learn.messages(everybody, words(desk), now)
    return {
        "at": now,
        "messages": msgspec.to_builtins(found),
        "content": msgspec.to_builtins(learn.contents(everybody, now)),
        "campaigns": list(_campaigns(desk, snapshot, found, now)),
    }


def _campaigns(desk: Desk, snapshot: Snapshot, found: Sequence[Message], now: Instant) -> Iterator[JSON]:
    """What each campaign that wrote to somebody caused for a minute, the one with the most minutes first."""
    minutes: dict[str, float] = {}
    for one in found:
        minutes[one.campaign] = minutes.get(one.campaign, 0.0) + one.minutes
    versions = {name: desk.state.versions("campaign", name) for name in minutes if name}
    told = reports_of(desk, snapshot, {name: known for name, known in versions.items() if known}, now)
    for name, report in sorted(told.items(), key=lambda one: (-minutes[one[0]], one[0])):
        campaign = definition(versions[name][-1], desk.zone)
        assert isinstance(campaign, Campaign)
        yield {"campaign": name, "minutes": minutes[name], **_caused(report, campaign, minutes[name])}


def _caused(report: Report, campaign: Campaign, minutes: float) -> Mapping[str, JSON]:
    """What it brought about, or why nobody knows."""
    from hark.learn.attention import caused

    about: dict[str, JSON] = {"worth": campaign.worth, "caused": None, "why": ""}
    treated = sum(one.complete for one in report.arms if one.arm != "control")
    lift: Interval | None = report.always
    if lift is None or not treated:
        return about | {"why": "not known yet, or nobody was left alone"}
    return about | {"caused": msgspec.to_builtins(caused(lift, treated, campaign.worth, minutes))}


def words(desk: Desk) -> dict[str, int]:
    """By template in force, the words that a reader has before them."""
    typed = (definition(one, desk.zone) for one in desk.state.documents() if one.kind == "template")
    return {one.name: _words(one) for one in typed if isinstance(one, Template)}


def _words(template: Template) -> int:
    source = template.text or template.html or template.mjml or ""
    text = source if template.text else plain(source)
    return len(re.findall(r"\w+", LIQUID.sub("x", text)))
