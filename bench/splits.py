"""A/A: real customers split at random, looked at every week: `python -m bench.splits FOLDER [SPLITS]`.

FOLDER holds simple_shop/ and online_retail/ (docs/learn.md says where they come from). Every customer enters
with the first event; the goal is the second order (or cart) within 30 days. Nobody is treated, so whatever
split is called different is a false alarm. Limit 6.4 % of 1,000 splits (5 % and chance).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.model import DAY, WEEK

SPLITS = 1_000
WINDOW_US, GRACE_US = 30 * DAY, DAY
LIMIT = 0.064
SEED = 20260301
Ints = npt.NDArray[np.int64]


def online_retail(folder: Path) -> tuple[Ints, Ints, Ints]:
    """(customer, at, is the goal) of the orders: lines of a customer with a positive quantity, by invoice."""
    lines = pa.parquet.read_table(folder / "online_retail" / "online_retail_lines.parquet")
    lines = lines.filter(pc.and_(pc.is_valid(lines["CustomerID"]), pc.greater(lines["Quantity"], 0)))
    orders = lines.group_by(["CustomerID", "InvoiceNo"]).aggregate([("InvoiceDate", "min")])
    who = pc.cast(orders["CustomerID"], pa.int64()).to_numpy()
    at = pc.cast(pc.cast(orders["InvoiceDate_min"], pa.timestamp("us")), pa.int64()).to_numpy()
    return who, at, np.ones(len(who), np.int64)


def simple_shop(folder: Path) -> tuple[Ints, Ints, Ints]:
    """The same of the shop's events, with the cart as the goal."""
    rows = pa.csv.read_csv(folder / "simple_shop" / "simple_shop_events.csv.gz")
    at = pc.cast(pc.cast(rows["timestamp"], pa.timestamp("us")), pa.int64()).to_numpy()
    return rows["user_id"].to_numpy(), at, pc.equal(rows["event"], "cart").to_numpy().astype(np.int64)


def entered(who: Ints, at: Ints, goal: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """By customer, the first event's time, and whether the goal followed it within the window."""
    order = np.lexsort((at, who))
    who, at, goal = who[order], at[order], goal[order]
    _, first, place = np.unique(who, return_index=True, return_inverse=True)
    since = at - at[first][place]
    reached = (goal == 1) & (since > 0) & (since <= WINDOW_US)
    return at[first], np.bincount(place[reached], minlength=len(first)) > 0


def false_alarms(start: Ints, reached: npt.NDArray[np.bool_], splits: int) -> float:
    """The share of splits whose always-valid interval left out 0 in some week."""
    treated = np.random.default_rng(SEED).random((splits, len(start))) < 0.5
    alarm = np.zeros(splits, np.bool_)
    for now in range(int(start.min()) + WINDOW_US + GRACE_US, int(start.max()) + WINDOW_US + GRACE_US, WEEK):
        over = start + WINDOW_US + GRACE_US < now
        people, goals = treated[:, over].sum(axis=1), treated[:, over & reached].sum(axis=1)
        sums = zip(people.tolist(), goals.tolist(), strict=True)
        alarm |= [_differs(Sums(*ours), int(over.sum()), int((over & reached).sum())) for ours in sums]
    return float(alarm.mean())


def _differs(ours: Sums, people: int, goals: int) -> bool:
    found = anytime.rate(ours, Sums(people - ours.subjects, goals - ours.goals))
    return found is not None and found.excludes_zero


def main(folder: Path, splits: int) -> None:
    for read in (online_retail, simple_shop):
        start, reached = entered(*read(folder))
        told = {"data": read.__name__, "customers": len(start), "rate": round(float(reached.mean()), 4)}
        told |= {"splits": splits, "false_alarms": false_alarms(start, reached, splits), "limit": LIMIT}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SPLITS)
