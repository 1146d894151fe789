"""The list to look at before a campaign is started."""

from __future__ import annotations

import pytest

from hark.console.launch import checks
from hark.definitions.parse import parse
from hark.definitions.types import Campaign
from tests.decide.story import TOPIC, campaign

SENDER = "sender: shop\naddress: 'Shop <shop@shop.example>'\n---\n"


def listed(text: str) -> dict[str, tuple[bool | None, str]]:
    found = [one.definition for one in parse(TOPIC + text)]
    newest = next(one for one in found if isinstance(one, Campaign) and one.name == "hello")
    return {one.asks: (one.good, one.says) for one in checks(newest, found)}


def test_what_is_lacking_is_said() -> None:
    """No belief, nobody left alone, no sender: each with what to do."""
    found = listed(campaign())
    assert found["Goal"][0]
    assert found["Belief"] == (False, "Say why it should help: hypothesis.")
    assert found["Left alone"] == (False, "Nobody (a test): nothing can be learned of it.")
    assert found["Sender: email"] == (False, "No sender for email: apply one.")


def test_what_is_there_is_good() -> None:
    """With belief, forecast, control and sender only what a person has to say is left."""
    found = listed(SENDER + campaign(control="20%", hypothesis="They forgot.", expects="4%"))
    assert [asks for asks, (good, _) in found.items() if not good] == [
        "All controls together",
        "Worth their attention",
    ]
    assert found["Belief"][1] == "Written down, with a forecast of +4.0%."


@pytest.mark.parametrize("share", ["10%", "0%"])
def test_all_controls_together(share: str) -> None:
    """1 - (1 - global)(1 - 0.4)(1 - 0.1): who is left alone by at least one; a paused campaign counts
    nobody."""
    others = campaign(control="40%").replace("campaign: hello", "campaign: other") + "---\n"
    others += campaign(control="50%", paused="yes").replace("campaign: hello", "campaign: resting") + "---\n"
    policy = f"policy: attention\nglobal_control: {{share: {share}}}\n---\n"
    found = listed(policy + others + campaign(control="10%"))
    expected = 1 - (1 - float(share.rstrip("%")) / 100) * 0.6 * 0.9
    assert f"{expected:.0%} of those who qualify" in found["All controls together"][1]
