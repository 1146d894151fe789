"""What was found to change people, for ranking: of a whole directory, as its report has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hark.clock import SetClock
from hark.questions import ask

pytestmark = pytest.mark.xdist_group("console")


def test_the_effect_is_that_of_the_report(shop: Path, clock: SetClock) -> None:
    """The one campaign that leaves people alone has the lift of its report's complete windows, half a goal
    and half a failure added to each arm; the one without a control is left out."""
    arms = {one["arm"]: one for one in ask(shop, {"report": {"campaign": "come_back"}}, clock)["arms"]}
    rate = {name: (one["goals"] + 0.5) / (one["complete"] + 1) for name, one in arms.items()}
    found = ask(shop, {"effects": {}}, clock)
    assert found.keys() == {"come_back"}
    assert found["come_back"]["mean"] == round(rate["treatment"] - rate["control"], 4)
    assert (found["come_back"]["of"], found["come_back"]["worth"]) == (1, 1.0)
