"""What each subscriber will stay and pay: by integrals, by hand, and as traits that the day's work tells."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from hark.app import Workspace
from hark.clock import SetClock, instant, moment
from hark.definitions import parse, plan
from hark.definitions.learned import Renewing
from hark.learn.worth import sbg
from hark.learn.worth.renewing import estimates, latest, stays, to_come
from hark.learn.worth.sbg import ShiftedBetaGeometric
from hark.learn.worth.subscriptions import NEVER, Subscribers
from hark.model import DAY, Lane
from hark.questions import ask
from hark.questions.daily import Daily

MODEL = ShiftedBetaGeometric(0.668, 3.806)
TRAITS = """
computed: chance
subscription: {start: [Subscribed, Resumed], end: Left, what: stays, ahead: 3}
---
computed: to_pay
subscription: {start: [Subscribed, Resumed], end: Left, what: value, value: plan.price, ahead: 6}
"""
START = instant("2026-01-05T12:00:00Z")
NOW = START + 300 * DAY


@pytest.mark.parametrize("done", [0, 3, 11])
def test_the_chance_of_staying_is_the_integral_over_the_chances_of_leaving(done: int) -> None:
    """Who renewed t times leaves each time with a probability that is beta(alpha, beta + t); (1 - p)^n of it
    is integrated, and the periods to come are the sum of that over n."""

    def there(n: int) -> float:
        dense = beta(MODEL.alpha, MODEL.beta + done).pdf
        return float(quad(lambda p: (1 - p) ** n * dense(p), 0, 1, epsabs=1e-10)[0])

    counted = np.array([float(done)])
    assert stays(MODEL, counted, 4)[0] == pytest.approx(there(4), rel=1e-6)
    assert to_come(MODEL, counted, 4)[0] == pytest.approx(sum(map(there, range(1, 5))), rel=1e-6)


def test_who_left_has_nothing_to_come() -> None:
    """Of forty who left and forty who are there, only the latter have a chance; too few make no model."""
    ends = [START + 45 * DAY] * 40 + [NEVER] * 40
    of = Subscribers(np.full(80, START), np.array(ends), np.arange(80))
    asked = Renewing(("A",), ("B",), "stays")
    found = estimates(of, None, NOW, asked)
    assert found is not None
    assert found[:40].tolist() == [0.0] * 40
    assert found[40] > 0
    few = Subscribers(of.start[21:], of.end[21:], of.subject[21:])
    assert estimates(few, None, NOW, asked) is None


def test_the_price_is_that_of_the_latest_start() -> None:
    """A start without a price leaves the one before; who is not asked for is nobody."""
    who, at = np.array([5, 3, 5, 9, 5]), np.array([10, 10, 30, 10, 20])
    found = latest(np.array([3, 5, 7]), who, at, np.array([4.0, 8.0, 0.0, 1.0, 6.0]))
    assert found.tolist() == [8.0, 6.0, 0.0]


def test_the_day_s_work_tells_every_subscriber(tmp_path: Path) -> None:
    """120 began a month apart in ten waves, every third left in the middle of the third period; each one's
    trait is the price times the periods that the model, fitted here, says."""
    here = Workspace(tmp_path / "data", SetClock(NOW), make=True)
    here.settle()
    here.command(plan.command(parse.read([("f", TRAITS)]), author="ann", note=""))
    left, still, done = np.zeros(10), np.zeros(11), {}
    calls = []
    for who in range(120):
        began = START + 30 * (who % 10) * DAY
        call = {"type": "track", "userId": f"c{who}", "event": "Subscribed", "timestamp": stamp(began)}
        calls.append(call | {"properties": {"plan": {"price": 5 + who % 2}}})
        ends = began + 75 * DAY
        if who % 3 == 0 and ends < NOW:
            calls.append({"type": "track", "userId": f"c{who}", "event": "Left", "timestamp": stamp(ends)})
            left[2] += 1
        else:
            done[who] = (NOW - began) // (30 * DAY)
            still[done[who]] += 1
    with here.appending() as log:
        log.append(Lane.LIVE, "batch", "shop", msgspec.json.encode({"batch": calls}))
    here.settle()
    assert Daily(here).once()
    here.settle()
    model, _ = sbg.fit_all(left, still)
    worth = {who: (5 + who % 2) * to_come(model, np.array([float(t)]), 6)[0] for who, t in done.items()}
    middle = float(np.median(list(worth.values())))
    expected = sum(value >= middle for value in worth.values())
    assert count(here, {"to_pay": {"gte": middle - 0.006}}) == expected
    assert count(here, {"to_pay": 0}) == 120 - len(done) == int(left.sum())
    assert count(here, {"chance": {"gt": 0}}) == len(done)


def stamp(at: int) -> str:
    return moment(at).isoformat()


def count(here: Workspace, traits: object) -> int:
    found = ask(here.data, {"segment_preview": {"where": {"trait": traits}}}, here.clock)
    return int(found["count"])
