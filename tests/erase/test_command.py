"""`hark erase`, as a person uses it: beside a server and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import all_read, eventually, hark, serving
from tests.erase.test_erase import MARK, holding

pytestmark = pytest.mark.xdist_group("answers")


def test_erased_beside_a_server(tmp_path: Path) -> None:
    """The command answers with the day for the log; no question finds the customer; once the server has
    ended no byte of them is anywhere but in the log's files, also not of those it had before the erasure."""
    with serving(tmp_path) as server:
        key = hark(tmp_path, "source", "add", "web")["write_key"]
        for user in ("bob", MARK):
            call = {"userId": user, "event": "Signed Up", "properties": {"note": user}}
            assert server.post("/v1/track", call, key).status_code == 200
        all_read(tmp_path)
        assert len(hark(tmp_path, "customer", MARK)["events"]) == 1
        done = hark(tmp_path, "erase", MARK, "--yes")
        assert done["in_log_until"] > done["at"]
        assert "customer.unknown" in hark(tmp_path, "customer", MARK, fails=True)
        assert "customer.unknown" in hark(tmp_path, "erase", MARK, "--yes", fails=True)
        assert hark(tmp_path, "funnel", "Signed Up")["steps"][0]["customers"] == 1
        eventually(lambda: not hark(tmp_path, "erase")["erasures"][0]["in_history"])
    left = {path for path in holding(tmp_path) if not path.startswith("serve.out")}
    assert left and {path.split("/")[0] for path in left} == {"log"}
    assert hark(tmp_path, "erase")["erasures"][0]["in_old_files"] is False


def test_erased_without_a_server(tmp_path: Path) -> None:
    """The command does the engine's work itself and leaves the directory clean."""
    file = tmp_path / "events.jsonl"
    file.write_text(
        f'{{"who":"{MARK}","at":"2026-01-01T00:00:00Z"}}\n{{"who":"bob","at":"2026-01-01T00:00:00Z"}}\n'
    )
    data = tmp_path / "data"
    columns = ("--customer", "who", "--at", "at", "--event-name", "Signed Up")
    hark(data, "import", str(file), *columns)
    hark(data, "erase", MARK, "--yes")
    assert {path.split("/")[0] for path in holding(data)} == {"log"}
    assert hark(data, "funnel", "Signed Up")["steps"][0]["customers"] == 1
    assert hark(data, "import", str(file), *columns)["imported"] == 0
    other = tmp_path / "same.csv"
    other.write_text(f"who,at\n{MARK},2026-01-01T00:00:00Z\n")
    hark(data, "import", str(other), *columns)
    assert hark(data, "funnel", "Signed Up")["steps"][0]["customers"] == 1
