"""The demo itself: real server, real HTTP, real SMTP, a virtual clock; five seeds anybody can repeat."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hark.clock import unit_hash
from hark.demo.life import answer, customer
from hark.demo.run import demo
from hark.demo.shop import goes_quiet, orders_within
from hark.errors import HarkError

SEEDS = (1, 2, 3, 4, 5)
CUSTOMERS = 600


def recomputed(seed: int) -> dict[str, tuple[int, int]]:
    """By arm, (entered, goals) by the documented hash and the simulator's lives alone."""
    arms: dict[str, list[bool]] = {"control": [], "treatment": []}
    for one in (customer(seed, number) for number in range(CUSTOMERS)):
        quiet = goes_quiet(one)
        if one.subscribed and quiet is not None:
            alone = unit_hash("campaign/come_back/control", f"a:a-{one.id}") < 0.5
            mail = None if alone else answer(seed, one.number, 0, quiet)
            arms["control" if alone else "treatment"].append(orders_within(one, quiet, mail))
    return {arm: (len(goals), sum(goals)) for arm, goals in arms.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_measured_lift_is_the_true_one(seed: int, tmp_path: Path) -> None:
    """Arms and goals are, to the person, those recomputed; the estimate lies within 3 standard errors."""
    found = demo(tmp_path / "demo", customers=CUSTOMERS, seed=seed, once=True, quiet=True)
    assert {one.arm: (one.entered, one.goals) for one in found.arms} == recomputed(seed)
    assert sum(one.complete for one in found.arms) == found.truth.entered
    assert 0 < found.mails <= found.arms[1].entered
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
