"""The Python interface: `hark.open("hark-data")` answers the same questions as the commands, typed.

import hark
shop = hark.open("hark-data")
shop.funnel(["Signed Up", "Order Completed"], within="7d").to_pandas()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hark.app import Workspace
from hark.clock import WallClock, instant
from hark.deciding import Deciding
from hark.errors import HarkError
from hark.learn.surveys import SurveyReport
from hark.model import JSON, Instant
from hark.questions import ask
from hark.understand.funnel import FunnelAnswer
from hark.understand.lifecycle import LifecycleAnswer
from hark.understand.paths import PathsAnswer
from hark.understand.retention import RetentionAnswer
from hark.understand.sessions import SessionsAnswer
from hark.understand.tabular import Tabular
from hark.understand.trend import TrendAnswer

if TYPE_CHECKING:
    import pyarrow as pa

A = TypeVar("A", bound=Tabular)
ANSWERS: dict[str, type[Tabular]] = {
    "funnel": FunnelAnswer,
    "retention": RetentionAnswer,
    "paths": PathsAnswer,
    "sessions": SessionsAnswer,
    "lifecycle": LifecycleAnswer,
    "trend": TrendAnswer,
}
"""The type of each kind's answer."""


class History(Deciding):
    """The history of one data directory, with a server on it or without.

    A step is an event's name, "A|B" for any of several, or a mapping with a predicate:
    `{"event": "Order Completed", "where": {"revenue": {"gte": 50}}}`. Times are dates ("2026-03-01", in the
    workspace's zone) or instants with a zone. With `subject="account"` the question is about
    groups of this type. Whatever is wrong with a question is raised as HarkError.
    """

    def __init__(self, data: Path) -> None:
        """Raises HarkError `data.missing`."""
        self.data = data
        self._workspace = Workspace(data)

    def funnel(
        self,
        steps: Sequence[JSON],
        within: str | None = None,
        *,
        order: str = "ordered",
        by: JSON = None,
        instead: bool = False,
        trend: str | None = None,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> FunnelAnswer:
        """How many go down a path of steps, how quickly, and what those do who stop."""
        asked = {"steps": list(steps), "within": within, "order": order, "by": by, "instead": instead}
        return self._asked("funnel", FunnelAnswer, asked | {"trend": trend}, since, until, among, subject)

    def retention(
        self,
        start: JSON,
        returning: JSON = None,
        period: str = "week",
        *,
        cohorts: str = "first",
        on_or_after: bool = False,
        by: JSON = None,
        returned_to: bool = False,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> RetentionAnswer:
        """Of those who began in the same period, how many are active in each period after."""
        asked = {"start": start, "return": returning, "period": period, "cohorts": cohorts, "by": by}
        asked |= {"on_or_after": on_or_after, "returned_to": returned_to}
        return self._asked("retention", RetentionAnswer, asked, since, until, among, subject)

    def paths(
        self,
        origin: JSON = None,
        target: JSON = None,
        depth: int = 3,
        *,
        gap: str = "30m",
        collapse: bool = True,
        facts: bool = False,
        top: int = 20,
        rare: float = 0.01,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> PathsAnswer:
        """What people do after `origin`, or before `target`; with both, what lies between."""
        asked = {"from": origin, "to": target, "depth": depth, "gap": gap, "collapse": collapse, "top": top}
        asked |= {"rare": rare, "facts": facts}
        return self._asked("paths", PathsAnswer, asked, since, until, among, subject)

    def sessions(
        self,
        gap: str = "30m",
        period: str = "week",
        *,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> SessionsAnswer:
        """Runs of activity without a longer gap."""
        return self._asked(
            "sessions", SessionsAnswer, {"gap": gap, "period": period}, since, until, among, subject
        )

    def lifecycle(
        self,
        period: str = "week",
        *,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> LifecycleAnswer:
        """Who is new, returning, resurrected and dormant in each period."""
        return self._asked("lifecycle", LifecycleAnswer, {"period": period}, since, until, among, subject)

    def trend(
        self,
        event: JSON = None,
        period: str = "day",
        *,
        of: str | None = None,
        by: JSON = None,
        compare: bool = False,
        since: str | None = None,
        until: str | None = None,
        among: str | None = None,
        subject: str | None = None,
    ) -> TrendAnswer:
        """How often an event happens, to how many, and what its property `of` adds up to."""
        asked = {"event": event, "period": period, "of": of, "by": by, "compare": compare}
        return self._asked("trend", TrendAnswer, asked, since, until, among, subject)

    def pace(self, start: JSON, to: JSON, *, stayed: bool = True) -> JSON:
        """{"way", "day", "cases", "waits_s"}: by when 1 %, 2 %, ... of those who did `start` went on to `to`,
        in seconds; of those who `stayed` (were active in the fourth week after), or of all."""
        return self.ask({"pace": {"from": start, "to": to, "stayed": stayed}})

    def segment(self, name: str, at: str | None = None) -> JSON:
        """{"count", "sample", "sentence"}: who is in a segment, now or as of an instant with a zone."""
        return self.ask({"segment": {"name": name, "at": _instant(at)}})

    def segment_members(
        self, name: str, at: str | None = None, *, campaigns: Sequence[str] = (), controls: bool = False
    ) -> pa.Table:
        """All members as a table of `subject` and `customer` (the id people know them by), without those whom
        the global control, these campaigns, or those that entering it starts leave alone; `controls`: with
        them."""
        self._workspace.settle()
        return members_table(self.data, name, _instant(at), campaigns, controls)[0]

    def segment_preview(self, where: JSON, at: str | None = None, group: str = "") -> JSON:
        """{"count", "sample", "sentence", "customers"} of a condition that nobody has saved; `group`, a type
        such as "account": of groups ("customers" says how many there are)."""
        return self.ask({"segment_preview": {"where": where, "at": _instant(at), "group": group}})

    def segment_sizes(self, name: str, period: str = "week", since: str | None = None) -> list[JSON]:
        """[{"period", "at", "count"}]: how large it was at the end of each period."""
        asked = {"name": name, "period": period, "since": _instant(since)}
        return list(self.ask({"segment_sizes": asked})["sizes"])

    def segment_overlap(self, one: str, other: str, at: str | None = None) -> JSON:
        """{"one", "other", "both", "only_one", "only_other", "sample"}: how many are in both of two."""
        return self.ask({"segment_overlap": {"one": one, "other": other, "at": _instant(at)}})

    def segment_edit(self, name: str, where: JSON, at: str | None = None) -> JSON:
        """{"before", "after", "stay", "come", "go", "sentence"}: whom another condition would change."""
        return self.ask({"segment_edit": {"name": name, "where": where, "at": _instant(at)}})

    def survey(self, name: str, period: str = "week") -> SurveyReport:
        """What customers answered to a survey (`worth_it`: whether it was worth their time), by period."""
        return msgspec.convert(self.ask({"survey": {"name": name, "period": period}}), SurveyReport)

    def engagement(
        self, name: str, at: str | None = None, weeks: int = 8, compare: int | None = None
    ) -> JSON:
        """{"levels", "over_time", "moves", "compare", ...}: who stands where in a definition, now or as of an
        instant, and in the weeks before; `compare`, a version, asks which tells better who comes back."""
        asked = {"name": name, "at": _instant(at), "weeks": weeks, "compare": compare}
        return self.ask({"engagement": asked})

    def signals(
        self, times: int = 1, days: int = 28, last: bool = False, at: str | None = None
    ) -> list[JSON]:
        """Every event, done so often in the first (or last) days of the first 28, with what it tells of
        staying."""
        asked = {"times": times, "days": days, "last": last, "at": _instant(at)}
        return list(self.ask({"signals": asked})["signals"])

    def moments(self, at: str | None = None) -> list[JSON]:
        """[{"how", "says", "signal"}]: of each event the way of doing it that tells most of staying."""
        return list(self.ask({"moments": {"at": _instant(at)}})["moments"])

    def attention(self, at: str | None = None) -> JSON:
        """{"messages", "content", "campaigns"}: what each asks of people's time, and what came later."""
        return self.ask({"attention": {"at": _instant(at)}})

    def content(self, at: str | None = None) -> JSON:
        """{"items", "formats", "stages", "unlisted"}: of each item of the catalogue who was sent it, who read
        it and at which stage, and what came later; a description, no lift."""
        return self.ask({"content": {"at": _instant(at)}})

    def pages_seen(self, opened: bool = False, most: int = 100, at: str | None = None) -> list[JSON]:
        """[{"url", "title", "readers", "at_stage", "words", "minutes", "draft", ...}]: pages that are read
        and in no content document, each with one in draft; `opened`: also those that were only opened."""
        asked = {"opened": opened, "most": most, "at": _instant(at)}
        return list(self.ask({"pages": asked})["pages"])

    def subscriptions(self, start: str, end: str, period_days: int = 30, ahead: int = 12) -> JSON:
        """{"alpha", "beta", "periods", "expected", "check"}: how long subscriptions last."""
        asked = {"start": start, "end": end, "period_days": period_days, "ahead": ahead}
        return self.ask({"subscriptions": asked})

    def authors(self) -> list[JSON]:
        """[{"author", "forecasts", "inside", "bias", "error", "campaigns"}]: how good forecasts were."""
        return list(self.ask({"authors": {}}))

    def digest(self, at: str | None = None) -> JSON:
        """{"week", "people", "changes", "verdicts", "steps"}: what the last whole week was like."""
        return self.ask({"digest": {"at": _instant(at)}})

    def worth(
        self,
        event: str,
        value: str | None = None,
        ahead: int = 13,
        held_back: int = 13,
        at: str | None = None,
    ) -> JSON:
        """{"customers", "alive", "expected_purchases", "expected_value", "checks", "weeks", "top"}: who is a
        customer still and what they will buy; `ahead` and `held_back` in weeks."""
        asked = {"event": event, "value": value, "ahead_weeks": ahead, "held_back_weeks": held_back}
        return self.ask({"worth": asked | {"at": _instant(at)}})

    def ties(self, months: int = 6, at: str | None = None) -> JSON:
        """{"groups", "over_time", "moves", "said", "low"}: what customers say beside what they do."""
        return self.ask({"ties": {"months": months, "at": _instant(at)}})

    def champions(self, top: int = 20, at: str | None = None) -> JSON:
        """{"champions": [{"customer", "score", "parts", "says", "hold"}], "friends", "trees"}: who speaks
        well of the product, and whom they brought; now or as of an instant."""
        return self.ask({"champions": {"top": top, "at": _instant(at)}})

    def stages(self, at: str | None = None, weeks: int = 8, compare: int | None = None) -> JSON:
        """The same for the stages of the purchase decision: those of the document, else the built-in ones
        (version 0)."""
        asked = {"name": "purchase", "kind": "stage", "at": _instant(at), "weeks": weeks, "compare": compare}
        return self.ask({"engagement": asked})

    def hypotheses(self, search: str = "", like: str = "") -> list[JSON]:
        """[{"name", "belief", "tests", "standing", "now", ...}]: what was believed, tested and found; with
        all these words, or tested by campaigns like this one."""
        return list(self.ask({"hypotheses": {"search": search, "like": like}})["hypotheses"])

    def question(self, name: str, version: int | None = None) -> Tabular:
        """The answer to a saved question. Raises HarkError `question.unknown`."""
        found = self.ask({"question": {"name": name, "version": version}})
        (kind,) = ANSWERS.keys() & found["question"].keys()
        return msgspec.convert(
            {key: value for key, value in found.items() if key != "question"}, ANSWERS[kind]
        )

    def ask(self, question: JSON) -> Any:
        """The answer to any question as plain data, such as `{"segment": {"name": "regulars"}}`."""
        self._workspace.settle()
        return ask(self.data, question, self._workspace.clock)

    def sql(self, query: str) -> pa.Table:
        """A read-only query over the tables of `hark sql`."""
        from hark.sql import query as run

        self._workspace.settle()
        return run(self.data, self._workspace.state(), query)

    def _asked(
        self,
        kind: str,
        type_: type[A],
        asked: JSON,
        since: str | None,
        until: str | None,
        among: str | None,
        subject: str | None,
    ) -> A:
        whom = None if subject in (None, "customer") else {"group": subject}
        limits = {"since": since, "until": until, "among": among, "subject": whom}
        return msgspec.convert(self.ask({kind: asked | limits}), type_)


PAGE = 10_000


def members_table(
    data: Path, name: str, at: Instant | None, campaigns: Sequence[str] = (), controls: bool = False
) -> tuple[pa.Table, Counter[str]]:
    """The members of a segment at an instant (None: now), asked for page by page, as one table; and how many
    were left out by what, since they are left alone."""
    import pyarrow as pa

    at = WallClock().now() if at is None else at
    rows: list[JSON] = []
    left_out: Counter[str] = Counter()
    after: int | None = 0
    while after is not None:
        asked = {"name": name, "at": at, "after": after, "limit": PAGE}
        page = ask(data, {"segment_members": {**asked, "campaigns": list(campaigns), "controls": controls}})
        rows += page["members"]
        left_out.update(page["left_out"])
        after = page["next"]
    schema = pa.schema([("subject", pa.int64()), ("customer", pa.string())])
    return pa.Table.from_pylist(rows, schema), left_out


def _instant(text: str | None) -> Instant | None:
    """Raises HarkError `time.zone`."""
    try:
        return None if text is None else instant(text)
    except ValueError as error:
        raise HarkError(str(error), "an instant with a zone: 2026-03-01T09:00:00Z", "time.zone") from None
