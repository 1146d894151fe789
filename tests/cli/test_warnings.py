"""What is allowed and yet should be known is said when definitions are planned and applied."""

from __future__ import annotations

from pathlib import Path

from hark.app import Workspace
from hark.clock import SetClock, instant
from hark.definitions import parse, plan
from hark.model import DAY
from hark.questions import ask
from tests.cast import hark
from tests.data import ROOT

COME_BACK = str(ROOT / "docs" / "examples" / "come_back.yaml")
GRADES = """\
signals: staying
day: "DAY"
customers: 900
grades:
  Order Completed: {grade: GRADE, since: "DAY", did: 30%, stayed: 50%, adds: [0.02, -0.01, 0.05]}
"""
LADDER = "engagement: buyer\nlevels: [{name: bought, when: {did: Order Completed}}]\n"


def graded(folder: Path, grade: str, day: str) -> str:
    file = folder / f"{grade}.yaml"
    file.write_text(GRADES.replace("GRADE", grade).replace("DAY", day))
    return str(file)


def test_plan_and_apply_warn_where_a_goal_tells_little_of_staying(tmp_path: Path) -> None:
    """By the grades in force at that moment: nothing before there are any, a warning with its line and
    figures while the event's grade is none, nothing once it is strong. It is applied all the same."""
    data = tmp_path / "data"
    assert hark(data, "apply", COME_BACK)["warnings"] == []
    hark(data, "apply", graded(tmp_path, "none", "2026-03-01"))
    found = hark(data, "apply", COME_BACK)
    [warning] = found["warnings"]
    assert (warning["file"], Path(COME_BACK).read_text().splitlines()[warning["line"] - 1][:5]) == (
        COME_BACK,
        "goal:",
    )
    assert "Order Completed (no sign since 2026-03-01: 50% of those" in warning["message"]
    assert {change["what"] for change in found["changes"]} == {"same"}
    hark(data, "apply", graded(tmp_path, "strong", "2026-03-02"))
    assert hark(data, "plan", COME_BACK)["warnings"] == []


def test_a_level_shows_the_grades_that_were_known_at_the_time(tmp_path: Path) -> None:
    """Asked as of a date it tells what stood in force then, however that changed since."""
    clock = SetClock(instant("2026-03-01T10:00:00Z"))
    here = Workspace(tmp_path / "data", clock, make=True)
    here.settle()
    documents = {"engagement": LADDER}
    for day, grade in (("2026-03-01", "none"), ("2026-03-02", "strong")):
        documents["signals"] = GRADES.replace("GRADE", grade).replace("DAY", day)
        _apply(here, documents)
        clock.at += DAY
    asked = [
        ask(here.data, {"engagement": {"name": "buyer", "at": instant(at)}}, clock)
        for at in ("2026-02-01T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z")
    ]
    levels = [one["levels"][1]["events"] for one in asked]
    assert levels == [
        [{"event": "Order Completed", "grade": "too few", "since": None}],
        [{"event": "Order Completed", "grade": "none", "since": "2026-03-01"}],
        [{"event": "Order Completed", "grade": "strong", "since": "2026-03-02"}],
    ]
    assert [bool(one["warnings"]) for one in asked] == [False, True, False]


def _apply(here: Workspace, documents: dict[str, str]) -> None:
    wanted = parse.read(documents.items(), here.state().documents())
    here.command(plan.command(wanted, author="ann"))
    here.settle()
