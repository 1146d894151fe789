"""Questions that take long: how far they are, how they are ended, and what they may cost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from hark.cli import app
from hark.clock import WallClock
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.history.runs import Run
from hark.model import JSON
from hark.questions import SOCKET, Answer, Progress, ask, begin, budget, cancel, jobs, look
from hark.questions.desk import Desk
from hark.questions.jobs import WAITING
from hark.questions.process import Server
from tests.cast import PATIENCE_S, eventually

pytestmark = pytest.mark.xdist_group("jobs")

FUNNEL: JSON = {"funnel": {"steps": ["A", "B"]}}
EVENTS = [{"who": f"u{n}", "what": what, "when": f"2026-01-0{day}T00:00:00Z"}
          for n in range(20) for day, what in enumerate("AB", start=1)]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty customers who did A and then B."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "data").mkdir()
    (folder / "data" / "hark.toml").write_text("seal_events = 1")
    (folder / "events.jsonl").write_text("\n".join(json.dumps(one) for one in EVENTS))
    words = ["import", folder / "events.jsonl", "--data", folder / "data"]
    words += ["--customer", "who", "--event", "what", "--at", "when"]
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder / "data"


class Gated(Desk):
    """A desk whose history is read a bucket at a time, each when the test says so."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, WallClock())
        self.gate = threading.Semaphore(0)
        self.parts_read = 0

    def snapshot(self) -> Snapshot:
        found = super().snapshot()
        runs = found.runs

        def gated(*asked: Any) -> list[Run]:
            self.gate.acquire()
            part = runs(*asked)
            self.parts_read += 1
            return part

        found.runs = cast(Any, gated)  # type: ignore[method-assign]
        return found

    def open(self) -> None:
        """From now on nothing waits."""
        self.gate.release(10_000)


@pytest.fixture
def desk(data: Path) -> Iterator[Gated]:
    """A desk with the questions' server on the directory's socket."""
    desk, path = Gated(data), data / "run" / SOCKET
    path.parent.mkdir(exist_ok=True)
    with Server(path, desk) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield desk
        desk.open()
        server.shutdown()
        serving.join()
        server.jobs.close()
    path.unlink()


def begun(data: Path, question: JSON = FUNNEL) -> Progress:
    found = begin(data, question)
    assert isinstance(found, Progress)
    return found


def told(data: Path, id: str, true: Callable[[Progress], bool]) -> Progress:
    """How far the question is, once it is so far."""

    def looked() -> Progress | None:
        found = look(data, id)
        return found if isinstance(found, Progress) and true(found) else None

    found: Progress = eventually(looked)
    return found


def refused(data: Path, id: str) -> str:
    """The id of the error by which a question ends."""

    def over() -> str:
        try:
            look(data, id)
        except HarkError as error:
            return error.id
        return ""

    found: str = eventually(over)
    return found


def test_how_far_a_question_is(data: Path, desk: Gated) -> None:
    """A question that takes long says how many parts are done, and is answered in the end."""
    question = begun(data)
    assert (question.done, question.of) == (0, 0)
    desk.gate.release(3)
    assert told(data, question.id, lambda one: one.done == 3).of == 8
    desk.open()
    found = look(data, question.id, PATIENCE_S)
    assert isinstance(found, Answer)
    assert [step["customers"] for step in found.answer["steps"]] == [20, 20]


def test_a_cancelled_question_reads_no_further(data: Path, desk: Gated) -> None:
    """After cancelling, what is being read ends, nothing else begins, and who waits is told why."""
    question = begun(data)
    desk.gate.release()
    told(data, question.id, lambda one: one.done == 1)
    cancel(data, question.id)
    desk.open()
    assert refused(data, question.id) == "question.cancelled"
    assert desk.parts_read == 1
    assert ask(data, FUNNEL)["steps"][1]["customers"] == 20


def test_the_same_question_is_computed_once(data: Path, desk: Gated) -> None:
    """Whoever asks what is being answered joins in; another question is another."""
    first, again = begun(data), begun(data)
    assert first.id == again.id
    assert begun(data, {"funnel": {"steps": ["B", "A"]}}).id != first.id


def test_interrupting_who_waits_ends_the_question(data: Path, desk: Gated) -> None:
    """Ctrl-C in a command that waits cancels the question in the process."""
    heard: list[Progress] = []

    def interrupted(progress: Progress) -> None:
        heard.append(progress)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(data, FUNNEL, told=interrupted)
    desk.open()
    assert refused(data, heard[0].id) == "question.cancelled"


def test_more_than_there_is_room_for_are_refused(data: Path, desk: Gated) -> None:
    """So many different questions are in hand; the next is told to come again."""
    for number in range(WAITING):
        begun(data, {"funnel": {"steps": [f"Step {number}"]}})
    with pytest.raises(HarkError, match=r"question\.busy"):
        begun(data)


def test_a_question_that_takes_too_long_is_ended(data: Path, desk: Gated) -> None:
    """Past its time a question ends, with the setting's name in the hint."""
    desk.budget = replace(desk.budget, seconds=0)
    desk.open()
    with pytest.raises(HarkError, match=r"raise question_s .*question\.slow"):
        ask(data, FUNNEL)


def test_a_question_that_needs_too_much_memory_is_ended(
    data: Path, desk: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past its memory a question ends, what was kept is given back, and the next one is answered."""
    desk.open()
    ask(data, FUNNEL)
    assert desk.resident.held_bytes
    with monkeypatch.context() as patch:
        patch.setattr(budget, "used_bytes", lambda: 1 << 60)
        with pytest.raises(HarkError, match=r"question_memory_mb .*question\.memory"):
            ask(data, {"funnel": {"steps": ["A"]}})
        assert not desk.resident.held_bytes
    assert ask(data, {"funnel": {"steps": ["A"]}})["steps"][0]["customers"] == 20


def test_an_allocation_that_fails_is_a_refusal(
    data: Path, desk: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory runs out within a piece of work, the question says so, and the process goes on."""

    def too_much() -> Snapshot:
        raise MemoryError

    monkeypatch.setattr(desk, "snapshot", too_much)
    with pytest.raises(HarkError, match=r"question\.memory"):
        ask(data, FUNNEL)


def test_a_mistake_of_ours_is_said_and_no_more(
    data: Path, desk: Gated, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error in a kernel is named to who asked, and printed whole where the process runs."""
    monkeypatch.setattr(desk, "snapshot", lambda: 1 // 0)
    with pytest.raises(HarkError, match=r"ZeroDivisionError.*question\.failed"):
        ask(data, FUNNEL)
    assert "Traceback" in capsys.readouterr().err


def test_a_question_that_nobody_waits_for_is_ended(
    data: Path, desk: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was closed costs no more than the time until that is noticed."""
    monkeypatch.setattr(jobs, "ABANDONED_S", -1.0)
    desk.open()
    with pytest.raises(HarkError, match=r"question\.abandoned"):
        ask(data, FUNNEL)


def test_nothing_is_known_of_another_process_question(data: Path, desk: Gated) -> None:
    """An id of nobody's is said to be gone; cancelling it does no harm."""
    cancel(data, "q_nobody")
    with pytest.raises(HarkError, match=r"question\.gone"):
        look(data, "q_nobody")


def test_memory_is_counted_and_limited() -> None:
    """What is counted grows by what is allocated and kept."""
    before = budget.used_bytes()
    kept = bytes(64 << 20).replace(b"\0", b"\1")
    assert budget.used_bytes() - before > 0.9 * len(kept)
    assert 0 < budget.used_bytes() < budget.memory_bytes()
