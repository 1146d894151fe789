"""Questions about segments: who is inside, was, would be; how large, what two share, what an edit changes.

A segment is named, or is the `where` of a document that nobody has saved yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from hark.definitions.asked import Period
from hark.definitions.conditions import read_condition
from hark.definitions.parse import definition
from hark.definitions.resolve import resolved
from hark.definitions.stages import with_stages
from hark.definitions.subject_check import refuse_senseless, who
from hark.definitions.types import Definition, Policy, Segment
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.left_alone import LeftAlone
from hark.understand.periods import begins, days_between, label
from hark.understand.segments import Members, both, groups_at, only, segment_at

if TYPE_CHECKING:
    from hark.questions.desk import Desk

MOST_SIZES = 400
MOST_MEMBERS = 100_000


class SegmentQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is in the segment at an instant; None: now."""

    name: str
    at: Instant | None = None


class PreviewQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who would be in a segment with this condition."""

    where: JSON
    at: Instant | None = None
    group: str = ""
    """The type of the groups it would be of; "": of customers."""


class MembersQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """The members one by one, in the order of their numbers, a page at a time."""

    name: str
    at: Instant | None = None
    after: int = 0
    """Members with larger numbers only."""
    limit: int = 10_000
    campaigns: list[str] = []
    """For whose sake the list is made: whom they leave alone is not on it."""
    controls: bool = False
    """Those left alone are on it all the same."""


class SizesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """How large a segment was at the end of each period."""

    name: str
    period: Period = "week"
    since: Instant | None = None
    """None: thirty periods before `until`."""
    until: Instant | None = None


class OverlapQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is in both of two segments."""

    one: str
    other: str
    at: Instant | None = None


class EditQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who would come and who would go, if the segment, or a campaign's audience, had this condition."""

    name: str
    where: JSON
    at: Instant | None = None
    was: JSON = None
    """The condition of an audience as it is; None: that of the segment in force."""
    group: str = ""
    """Of an audience of groups: their type."""


def segment(desk: Desk, asked: SegmentQuestion, snapshot: Snapshot) -> JSON:
    """{"count", "sample": [ids], "sentence", and "group" for a segment of groups: their type}; a sample is up
    to 20, the same ones each time. As of now also "filling": {"done", "of"}, as long as the past of a new or
    changed segment is being filled in: buckets of the history, each a share of all customers."""
    found = named(desk, asked.name)
    filling = desk.state.filling(found.name) if asked.at is None else None
    told = {"filling": msgspec.to_builtins(filling)} if filling else {}
    return {**_counted(desk, found, _members(desk, snapshot, found, asked.at)), **told}


def preview(desk: Desk, asked: PreviewQuestion, snapshot: Snapshot) -> JSON:
    """As `segment`, and "customers": all that there are, for the share."""
    wanted = written(desk, "", asked.where, asked.group)
    members = _members(desk, snapshot, wanted, asked.at)
    return {**_counted(desk, wanted, members), "customers": everybody(desk, asked.group)}


def listed(desk: Desk, asked: MembersQuestion, snapshot: Snapshot) -> JSON:
    """{"count", "members": [{"subject", "customer"}], "next": `after` of the next page, or null, "left_out":
    {"global_control": 2, "come_back": 7}}.

    Left out are those whom the global control, these campaigns, or the ones that entering the segment starts,
    leave alone. Of a segment of groups "customer" is the group ("account:acme").
    """
    if not 1 <= asked.limit <= MOST_MEMBERS:
        raise HarkError(f"{asked.limit} members", f"ask for 1 to {MOST_MEMBERS:,}", "question.wrong")
    from hark.questions.kinds import known_as

    found = named(desk, asked.name)
    members = _members(desk, snapshot, found, asked.at)
    page = members.after(asked.after, asked.limit)
    more = len(page) == asked.limit and page[-1] < members.last
    alone = {} if asked.controls or found.group else LeftAlone(desk, asked.campaigns, asked.name).among(page)
    lines = [{"subject": one, "customer": known_as(desk.state, one)} for one in page if one not in alone]
    following = page[-1] if more else None
    left_out = dict(Counter(alone.values()))
    return {"count": members.count, "members": lines, "next": following, "left_out": left_out}


def sizes(desk: Desk, asked: SizesQuestion, snapshot: Snapshot) -> JSON:
    """{"sizes": [{"period", "at", "count"}]}: at the end of each period, the last one as of now."""
    found, now = named(desk, asked.name), desk.clock.now()
    until = min(now, asked.until or now)
    span = {"day": 1, "week": 7, "month": 30}[asked.period] * 86_400_000_000
    since = until - 29 * span if asked.since is None else asked.since
    days = days_between(since, until, asked.period, desk.zone) if since <= until else []
    if not 1 <= len(days) <= MOST_SIZES:
        raise HarkError(f"{len(days)} periods", f"ask for 1 to {MOST_SIZES}", "question.wrong")
    ends = [*(begins(day, desk.zone) - 1 for day in days[1:]), until]
    counts = [_members(desk, snapshot, found, end).count for end in ends]
    rows = zip(days, ends, counts, strict=True)
    return {"sizes": [{"period": label(day, asked.period), "at": end, "count": n} for day, end, n in rows]}


def overlap(desk: Desk, asked: OverlapQuestion, snapshot: Snapshot) -> JSON:
    """{"one", "other", "both", "only_one", "only_other": counts, "sample": ids of some in both}."""
    segments = [named(desk, name) for name in (asked.one, asked.other)]
    if len({segment.group for segment in segments}) > 1:
        said = " and ".join(f"{segment.name} of {who(segment.group)}" for segment in segments)
        hint = "compare segments of the same subjects"
        raise HarkError(f"they share nobody: {said}", hint, "segment.subjects")
    one, other = (_members(desk, snapshot, segment, asked.at) for segment in segments)
    shared = both(one, other)
    return {
        "one": one.count,
        "other": other.count,
        "both": shared.count,
        "only_one": one.count - shared.count,
        "only_other": other.count - shared.count,
        "sample": _sample(desk, shared),
    }


def edit(desk: Desk, asked: EditQuestion, snapshot: Snapshot) -> JSON:
    """{"before", "after", "stay": counts, "come", "go": {"count", "sample"}, "sentence": the new one}."""
    known = named(desk, asked.name) if asked.was is None else written(desk, "", asked.was, asked.group)
    wanted = written(desk, "" if asked.was else asked.name, asked.where, known.group)
    at = desk.clock.now() if asked.at is None else asked.at
    before = _members(desk, snapshot, known, at)
    after = _members(desk, snapshot, wanted, at)
    come, go = only(after, before), only(before, after)
    return {
        "before": before.count,
        "after": after.count,
        "stay": before.count - go.count,
        "come": {"count": come.count, "sample": _sample(desk, come)},
        "go": {"count": go.count, "sample": _sample(desk, go)},
        "sentence": wanted.where.sentence(),
    }


def named(desk: Desk, name: str) -> Segment:
    """The segment in force. Raises HarkError `segment.unknown`."""
    segments = [one for one in in_force(desk) if isinstance(one, Segment)]
    found = next((one for one in segments if one.name == name), None)
    if found is None:
        hint = f"there are: {', '.join(one.name for one in segments) or 'none'}"
        raise HarkError(f"no segment {name}", hint, "segment.unknown")
    return found


def in_force(desk: Desk) -> list[Definition]:
    """What conditions are made of or name, in force, typed; each condition with all that it names."""
    wanted = ("segment", "policy", "topic", "computed", "pace", "engagement", "stage")
    found = [definition(one, desk.zone) for one in desk.state.documents() if one.kind in wanted]
    found = with_stages(found, desk.zone)
    return resolved(found, found)


def everybody(desk: Desk, group: str) -> int:
    """How many customers there are, or groups of this type."""
    return len(desk.state.groups(group)) if group else desk.state.customers()


def written(desk: Desk, name: str, where: JSON, group: str = "") -> Segment:
    """A segment that nobody has saved. Raises HarkError: `condition.wrong`, `condition.subject`,
    `segment.cycle`."""
    segment = Segment(name, read_condition(where, desk.zone), group=group)
    refuse_senseless(segment, in_force(desk))
    others = [one for one in in_force(desk) if (type(one), one.name) != (Segment, name)]
    [found] = resolved([segment], [*others, segment])
    return found


def _members(desk: Desk, snapshot: Snapshot, found: Segment, at: Instant | None) -> Members:
    if found.group:
        when = desk.clock.now() if at is None else at
        return groups_at(snapshot, found, when, desk.state.groups(found.group))
    internal = next((one.where for one in in_force(desk) if isinstance(one, Policy) and one.where), None)
    return segment_at(snapshot, found, desk.clock.now() if at is None else at, internal)


def _counted(desk: Desk, found: Segment, members: Members) -> JSON:
    of = {"group": found.group} if found.group else {}
    sentence = found.where.sentence()
    return {"count": members.count, "sample": _sample(desk, members), "sentence": sentence, **of}


def _sample(desk: Desk, members: Members) -> list[str]:
    from hark.questions.kinds import known_as

    return [known_as(desk.state, subject) for subject in members.sample()]


SEGMENT_KINDS: Mapping[str, tuple[type[Struct], Callable[[Desk, Any, Snapshot], JSON]]] = {
    "segment": (SegmentQuestion, segment),
    "segment_preview": (PreviewQuestion, preview),
    "segment_members": (MembersQuestion, listed),
    "segment_sizes": (SizesQuestion, sizes),
    "segment_overlap": (OverlapQuestion, overlap),
    "segment_edit": (EditQuestion, edit),
}
"""Each kind's question, and what answers it."""
