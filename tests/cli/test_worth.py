"""`hark worth` on a real shop's purchases."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from tests.cast import hark
from tests.data import shared

END = "1998-06-30T23:00:00Z"
ASKED = ["worth", "Order Completed", "--value", "revenue", "--at", END, "--ahead", "39"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CDNOW's sample, imported."""
    folder = tmp_path_factory.mktemp("worth")
    file = folder / "orders.csv"
    with gzip.open(shared("cdnow/cdnow_sample_transactions.csv.gz"), "rt") as lines, file.open("w") as out:
        out.write("who,at,revenue\n")
        for one in csv.DictReader(lines):
            out.write(f"{one['sample_customer_id']},{one['date']}T12:00:00Z,{one['dollar_value']}\n")
    hark(
        folder / "data",
        "import",
        str(file),
        "--customer",
        "who",
        "--event-name",
        "Order Completed",
        "--at",
        "at",
    )
    return folder / "data"


def test_worth_of_cdnow(data: Path) -> None:
    """2,357 customers; purchases held back are as many as were made; the best prospects have their ids."""
    found = hark(data, *ASKED, "--held-back", "39")
    assert found["customers"] == 2357
    assert round(sum(one["customers"] * one["actual"] for one in found["checks"])) == 1882
    assert {"customer", "alive", "purchases", "value"} == found["top"][0].keys()
    assert [one["name"] for one in found["purchases"]] == ["r", "alpha", "a", "b"]


def test_too_few_and_impossible_weeks_are_told(data: Path) -> None:
    """An event nobody did, and weeks out of range, are errors with an id."""
    assert hark(data, "worth", "Nothing", fails=True).endswith("[worth.few]")
    assert hark(data, *ASKED, "--held-back", "0", fails=True).endswith("[question.wrong]")
