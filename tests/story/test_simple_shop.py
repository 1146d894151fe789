"""A demonstration shop with published funnels, from a file through the whole product."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import hark
from tests.data import shared

pytestmark = pytest.mark.xdist_group("simple_shop")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the shop's 32,283 events."""
    file, data = shared("simple_shop/simple_shop_events.csv.gz"), tmp_path_factory.mktemp("shop") / "data"
    words = ["import", str(file), "--customer", "user_id", "--event", "event", "--at", "timestamp"]
    assert hark(data, *words)["imported"] == 32_283
    return data


@pytest.mark.parametrize(
    ("steps", "customers"),
    [
        (("catalog", "cart", "payment_done"), [3611, 1924, 653]),
        (("catalog", "product1|product2", "cart", "payment_done"), [3611, 2010, 1257, 429]),
    ],
)
def test_the_published_funnels(shop: Path, steps: tuple[str, ...], customers: list[int]) -> None:
    """The funnels of the project's guides come out to the customer."""
    answer = hark(shop, "funnel", *steps)
    assert [step["customers"] for step in answer["steps"]] == customers
    assert set(answer["steps"][0]) >= {"step", "customers", "rate_from_first", "median_s"}
