"""Long questions: the same answers with and without the process, and it refuses what it cannot do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from hark.clock import SetClock, SharedClock
from hark.errors import HarkError
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK
from hark.questions import ask, budget
from hark.questions.desk import Desk
from hark.questions.kinds import span_us
from hark.questions.process import BODY_BYTES, CONNECTIONS
from tests.cast import eventually, with_no_error
from tests.console.shop import END, PEOPLE

pytestmark = pytest.mark.xdist_group("console")

Process: TypeAlias = subprocess.Popen[bytes]

ALL: list[JSON] = [
    {"funnel": {"steps": ["Signed Up", "Order Completed|Product Viewed"], "within": "7d"}},
    {"retention": {"start": "Signed Up", "return": None, "period": "month"}},
    {"segment": {"name": "gone_quiet", "at": None}},
    {"report": {"campaign": "come_back"}},
    {"activity": {"days": 60}},
]


@contextmanager
def serving(shop: Path) -> Iterator[Process]:
    """The questions role in a process of its own, on the shop's clock."""
    clock = SharedClock(shop / "clock", create=True)
    clock.set(END)
    words = [
        sys.executable,
        "-m",
        "hark.role",
        "questions",
        "--data",
        str(shop),
        "--clock",
        str(shop / "clock"),
    ]
    process: Process = subprocess.Popen(words, start_new_session=True)
    try:
        eventually(lambda: connects(shop), what="the questions' socket")
        yield process
    finally:
        with_no_error(process.kill)
        process.wait()


@pytest.fixture(scope="module")
def process(shop: Path) -> Iterator[Process]:
    with serving(shop) as found:
        yield found


def connects(shop: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(shop / "run" / "questions.sock")) == 0


def test_the_process_answers_as_the_caller_would(shop: Path, process: Process) -> None:
    """Every kind of question has the same answer over the socket as computed in the calling process."""
    alone = [ask(shop, question, SetClock(END)) for question in ALL]
    assert [as_plain(ask(shop, question)) for question in ALL] == [as_plain(one) for one in alone]


def as_plain(answer: JSON) -> JSON:
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(answer))


def test_mistakes_keep_their_ids_over_the_socket(shop: Path, process: Process) -> None:
    """A wrong question is refused with the same id and hint, in process and through the socket."""
    wrong: list[tuple[JSON, str]] = [
        ({"segment": {"name": "nobody"}}, "segment.unknown"),
        ({"report": {"campaign": "nobody"}}, "campaign.unknown"),
        ({"funnel": {"steps": ["A"], "within": "soon"}}, "question.wrong"),
        ({"funnel": {"steps": []}}, "question.wrong"),
        ({"funnel": {"stairs": []}}, "question.wrong"),
        ({"activity": {"days": 0}}, "question.wrong"),
        ({"weather": {}}, "question.wrong"),
        ("weather", "question.wrong"),
    ]
    for question, expected in wrong:
        with pytest.raises(HarkError) as through:
            ask(shop, question)
        with pytest.raises(HarkError) as alone:
            Desk(shop, SetClock(END)).answer(question)
        assert through.value.id == alone.value.id == expected
        assert str(through.value) == str(alone.value)


def test_what_is_no_question_does_not_hurt(shop: Path, process: Process) -> None:
    """Broken JSON, an oversize body and a connection without a word leave the process answering others."""
    transport = httpx.HTTPTransport(uds=str(shop / "run" / "questions.sock"))
    with httpx.Client(transport=transport, timeout=20, trust_env=False, verify=False) as client:
        assert client.post("http://q/", content=b"{").status_code == 400
        assert client.post("http://q/", content=b" " * (BODY_BYTES + 1)).status_code == 400
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(shop / "run" / "questions.sock"))
        assert ask(shop, {"activity": {"days": 1}})["days"]


def test_more_questions_than_there_is_room_for_are_refused_at_once(shop: Path, process: Process) -> None:
    """With all places taken by callers who say nothing, the next is told to come again."""
    silent = [socket.socket(socket.AF_UNIX) for _ in range(CONNECTIONS)]
    try:
        for one in silent:
            one.connect(str(shop / "run" / "questions.sock"))
        with pytest.raises(HarkError) as refused:
            ask(shop, {"activity": {"days": 1}})
        assert refused.value.id == "question.busy"
    finally:
        for one in silent:
            one.close()


def test_a_history_too_large_for_the_memory_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question whose columns would not fit is refused by name, before anything is read."""
    monkeypatch.setattr(budget, "memory_bytes", lambda: -1)
    with pytest.raises(HarkError) as refused:
        Desk(shop, SetClock(END)).answer(ALL[0])
    assert refused.value.id == "question.large"


def test_answers_are_kept_only_while_nothing_happens(shop: Path) -> None:
    """The same question within a minute is not computed twice; a later minute, it is."""
    clock = SetClock(END)
    desk = Desk(shop, clock)
    first = desk.answer(ALL[0])
    assert desk.answer(ALL[0]) is first
    clock.at += MINUTE
    assert desk.answer(ALL[0]) is not first
    assert first["steps"][0]["customers"] == PEOPLE


def test_days_are_cut_in_the_workspace_zone(shop: Path) -> None:
    """In Auckland the same events fall on other days than in UTC, and none is lost."""
    abroad = Desk(shop, SetClock(END))
    abroad.zone = "Pacific/Auckland"
    there = abroad.answer({"activity": {"days": 70}})["days"]
    here = ask(shop, {"activity": {"days": 70}}, SetClock(END))["days"]
    assert there != here
    assert sum(one["events"] for one in there) == sum(one["events"] for one in here)
    assert (here[-1]["day"], there[-1]["day"]) == ("2026-03-02", "2026-03-02")


def test_lengths_of_time() -> None:
    """Whole minutes, hours, days and weeks; anything else is refused with an example."""
    assert [span_us(text) for text in ("30m", "6h", "7d", "2w")] == [30 * MINUTE, 6 * HOUR, 7 * DAY, 2 * WEEK]
    for wrong in ("0d", "7", "d", "7 d", "-1d", "1.5h", ""):
        with pytest.raises(HarkError):
            span_us(wrong)


def test_after_a_kill_the_caller_computes_and_a_restart_answers(shop: Path, process: Process) -> None:
    """kill -9 leaves a dead socket: callers go on without it, and a new process takes its place."""
    question = {"segment": {"name": "gone_quiet"}}
    expected = ask(shop, question)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (shop / "run" / "questions.sock").exists()
    assert ask(shop, question, SetClock(END)) == expected
    with serving(shop) as again:
        assert ask(shop, question) == expected
        again.terminate()
        assert again.wait(timeout=20) == 0
