"""From a shop's first events to segments, drafts and an honest base rate, in one command."""

from __future__ import annotations

import csv
import gzip
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hark.cli import app
from hark.errors import HarkError
from tests.data import shared

pytestmark = pytest.mark.xdist_group("engagement")

EVERY = 30
"""One of so many customers of the shop is taken."""


def run(*words: object) -> Any:
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def events() -> list[tuple[str, str, datetime]]:
    """(customer, event, when) of some customers of the published shop."""
    with gzip.open(shared("simple_shop/simple_shop_events.csv.gz"), "rt") as file:
        rows = [(row["user_id"], row["event"], row["timestamp"]) for row in csv.DictReader(file)]
    return [(who, what, datetime.fromisoformat(at)) for who, what, at in rows if int(who) % EVERY == 0]


@pytest.fixture(scope="module")
def data(events: list[tuple[str, str, datetime]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    file = folder / "shop.csv"
    lines = (f"{who},{what},{at:%Y-%m-%d %H:%M:%S.%f}" for who, what, at in events)
    file.write_text("\n".join(["user_id,event,timestamp", *lines]))
    words = ["--customer", "user_id", "--event", "event", "--at", "timestamp", "--zone", "UTC"]
    run("import", file, *words, "--data", folder / "data")
    return folder / "data"


def test_the_base_rate_is_that_of_a_count_by_hand(
    data: Path, events: list[tuple[str, str, datetime]]
) -> None:
    """Who ever had a cart would enter; of their first entries whose three days and a day are over so many had
    paid within three days, though nobody was written to."""
    found = run("begin", "shop", "--data", data)["backtests"]["basket_left"]
    last, rates = max(at for _, _, at in events), []
    carts: dict[str, datetime] = {}
    for who, what, at in sorted(events, key=lambda one: one[2]):
        if what == "cart":
            carts.setdefault(who, at)
    for who, at in carts.items():
        if at + timedelta(days=4) < last:
            paid = (when for one, what, when in events if (one, what) == (who, "payment_done"))
            rates.append(any(at < when <= at + timedelta(days=3) for when in paid))
    assert found["customers"] == len(carts)
    assert found["first_rate"]["estimate"] == pytest.approx(sum(rates) / len(rates))


def test_which_pack_fits_and_what_is_put_into_force(data: Path, tmp_path: Path) -> None:
    """The shop's pack fits best; applied, its campaigns are drafts that nobody enters, and it can be taken
    again; under other names it would change what is there, and is refused."""
    packs = run("begin", "--data", data)["packs"]
    assert packs[0] == {"pack": "shop", "events": 3, "seen": 3}
    made = run("begin", "shop", "--apply", "--out", tmp_path / "shop.yaml", "--data", data)
    assert (made["applied"], (tmp_path / "shop.yaml").read_text()) == (True, made["text"])
    said = CliRunner().invoke(app, ["export", "--data", str(data)]).stdout
    assert sorted(re.findall(r"(?m)^campaign: (\w+)", said)) == ["basket_left", "come_back", "looked_twice"]
    assert said.count("\npaused: yes") == 3
    with pytest.raises(HarkError) as taken:
        run("begin", "shop", "--apply", "--map", "Order Completed=payment_card", "--data", data)
    assert taken.value.id == "start.taken"


@pytest.mark.parametrize(
    ("words", "id"),
    [
        (("shopp",), "start.unknown"),
        (("shop", "--map", "x"), "start.map"),
        (("shop", "--map", "x=y"), "start.event"),
    ],
)
def test_what_cannot_be_started(data: Path, words: tuple[str, ...], id: str) -> None:
    """Each with its id."""
    with pytest.raises(HarkError) as error:
        run("begin", *words, "--data", data)
    assert error.value.id == id
