"""What the commands can do with campaigns, Python can."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hark
from hark.errors import HarkError
from tests.cast import hark as command

DEFINITIONS = """
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
---
segment: there
where: {did: Came}
---
programme: loyalty
control: 20%
goal: {event: Bought, within: 28d}
---
campaign: called
trigger: {api: yes}
audience: {in_segment: there}
goal: {event: Bought, within: 7d}
control: 20%
programme: loyalty
topic: news
paused: yes
steps: [{send: {channel: email, template: hello}}]
"""


def test_a_campaigns_life_from_python(tmp_path: Path) -> None:
    """Applied, refused while paused, ramped, started, called, explained, paused and ended: each a version,
    each answer typed, and the commands see the same."""
    command(tmp_path / "data", "apply", str(_written(tmp_path)))
    shop = hark.open(tmp_path / "data")
    assert [one.reason for one in shop.trigger("called", "ada", {"order": 7}) if one.reason] == ["paused"]
    assert [one.version for one in shop.start("called", ramp="5%")] == [2]
    assert [one.keys for one in shop.start("called")] == [("ramp",)]
    lines = shop.trigger("called", "ada", {"order": 7}, id="c1")
    assert [one.reason for one in lines if one.reason] == ["not_in_audience"]
    assert shop.trigger("called", "ada", {"order": 7}, id="c1") == []
    lacking = [one.asks for one in shop.why_not("ada", "called") if one.holds is False]
    assert lacking == ["not_reachable", "not_in_audience"]
    assert shop.arms("ada").campaigns["called"].version == 3
    assert shop.why("ada", "called")[-1].campaign == "called"
    told = command(tmp_path / "data", "why", "ada", "called")["lines"]
    assert [one["sentence"] for one in told] == [one.sentence for one in shop.why("ada", "called")]
    assert shop.report("called").verdict.word == "not known yet"
    assert shop.reports().keys() == {"called"} and shop.interactions() == {}
    assert shop.programme("loyalty").entered == {}
    assert shop.journey("called").entered == {} and len(shop.calendar(3).days) == 3
    assert [one.version for one in shop.pause("called")] == [4]
    assert [one.what for one in shop.pause("called")] == ["same"]
    assert command(tmp_path / "data", "end", "called")["changes"][0]["version"] == 5
    assert [one.version for one in shop.rehearse("called")] == [6]
    with pytest.raises(HarkError, match=r"campaign\.unknown"):
        shop.pause("nothing")
    with pytest.raises(HarkError, match=r"customer\.unknown"):
        shop.why("nobody")


def _written(folder: Path) -> Path:
    (folder / "all.yaml").write_text(DEFINITIONS)
    return folder / "all.yaml"


def test_the_table_of_doors_names_what_is_there() -> None:
    """Every command, method and address of the table exists."""
    from hark.cli import COMMANDS
    from hark.workspace import History

    table = (Path(hark.__file__).parents[1] / "docs" / "python.md").read_text()
    assert set(re.findall(r"`hark (\w+)`", table)) <= COMMANDS.keys()
    named = re.findall(r"shop\.(\w+)\(", table)
    assert len(named) > 15 and all(callable(getattr(History, one)) for one in named)
