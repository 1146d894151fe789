"""Long questions over the history: a process of their own, so that nobody waits for them but who asked.

`ask` goes through DIR/run/questions.sock where the process runs, which keeps decoded columns and recent
answers; elsewhere it computes in the calling process. A question is `{kind: {...}}` (`KINDS`), an answer
plain data.
"""

from __future__ import annotations

import os
import re
import signal
import socketserver
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import httpx
import msgspec
import numpy as np
from msgspec import Struct, field

from hark import settings
from hark.clock import Clock, WallClock, instant, moment
from hark.definitions.parse import definition
from hark.definitions.types import Policy, Segment
from hark.errors import HarkError
from hark.history.reader import Resident, Snapshot, open_snapshot
from hark.history.runs import Ints, Run
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK, Instant
from hark.store.state import StateReader, open_reader
from hark.understand.funnel import Funnel, ask_funnel, parse_step
from hark.understand.periods import Period
from hark.understand.retention import Retention, ask_retention
from hark.understand.segments import segment_at

SOCKET = "questions.sock"
PATIENCE_S = 120.0
THREADS = 2
WAITING = 16
"""Questions in hand at once, those being answered included; more are refused."""
NICE = 10
BODY_BYTES = 64 * 1024
ANSWERS = 256
ROW_BYTES = 32
"""Memory one event's key columns take while they are kept."""
MEMORY_SHARE = 0.5
"""Of the machine's memory, for columns: a history that needs more is refused, not swapped."""


class FunnelQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`steps`: event names, "A|B" for any of several; `within`: from the first step, such as "7d"."""

    steps: list[str]
    within: str | None = None


class RetentionQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Cohorts by `start`, active by `return` (None: any activity), by day, week or month."""

    start: str
    return_: str | None = field(default=None, name="return")
    period: Period = "week"


class SegmentQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is in the segment at an instant; None: now."""

    name: str
    at: Instant | None = None


class ReportQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign changed; `version` None: the newest that somebody entered."""

    campaign: str
    version: int | None = None


class ActivityQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of customers by day, in the workspace's zone, the last of them today."""

    days: int = 30


class Desk:
    """One data directory's questions, with what is kept between them. Safe to use from several threads."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self.data, self.clock = data, clock
        self.state: StateReader = open_reader(data)
        self.zone = settings.read(data).zone
        self.resident = Resident()
        self._answers: OrderedDict[bytes, JSON] = OrderedDict()
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The history as it stands now. Raises HarkError `question.large` if its columns would not fit."""
        found = open_snapshot(self.data, self.state, self.resident)
        rows = sum(file.rows for file in found.version.files)
        if rows * ROW_BYTES > memory_bytes() * MEMORY_SHARE:
            raise HarkError(
                f"{rows:,} events need more than half of this machine's memory",
                hint="ask on a larger machine, or use `hark sql`",
                id="question.large",
            )
        return found

    def answer(self, question: JSON) -> JSON:
        """The answer; from memory if nothing has happened since the same was asked, within a minute."""
        answer, asked = read(question)
        snapshot = self.snapshot()
        known = msgspec.msgpack.encode([question, self._stamp(snapshot)])
        with self._lock:
            if known in self._answers:
                self._answers.move_to_end(known)
                return self._answers[known]
        found = answer(self, asked, snapshot)
        self._keep(known, found)
        return found

    def _stamp(self, snapshot: Snapshot) -> JSON:
        """What an answer rests on besides the question."""
        versions = [(one.kind, one.name, one.version) for one in self.state.documents()]
        return [snapshot.version.number, snapshot.count(), self.clock.now() // MINUTE, versions]

    def _keep(self, known: bytes, found: JSON) -> None:
        with self._lock:
            self._answers[known] = found
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)


def funnel(desk: Desk, asked: FunnelQuestion, snapshot: Snapshot) -> JSON:
    """`understand.funnel.FunnelAnswer` as plain data."""
    steps = tuple(parse_step(step) for step in asked.steps)
    within_us = span_us(asked.within) if asked.within else None
    return ask_funnel(snapshot, Funnel(steps, within_us), desk.clock.now()).to_json()


def retention(desk: Desk, asked: RetentionQuestion, snapshot: Snapshot) -> JSON:
    """`understand.retention.RetentionAnswer` as plain data."""
    returns = parse_step(asked.return_) if asked.return_ else None
    question = Retention(parse_step(asked.start), returns, asked.period, desk.zone)
    return ask_retention(snapshot, question, desk.clock.now()).to_json()


_SPAN = re.compile("([0-9]{1,9})([mhdw])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def span_us(text: str) -> int:
    """ "30m", "6h", "7d" or "2w" in microseconds. Raises HarkError `question.span`."""
    found = _SPAN.fullmatch(text)
    if not found or not int(found[1]):
        raise HarkError(f"{text!r} is no length of time", "write 30m, 6h, 7d or 2w", "question.span")
    return int(found[1]) * _UNITS[found[2]]


def segment(desk: Desk, asked: SegmentQuestion, snapshot: Snapshot) -> JSON:
    """{"count", "sample": [ids], "sentence"}; a sample is up to 20, the same ones each time."""
    definitions = [definition(one, desk.zone) for one in desk.state.documents()]
    found = next((one for one in definitions if isinstance(one, Segment) and one.name == asked.name), None)
    if found is None:
        names = [one.name for one in definitions if isinstance(one, Segment)]
        hint = f"there are: {', '.join(names) or 'none'}"
        raise HarkError(f"no segment {asked.name}", hint, "segment.unknown")
    internal = next((one.where for one in definitions if isinstance(one, Policy) and one.where), None)
    at = desk.clock.now() if asked.at is None else asked.at
    members = segment_at(snapshot, found, at, internal)
    sample = [known_as(desk.state, subject) for subject in members.sample()]
    return {"count": members.count, "sample": sample, "sentence": found.where.sentence()}


def known_as(state: StateReader, subject: int) -> str:
    """The id a person would know the customer by: a userId, else an anonymousId, else "#12"."""
    ids = state.ids(subject)
    users = [value for kind, value in ids if kind == "user"]
    return next(iter(users or [value for _, value in ids]), f"#{subject}")


def report(desk: Desk, asked: ReportQuestion, snapshot: Snapshot) -> JSON:
    """`learn.report.Report` as plain data."""
    from hark.learn.report import report as learn_report

    versions = desk.state.versions("campaign", asked.campaign)
    if not versions:
        raise HarkError(f"no campaign {asked.campaign}", "see `hark export`", "campaign.unknown")
    return learn_report(snapshot, versions, desk.clock.now(), asked.version, desk.zone).to_json()


def activity(desk: Desk, asked: ActivityQuestion, snapshot: Snapshot) -> JSON:
    """{"days": [{"day": "2026-03-01", "events": 12}]}, the last of them today."""
    if not 1 <= asked.days <= 400:
        raise HarkError(f"{asked.days} days", "ask for 1 to 400", "question.wrong")
    edges = day_edges(desk.clock.now(), asked.days, ZoneInfo(desk.zone))
    counts = np.zeros(asked.days, np.int64)
    for bucket in range(snapshot.buckets):
        for run in snapshot.runs(bucket):
            counts += _counted(run, np.array([instant(edge) for edge in edges], np.int64))
    days = [{"day": f"{edge:%Y-%m-%d}", "events": int(n)} for edge, n in zip(edges, counts, strict=False)]
    return {"days": days}


def day_edges(now: Instant, days: int, zone: ZoneInfo) -> list[datetime]:
    """The beginnings of the last `days` days and of tomorrow, at midnight in the zone."""
    today = moment(now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=days - 1 - number) for number in range(days + 1)]


def _counted(run: Run, edges: Ints) -> Ints:
    """Active events of a run between each edge and the next."""
    counts = np.zeros(len(edges) - 1, np.int64)
    for first, last in run.kept.tolist():
        at = run.at[first:last][run.active[first:last]]
        place = np.searchsorted(edges, at, side="right") - 1
        inside = place[(place >= 0) & (place < len(counts))]
        counts += np.bincount(inside, minlength=len(counts))
    return counts


Answer: TypeAlias = Callable[[Desk, Any, Snapshot], JSON]
KINDS: dict[str, tuple[type[Struct], Answer]] = {
    "funnel": (FunnelQuestion, funnel),
    "retention": (RetentionQuestion, retention),
    "segment": (SegmentQuestion, segment),
    "report": (ReportQuestion, report),
    "activity": (ActivityQuestion, activity),
}


def read(question: JSON) -> tuple[Answer, Struct]:
    """What computes the answer, and the typed question. Raises HarkError `question.wrong`."""
    if not isinstance(question, dict) or len(question) != 1 or not KINDS.keys() & question.keys():
        raise HarkError("that is no question", f"ask one of: {', '.join(KINDS)}", "question.wrong")
    ((kind, asked),) = question.items()
    type_, answer = KINDS[kind]
    try:
        return answer, msgspec.convert(asked, type_)
    except msgspec.ValidationError as error:
        hint = f"it has {', '.join(type_.__struct_encode_fields__)}"
        raise HarkError(f"{kind}: {error}", hint, "question.wrong") from None


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


# -- asking ---------------------------------------------------------------------------------------------


def ask(data: Path, question: JSON, clock: Clock | None = None) -> JSON:
    """The answer to a question, from the process if it runs, else computed here.

    Raises HarkError: the question is wrong, too large, or too many are being answered.
    """
    path = data / "run" / SOCKET
    if path.exists():
        try:
            return _asked(path, question)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            pass  # a socket without a process behind it, or one that ended meanwhile
    return Desk(data, clock or WallClock()).answer(question)


def _asked(path: Path, question: JSON) -> JSON:
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, timeout=PATIENCE_S, trust_env=False) as client:
        try:
            found = client.post("http://questions/", content=msgspec.json.encode(question))
        except httpx.ReadTimeout:
            message = f"no answer within {PATIENCE_S:.0f} s"
            raise HarkError(message, "ask something smaller", "question.slow") from None
    body = msgspec.json.decode(found.content)
    if found.status_code != 200:
        raise HarkError(body["message"], body["hint"], body["id"])
    return body


# -- the process ----------------------------------------------------------------------------------------


class Server(socketserver.UnixStreamServer):
    """Answers one question a connection, THREADS at a time."""

    request_queue_size = 64

    def __init__(self, path: Path, desk: Desk) -> None:
        self.desk = desk
        self._pool = ThreadPoolExecutor(THREADS, "question")
        self._room = threading.BoundedSemaphore(WAITING)
        super().__init__(str(path), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        free = self._room.acquire(blocking=False)
        if free:
            self._pool.submit(self._one, request, client_address)
        else:
            refuse(request)
            self.shutdown_request(request)

    def _one(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)
            self._room.release()


class Handler(BaseHTTPRequestHandler):
    """POST a question as JSON; 200 with the answer, or an error's message, hint and id."""

    timeout = 10.0
    server: Server

    def do_POST(self) -> None:
        status, body = self._answered()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answered(self) -> tuple[int, bytes]:
        try:
            length = int(self.headers.get("Content-Length", 0))
            question = msgspec.json.decode(self.rfile.read(min(length, BODY_BYTES)))
            return 200, msgspec.json.encode(self.server.desk.answer(question))
        except HarkError as error:
            return 400, msgspec.json.encode({"message": error.message, "hint": error.hint, "id": error.id})
        except (ValueError, msgspec.MsgspecError) as error:
            return 400, msgspec.json.encode({"message": str(error), "hint": "", "id": "question.wrong"})

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: who asks is told."""


BUSY = msgspec.json.encode(
    {"message": "too many questions at once", "hint": "ask again in a moment", "id": "question.busy"}
)


def refuse(request: socket) -> None:
    """Answer 503 at once, without a thread."""
    head = f"HTTP/1.0 503 Busy\r\nContent-Type: application/json\r\nContent-Length: {len(BUSY)}\r\n\r\n"
    request.sendall(head.encode() + BUSY)


def serve(data: Path, clock: Clock) -> None:
    """Answer on DIR/run/questions.sock until SIGTERM, at low priority.

    Only one runs on a data directory (its caller holds `questions.lock`), so a socket found is a dead one's.
    """
    os.nice(NICE)
    os.umask(0o077)
    path = data / "run" / SOCKET
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with Server(path, Desk(data, clock)) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
    path.unlink(missing_ok=True)
