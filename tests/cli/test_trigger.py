"""`hark trigger`: what comes of a call is said at once, with a server and without the same."""

from __future__ import annotations

from pathlib import Path

from tests.cast import hark

WELCOME = """
campaign: welcome
transactional: true
trigger: {api: yes}
reenter: always
steps: [{update: {traits: {order: {ref: data.order}}}}]
---
campaign: other
transactional: true
trigger: {event: Paid}
steps: [{update: {traits: {paid: now}}}]
"""


def test_a_call_says_what_came_of_it(tmp_path: Path) -> None:
    """The call, the entry and the step are said; the same id again does nothing; others are refused."""
    file, data = tmp_path / "welcome.yaml", tmp_path / "data"
    file.write_text(WELCOME)
    hark(data, "apply", str(file))
    call = ("trigger", "welcome", "ada", "--with", '{"order": "o7"}', "--id", "c1")
    sentences = [line["sentence"] for line in hark(data, *call)["lines"]]
    assert sentences[0] == "was named by a call for welcome: order o7"
    assert "was given traits by welcome: order o7" in sentences
    assert hark(data, *call)["lines"] == []
    assert hark(data, "trigger", "other", "ada", fails=True).endswith("[trigger.other]")
