"""Where customers stand in an engagement definition: by command, from Python, live and as of a date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import hark
from hark.cli import app
from hark.errors import HarkError
from hark.workspace import History

pytestmark = pytest.mark.xdist_group("engagement")

READER = """
engagement: reader
levels:
  - {name: noticed, when: {did: {event: Opened, within: 60d}}}
  - {name: reading, when: {did: {event: Read, within: 14d, times: {gte: 2}}}, grace: 7d}
---
policy: internal
where: {trait: {email: {ends_with: "@us.example"}}}
"""
COARSE = """
engagement: reader
levels:
  - {name: noticed, when: {did: {event: Opened, within: 60d}}}
"""
NOW = "2026-03-01T00:00:00Z"
CUSTOMERS = 60
"""Two thirds opened in January; a third read twice, in its last days, and came back in February."""


def history() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def did(number: int, what: str, when: str) -> None:
        place = "us" if number == 0 else "them"
        found.append({"who": f"u{number}", "what": what, "when": when, "email": f"u{number}@{place}.example"})

    for number in range(CUSTOMERS):
        did(number, "Signed Up", "2026-01-02T00:00:00Z")
        if number % 3:
            did(number, "Opened", "2026-01-10T00:00:00Z")
        if number % 3 == 2:
            did(number, "Read", "2026-01-28T00:00:00Z")
            did(number, "Read", "2026-01-30T00:00:00Z")
            did(number, "Used", "2026-02-10T00:00:00Z")
    for number in range(1, 4):
        did(number, "Used", "2026-02-11T00:00:00Z")
    return found


def run(*words: object) -> Any:
    """A command in this process; its JSON."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engagement")
    file, data = folder / "events.jsonl", folder / "data"
    file.write_text("\n".join(json.dumps(one) for one in history()))
    words = ["--customer", "who", "--event", "what", "--at", "when", "--trait", "email"]
    run("import", file, *words, "--data", data)
    for number, text in enumerate((COARSE, READER)):
        (folder / f"{number}.yaml").write_text(text)
        run("apply", folder / f"{number}.yaml", "--data", data)
    return data


@pytest.fixture(scope="module")
def place(data: Path) -> History:
    return hark.open(data)


def counts(answer: Any) -> list[int]:
    return [one["customers"] for one in answer["levels"]]


def test_how_many_stand_where_as_of_a_date(data: Path, place: History) -> None:
    """A third each below all, noticed and reading, one of us left out; two weeks after the last reading, and
    its grace, nobody reads any more."""
    found = run("engagement", "reader", "--at", "2026-02-01T00:00:00Z", "--weeks", 2, "--data", data)
    assert counts(found) == [19, 20, 20]
    assert found["customers"] == 59
    assert [one["level"] for one in found["levels"]] == [None, "noticed", "reading"]
    assert found["levels"][2]["says"].startswith(
        "did Read at least 2 times in the last 14 days (and up to 7 days"
    )
    assert counts(place.engagement("reader", at="2026-02-17T00:00:00Z")) == [19, 20, 20]
    assert counts(place.engagement("reader", at="2026-02-18T00:00:00Z")) == [19, 40, 0]


def test_who_moved_in_the_weeks_before(place: History) -> None:
    """From the beginning of the year: everybody was not here yet; in February readers fell by one level."""
    found = place.engagement("reader", at="2026-02-01T00:00:00Z", weeks=8)
    moves = {(one["from"], one["to"]): one["customers"] for one in found["moves"]}
    assert moves == {("new", "below"): 19, ("new", "noticed"): 20, ("new", "reading"): 20}
    found = place.engagement("reader", at="2026-02-22T00:00:00Z", weeks=2)
    moves = {(one["from"], one["to"]): one["customers"] for one in found["moves"]}
    assert moves == {("below", "below"): 19, ("noticed", "noticed"): 20, ("reading", "noticed"): 20}
    assert [one["customers"] for one in found["over_time"]] == [[19, 20, 20], [19, 20, 20], [19, 40, 0]]


def test_two_versions_are_compared(data: Path) -> None:
    """22 of 59 came back, 20 of 20 readers, u1 of those noticed, and u3: the levels tell it better."""
    found = run("engagement", "reader", "--at", NOW, "--compare", 1, "--data", data)["compare"]
    assert (found["customers"], found["came_back"], found["moved"]) == (59, 22, 20)
    pairs = 22 * 37
    assert found["one"]["estimate"] == pytest.approx((20 * 37 + 1 * (18 + 19 / 2) + 18 / 2) / pairs)
    assert found["other"]["estimate"] == pytest.approx((21 * (18 + 19 / 2) + 18 / 2) / pairs)
    assert found["difference"]["low"] > 0
    said = CliRunner().invoke(
        app, ["engagement", "reader", "--at", NOW, "--compare", "1", "--data", str(data)]
    )
    assert "Version 2 tells it better." in said.stdout


def test_levels_end_by_time_alone(data: Path) -> None:
    """By now everybody has fallen below all levels; a level is no segment among a customer's."""
    assert counts(run("engagement", "reader", "--data", data)) == [59, 0, 0]
    customer = run("customer", "u2", "--data", data)
    assert (customer["segments"], customer["levels"]) == ([], {"reader": None})


def test_stages_are_told_without_a_document(data: Path, place: History) -> None:
    """Everybody who signed up on the second of January is aware for 90 days by the built-in stages, and came
    to it in the week that ends on the fourth; the words on the terminal say how many rose."""
    found = run("stages", "--at", "2026-02-01T00:00:00Z", "--weeks", 5, "--data", data)
    assert {one["level"]: one["customers"] for one in found["levels"] if one["customers"]} == {"aware": 59}
    assert (found["version"], found["levels"][0]["level"]) == (0, "unaware")
    assert found["rates"] == [{"from": "aware", "to": "aware", "times": 59 * 4, "rate": 1.0}]
    aware = next(one for one in found["stays"] if one["level"] == "aware")
    assert aware == {"level": "aware", "began": 59, "rose": 0, "fell": 0, "weeks": None}
    later = place.stages(at="2026-04-05T00:00:00Z", weeks=2)
    assert {(one["from"], one["to"]): one["times"] for one in later["rates"]} == {
        ("aware", "aware"): 59,
        ("aware", "unaware"): 59,
    }
    said = CliRunner().invoke(app, ["stages", "--at", "2026-02-01T00:00:00Z", "--data", str(data)]).stdout
    assert "purchase, version 0: 59 customers" in said


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ({"name": "raeder"}, "engagement.unknown"),
        ({"name": "reader", "compare": 7}, "engagement.version"),
        ({"name": "reader", "weeks": 0}, "question.wrong"),
    ],
)
def test_what_cannot_be_asked(place: History, asked: dict[str, Any], id: str) -> None:
    """Each with its id and what would be right."""
    with pytest.raises(HarkError) as error:
        place.ask({"engagement": asked})
    assert error.value.id == id
    assert error.value.hint


def test_a_statement_is_signed_and_proven(data: Path, tmp_path: Path) -> None:
    """What the command prints is proven by this workspace, and with the key alone by anybody; changed by one
    letter, or against another key, it is refused."""
    made = CliRunner().invoke(app, ["engagement", "reader", "--at", NOW, "--statement", "--data", str(data)])
    file = tmp_path / "statement.txt"
    file.write_text(made.stdout)
    assert "ENGAGEMENT STATEMENT: reader" in made.stdout
    found = run("verify", file, "--data", data)
    assert (found["unchanged"], found["ours"]) == (True, True)
    nowhere = tmp_path / "nowhere"
    assert run("verify", file, "--key", found["key"], "--data", nowhere)["key"] == found["key"]
    with pytest.raises(HarkError) as other:
        run("verify", file, "--key", "A" * 43 + "=", "--data", nowhere)
    assert other.value.id == "statement.other_key"
    file.write_text(made.stdout.replace("59, our", "58, our"))
    with pytest.raises(HarkError) as changed:
        run("verify", file, "--data", data)
    assert changed.value.id == "statement.changed"
