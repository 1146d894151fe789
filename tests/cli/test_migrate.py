"""`hark migrate`: looks first, moves only when told to, and Python and the command say the same."""

from __future__ import annotations

from pathlib import Path

import hark as library
from tests.cast import hark

CAMPAIGN = """
campaign: slow
trigger: {api: yes}
goal: {event: Bought, within: 7d}
control: none
why: a test
topic: news
steps: [{wait: {for: SPAN}, id: ID}, {send: {channel: email, template: hello}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def test_it_looks_first_and_then_moves(tmp_path: Path) -> None:
    """Without --yes nothing is moved; a wait with another id has to be named; afterwards nobody is left."""
    file, data = tmp_path / "slow.yaml", tmp_path / "data"
    file.write_text(CAMPAIGN.replace("SPAN", "2d").replace("ID", "pause"))
    hark(data, "apply", str(file))
    shop = library.open(data)
    people = tmp_path / "people.csv"
    people.write_text("email,customer\nada@shop.example,ada\n")
    hark(data, "people", str(people), "--customer", "customer", "--all-are", "in", "--topic", "news")
    hark(data, "trigger", "slow", "ada")
    file.write_text(CAMPAIGN.replace("SPAN", "3d").replace("ID", "rest"))
    hark(data, "apply", str(file))
    assert hark(data, "migrate", "slow")["groups"][0]["why"] == "step_gone"
    look = hark(data, "migrate", "slow", "--step", "pause=rest")
    assert (look["moves"], look["stays"], look["moved"]) == (1, 0, False)
    assert shop.migration("slow", steps={"pause": "rest"})["moves"] == 1
    assert hark(data, "migrate", "slow", "--step", "pause=rest", "--yes")["moved"]
    assert hark(data, "migrate", "slow")["groups"] == []
    assert "moved from version 1 of slow to 2" in str(hark(data, "why", "ada"))
    assert hark(data, "migrate", "slow", "--to", "9", fails=True).endswith("[campaign.version]")
