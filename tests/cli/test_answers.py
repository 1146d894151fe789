"""What the commands answer: the shapes that other programs rely on, with a server and without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hark.app import Workspace
from tests import cast
from tests.cast import eventually, serving
from tests.data import ROOT

pytestmark = pytest.mark.xdist_group("answers")

COME_BACK = str(ROOT / "docs" / "examples" / "come_back.yaml")
EVENTS = [
    {"who": f"u{number}", "what": what, "when": f"2026-0{month}-01T00:00:00Z", "plan": "pro"}
    for number in range(5)
    for month, what in enumerate(("Signed Up", "Order Completed", "Order Completed")[: 1 + number], start=1)
]
IMPORT = ["--customer", "who", "--event", "what", "--at", "when", "--trait", "plan"]


def hark(data: Path, *words: str, fails: bool = False) -> Any:
    """With a server each command is a process of its own, as people run it; without one, part of this one."""
    run = cast.hark_process if data.is_dir() and Workspace(data).server else cast.hark
    return run(data, *words, fails=fails)


@pytest.fixture(scope="module", params=["without a server", "with a server"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace of five customers, with or without a server on it."""
    folder = tmp_path_factory.mktemp("answers")
    file, data = folder / "events.jsonl", folder / "data"
    file.write_text("\n".join(json.dumps(event) for event in EVENTS))
    hark(data, "apply", COME_BACK)
    if request.param == "with a server":
        with serving(data):
            hark(data, "import", str(file), *IMPORT)
            yield data
    else:
        hark(data, "import", str(file), *IMPORT)
        yield data


def test_source_add_gives_the_keys(data: Path) -> None:
    """`source add` answers with source, write key and secret key."""
    found = hark(data, "source", "add", "web")
    assert set(found) == {"source", "write_key", "secret_key"}
    assert found["source"] == "web"


def test_a_source_is_added_once(data: Path) -> None:
    """A name that is taken is refused under the same id with a server and without."""
    hark(data, "source", "add", "till")
    assert hark(data, "source", "add", "till", fails=True).endswith("[source.exists]")


def test_funnel(data: Path) -> None:
    """Five signed up, four of them ordered: steps with customers, rates and medians."""
    steps = hark(data, "funnel", "Signed Up", "Order Completed|Nothing")["steps"]
    assert [step["customers"] for step in steps] == [5, 4]
    assert steps[1]["rate_from_first"] == pytest.approx(0.8)
    assert steps[1]["median_s"] == 31 * 86_400
    assert steps[0]["step"] == "Signed Up"


def test_retention(data: Path) -> None:
    """One cohort of five; four order in the month after, three in the next."""
    (cohort,) = hark(
        data, "retention", "--start", "Signed Up", "--return", "Order Completed", "--period", "month"
    )["cohorts"]
    assert (cohort["cohort"], cohort["size"], cohort["active"][1:3]) == ("2026-01", 5, [4, 3])


def test_segment_now_and_then(data: Path) -> None:
    """Those who ordered twice and went quiet: three today, none on the day after the second order."""
    assert hark(data, "segment", "slowing_down")["count"] == 3
    assert hark(data, "segment", "slowing_down", "--at", "2026-03-02T00:00:00Z")["count"] == 0
    assert sorted(hark(data, "segment", "slowing_down")["sample"]) == ["u2", "u3", "u4"]


def test_report_of_a_campaign_nobody_entered(data: Path) -> None:
    """Arms, lift and sample ratio are there, and nothing is claimed."""
    found = hark(data, "report", "come_back")
    assert {arm["arm"] for arm in found["arms"]} >= {"control"}
    assert set(found["arms"][0]) >= {"arm", "entered", "complete", "goals", "rate"}
    assert found["lift"] is None or set(found["lift"]) >= {"estimate", "low", "high"}
    assert "p" in found["sample_ratio"]


def test_customer_and_why(data: Path) -> None:
    """A customer's ids, traits, segments and events; and the reason of each decision."""
    found = hark(data, "customer", "u4")
    assert found["traits"] == {"plan": "pro"}
    assert found["segments"] == ["slowing_down"]
    assert "Order Completed" in {event["event"] for event in found["events"]}
    assert any("slowing_down" in line["sentence"] for line in hark(data, "why", "u4")["lines"])


def test_a_group_is_shown_as_customers_are(data: Path, tmp_path: Path) -> None:
    """Its traits and the segments that it is in; and a funnel of groups says that it counts those."""
    file = tmp_path / "groups.jsonl"
    calls = [
        {"type": "group", "userId": "u4", "groupId": "acme", "traits": {"plan": "free"}},
        {"type": "track", "userId": "u4", "event": "Project Created", "context": {"groupId": "acme"}},
    ]
    file.write_text("\n".join(
        json.dumps({**call, "timestamp": f"2026-01-0{n}T00:00:00Z", "messageId": f"g{n}"})
        for n, call in enumerate(calls, start=1)
    ))  # fmt: skip
    hark(data, "import", str(file), "--format", "segment")
    text = "segment: free\nsubject: {group: account}\nwhere: {trait: {plan: free}}\n"
    (tmp_path / "free.yaml").write_text(text)
    hark(data, "apply", str(tmp_path / "free.yaml"))
    found = hark(data, "customer", "account:acme")
    assert (found["traits"], found["segments"]) == ({"plan": "free"}, ["free"])
    assert hark(data, "segment", "free")["sample"] == ["account:acme"]
    assert hark(data, "lifecycle", "--subject", "account")["periods"]


def test_import_and_apply_count_once(data: Path, tmp_path: Path) -> None:
    """The same file again imports nothing; the same definitions again change nothing."""
    file = tmp_path / "again.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in EVENTS))
    again = hark(data, "import", str(file), *IMPORT)
    assert (again["imported"], again["before"]) == (0, len(EVENTS))
    changes = hark(data, "plan", COME_BACK)["changes"]
    assert {change["what"] for change in changes} == {"same"}


def test_export_is_what_apply_takes(data: Path, tmp_path: Path) -> None:
    """What `export` writes, `plan` reads as the same definitions."""
    out = tmp_path / "all.yaml"
    words = [sys.executable, "-m", "hark", "export", "--out", str(out), "--data", str(data)]
    subprocess.run(words, check=True, timeout=60)
    assert {change["what"] for change in hark(data, "plan", str(out))["changes"]} == {"same"}


def test_check_finds_nothing_wrong(data: Path) -> None:
    """A healthy workspace passes every check."""
    findings: list[dict[str, Any]] = eventually(lambda: hark(data, "check"))
    assert [one["name"] for one in findings if not one["ok"]] == []


@pytest.mark.parametrize(
    ("words", "id"),
    [
        (("report", "nothing"), "campaign.unknown"),
        (("customer", "nobody"), "customer.unknown"),
        (("segment", "nothing"), "segment.unknown"),
        (("segment", "slowing_down", "--at", "2026-03-02"), "time.zone"),
        (("segment", "slowing_down", "--at", "yesterday"), "time.zone"),
        (("why", "u4", "nothing"), "campaign.unknown"),
        (("replay", "--campaign", "nothing"), "campaign.unknown"),
        (("apply", "nothing.yaml"), "definitions.file"),
    ],
)
def test_questions_about_nothing_say_so(data: Path, words: tuple[str, ...], id: str) -> None:
    """An unknown name or a time without a zone is one line with a hint."""
    error = hark(data, *words, fails=True)
    assert error.endswith(f"[{id}]")
    assert "(" in error


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A question about a missing directory says so and makes nothing."""
    assert "[data.missing]" in hark(tmp_path / "typo", "funnel", "A", "B", fails=True)
    assert not (tmp_path / "typo").exists()


def test_a_source_is_shown_and_changed(data: Path) -> None:
    """Settings and keys are changed by commands, with and without a server, and shown without secrets."""
    made = hark(data, "source", "add", "kiosk")
    changed = hark(data, "source", "set", "kiosk", "--strict", "--protect", "Paid", "--dedupe", "7d")
    assert (changed["strict"], changed["protected"], changed["dedupe_days"]) == (True, ["Paid"], 7)
    new = hark(data, "source", "key", "add", "kiosk", "--secret", "--others-expire", "1d")["secret_key"]
    shown = hark(data, "source", "show", "kiosk")
    assert [(key["secret"], key["key"], key["expires_at"] is None) for key in shown["keys"]] == [
        (False, made["write_key"], True),
        (True, "", False),
        (True, "", True),
    ]
    assert new not in json.dumps(shown)


def test_what_an_import_refuses_is_in_the_reject_log(data: Path, tmp_path: Path) -> None:
    """A call that HTTP would refuse is refused, counted and kept, with a server and without."""
    file = tmp_path / "facts.jsonl"
    call = {"who": "u1", "what": "Goal Reached", "when": "2026-01-01T00:00:00Z", "plan": "pro"}
    file.write_text(json.dumps(call))
    hark(data, "import", str(file), *IMPORT)
    found = hark(data, "rejects", "--source", "import", "--reason", "reserved_name")["rejects"]
    assert len(found) == 1
    assert "Goal Reached" in found[0]["excerpt"]


def test_events_are_listed_with_their_properties(data: Path) -> None:
    """The catalogue counts each event, and names the properties of one."""
    found = {one["name"]: one["count"] for one in hark(data, "events")["events"]}
    assert (found["Signed Up"], found["Order Completed"]) == (5, 7)
    page = hark(data, "events", "Signed Up")
    assert (page["event"]["kind"], page["looked"], page["event"]["planned"]) == ("track", 5, False)
