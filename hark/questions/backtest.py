"""A back-test as a question: what a campaign would have done; long ones by processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.decide.backtest.found import Found
from hark.decide.backtest.inputs import known_span
from hark.decide.backtest.run import Span, backtest, draws, plan_of, plans_of, ways
from hark.definitions.document import Document
from hark.definitions.learned import STAYING
from hark.definitions.levels import Stage
from hark.definitions.parse import definition
from hark.definitions.questions import read_moment
from hark.definitions.stages import built_in
from hark.definitions.types import Campaign, Definition, Topic
from hark.errors import HarkError
from hark.history.columns import micros
from hark.history.reader import Snapshot, open_snapshot
from hark.learn.backtest.answer import Sends, answer
from hark.model import JSON, FactName, Instant
from hark.store.state import open_reader
from hark.understand.periods import begins, days_between

if TYPE_CHECKING:
    from hark.questions.desk import Desk
    from hark.questions.kinds import BacktestQuestion

PROCESSES = 2
ALONE = 300_000
"""A history of fewer events is walked in the asking process: a new one takes a second to start."""
SAMPLE = 20
MOST_TABLES = 60
"""Tables of `pace` that are made for a time of which none were kept."""


class Job(Struct, frozen=True):
    """What one process walks."""

    data: str
    zone: str
    documents: list[Document]
    campaign: str
    span: Span
    buckets: list[int]
    tables: list[Document] = []
    """Of `pace`, and the grades of events, each from `applied_at` on."""
    everybody: bool = False
    group: str = ""
    """The type of the groups that the campaign is about; "" for customers."""


def ask_backtest(desk: Desk, asked: BacktestQuestion, snapshot: Snapshot) -> JSON:
    """`learn.backtest.answer.Backtest` as plain data.

    Raises HarkError `campaign.unknown`, `backtest.empty` (no history in that time), `backtest.failed`.
    """
    from hark.questions.kinds import known_as

    documents = in_force(desk.state.documents(), asked.documents)
    campaign = _campaign(documents, asked.campaign, desk.zone)
    snapshot = snapshot.of_groups() if campaign.group else snapshot
    first, last = known_span(snapshot)
    span = _span(asked, desk.zone, min(last, desk.clock.now()))
    begin, end = max(span.begin or first, first), min(span.end or span.until + 1, span.until + 1)
    if begin >= end:
        hint = "import some (hark import), or give --from and --to within it"
        raise HarkError("there is no history in that time to test with", hint, "backtest.empty")
    buckets = list(range(snapshot.buckets))
    where = (str(desk.data), desk.zone)
    job = Job(*where, documents, asked.campaign, span, buckets, [], asked.everybody, campaign.group)
    found = walked(msgspec.structs.replace(job, tables=tables_of(desk, job, first, snapshot)), snapshot)
    made = answer(campaign, found, sends_of(snapshot), begin, end, span.until, desk.zone).to_json()
    who = sorted({entry.subject for entry in found.entries})
    return made | {"sample": [known_as(desk.state, one) for one in who[:: len(who) // SAMPLE + 1]]}


def tables_of(desk: Desk, job: Job, first: Instant, snapshot: Snapshot) -> list[Document]:
    """How long people took, as known at each time: the tables that were kept; for the time before, others
    made of the history as of the beginnings of weeks. With them the grades of events that were kept, if
    attention is earned by them."""
    from hark.questions.behaviour import whom
    from hark.questions.pace import as_document

    plan = plan_of(typed(job.documents, job.zone), job.campaign, job.span)
    budget = plan.weights.budget
    graded = budget is not None and bool(budget.earned.get("strong"))
    found = list(desk.state.versions("signals", STAYING)) if graded else []
    for way in ways(plan):
        kept = desk.state.versions("pace", way.name)
        end = min((one.applied_at for one in kept), default=job.span.until)
        for day in weeks(first, end, desk.zone):
            body = as_document(way, whom(desk, snapshot), day, desk.zone)["body"]
            found.append(Document("pace", way.name, 0, body, applied_at=day))
        found += kept
    return found


def weeks(first: Instant, end: Instant, zone: str) -> list[Instant]:
    """The beginnings of weeks in a time, every second, third ... one if there are more than `MOST_TABLES`."""
    days = days_between(first, end, "week", zone)
    starts = [begins(day, zone) for day in days[:: len(days) // MOST_TABLES + 1]]
    return [start for start in starts if start < end]


def typed(documents: Iterable[Document], zone: str) -> list[tuple[Document, Definition]]:
    """Each with what it says."""
    return [(one, definition(one, zone)) for one in documents]


def _span(asked: BacktestQuestion, zone: str, until: Instant) -> Span:
    since, before = (read_moment(text, zone) if text else None for text in (asked.since, asked.until))
    return Span(since, before, until)


def in_force(current: Iterable[Document], given: Sequence[JSON]) -> list[Document]:
    """The documents in force with those given in their place, or added."""
    documents = {(one.kind, one.name): one for one in current}
    for one in given:
        old = documents.get((one["kind"], one["name"]))
        version = old.version + 1 if old else 1
        documents[one["kind"], one["name"]] = Document(one["kind"], one["name"], version, one["body"])
    return list(documents.values())


def _campaign(documents: Iterable[Document], name: str, zone: str) -> Campaign:
    campaigns = {one.name: one for one in documents if one.kind == "campaign"}
    if name not in campaigns:
        hint = f"there are: {', '.join(campaigns) or 'none'}; or give a file with a new one"
        raise HarkError(f"no campaign {name}", hint, "campaign.unknown")
    found = definition(campaigns[name], zone)
    assert isinstance(found, Campaign)
    return found


def walked(job: Job, snapshot: Snapshot) -> Found:
    """What the campaign would have done to everybody, by two processes where there is much to walk."""
    sizes = dict.fromkeys(job.buckets, 0)
    first = snapshot.buckets if job.group else 0
    for file in snapshot.version.files:
        if file.bucket - first in sizes:
            sizes[file.bucket - first] += file.rows
    if sum(sizes.values()) < ALONE:
        return walk_part(job, snapshot)
    shares = [msgspec.structs.replace(job, buckets=buckets) for buckets in shared_out(sizes, PROCESSES)]
    found = Found()
    for part in in_processes(shares):
        found.add(part)
    return found


def shared_out(sizes: Mapping[int, int], parts: int) -> list[list[int]]:
    """The buckets in parts of about equal size: each, from the largest on, to the smallest part so far."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    held = [0] * parts
    for bucket in sorted(sizes, key=lambda one: -sizes[one]):
        place = held.index(min(held))
        shares[place].append(bucket)
        held[place] += sizes[bucket]
    return [share for share in shares if share]


def in_processes(jobs: Sequence[Job]) -> list[Found]:
    """Each job by a process of its own, which ends with it. Raises HarkError `backtest.failed`."""
    command = [sys.executable, "-m", "hark.questions.walker"]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in jobs]
    for process, job in zip(running, jobs, strict=True):
        assert process.stdin
        process.stdin.write(msgspec.msgpack.encode(job))
        process.stdin.close()
    answers = [process.stdout.read() if process.stdout else b"" for process in running]
    if any(process.wait() for process in running):
        hint = "see the server's output; a step failed, or memory ran out"
        raise HarkError("the back-test's process ended before its answer", hint, "backtest.failed")
    return [msgspec.msgpack.decode(one, type=Found) for one in answers]


def walk_part(job: Job, snapshot: Snapshot | None = None) -> Found:
    """One job's buckets, in this process."""
    state = open_reader(Path(job.data))
    things, tables = _things(job), typed(job.tables, job.zone)
    plans = plans_of(things, tables, job.campaign, job.span)
    plan = plans[0].plan
    if snapshot is None:
        snapshot = open_snapshot(Path(job.data), state)
        snapshot = snapshot.of_groups() if job.group else snapshot

    def key(subject: int) -> str:
        found = state.key(subject)
        return found[0] if found else str(subject)

    keyed = key if job.group or draws(plan, plan.current[job.campaign]) else str
    return backtest(snapshot, job.buckets, plans, job.campaign, job.span, keyed, job.everybody, job.group)


def _things(job: Job) -> list[tuple[Document, Definition]]:
    """The job's documents, and the stages where none of them says which they are."""
    found = typed(job.documents, job.zone)
    if job.everybody:
        found = [(one, _to_be_left(thing)) for one, thing in found]
    known = any(isinstance(thing, Stage) for _, thing in found)
    return found if known else [*found, built_in(job.zone)]


def _to_be_left(thing: Definition) -> Definition:
    """A topic as if it had to be left rather than joined."""
    return msgspec.structs.replace(thing, default="in") if isinstance(thing, Topic) else thing


class _Sent(Struct, frozen=True, gc=False):
    campaign: str = ""


def sends_of(snapshot: Snapshot) -> Sends:
    """By customer, when campaigns really sent a message."""
    found: dict[int, list[tuple[Instant, str]]] = {}
    read = msgspec.json.Decoder(_Sent)
    for bucket in range(snapshot.buckets):
        for rows in snapshot.rows(bucket, ("subject", "at", "properties"), ("name",), _sent):
            cells = (rows["subject"].to_pylist(), micros(rows["at"]).tolist(), rows["properties"].to_pylist())
            for subject, at, said in zip(*cells, strict=True):
                if campaign := read.decode(said).campaign:
                    found.setdefault(subject, []).append((at, campaign))
    return found


def _sent(rows: pa.Table) -> pa.Array:
    return pc.equal(rows["name"].cast(pa.string()), FactName.MESSAGE_SENT.value)
