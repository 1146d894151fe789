"""The demo itself: real server, real HTTP, real SMTP, a virtual clock; five seeds anybody can repeat."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hark.demo.run import demo
from hark.errors import HarkError

SEEDS = (1, 2, 3, 4, 5)
CUSTOMERS = 600


@pytest.mark.parametrize("seed", SEEDS)
def test_the_measured_lift_is_the_true_one(seed: int, tmp_path: Path) -> None:
    """Who enters is exactly who the simulator says, and the estimate lies within 3 standard errors."""
    found = demo(tmp_path / "demo", customers=CUSTOMERS, seed=seed, once=True, quiet=True)
    control, treated = found.arms
    assert control.entered + treated.entered == found.truth.entered
    assert control.complete + treated.complete == found.truth.entered
    assert 0 < found.mails <= treated.entered
    standard_error = (found.lift.high - found.lift.low) / (2 * 1.96)
    assert abs(found.lift.estimate - found.planted) <= 3 * standard_error
    shown = msgspec.to_builtins(found)
    assert {"funnel", "retention", "lift", "planted", "seconds"} <= shown.keys()
    assert found.funnel["steps"][0]["step"] == "Product Viewed"
    assert sum(one["size"] for one in found.retention["cohorts"]) == CUSTOMERS


def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    """The demo never writes into a directory that holds something."""
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(HarkError, match="not empty") as found:
        demo(tmp_path, customers=10, once=True, quiet=True)
    assert found.value.id == "demo.not-empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
