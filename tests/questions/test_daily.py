"""The day's work of a running server: the next batch of campaigns that learn, once a day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hark.app import Workspace
from hark.clock import SetClock, instant, moment
from hark.definitions import parse, plan
from hark.history.columns import micros
from hark.model import DAY, HOUR, Instant, Lane
from hark.questions import ask
from hark.questions.daily import Daily

LEARNS = """
campaign: subject_lines
trigger: {event: Signed Up}
goal: {event: Bought, within: 1d}
control: none
why: a test
topic: news
allocation: learn
variants: {a: {send: {channel: email, template: hello}}, b: {send: {channel: email, template: hello}}}
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def workspace(folder: Path) -> Workspace:
    """Ten people entered a campaign that learns, and their windows are over."""
    clock = SetClock(instant("2026-03-02T10:00:00Z"))
    found = Workspace(folder / "data", clock, make=True)
    found.settle()
    found.command(plan.command(parse.read([("f", LEARNS)]), author="ann", note=""))
    with found.appending() as log:
        for number in range(10):
            who = f'"userId": "u{number}"'
            log.append(
                Lane.LIVE,
                "identify",
                "shop",
                f'{{{who}, "traits": {{"email": "u{number}@x.example"}}}}'.encode(),
            )
            log.append(Lane.LIVE, "track", "shop", f'{{{who}, "event": "Signed Up"}}'.encode())
    found.settle()
    clock.at += 3 * DAY
    return found


def test_a_batch_a_day(tmp_path: Path) -> None:
    """From three in the morning on the day's batch is begun once; the next one a day later; not where nobody
    learns."""
    here = workspace(tmp_path)
    assert isinstance(here.clock, SetClock)
    here.clock.at = instant("2026-03-06T02:59:00Z")
    daily = Daily(here)
    assert not daily.once()
    here.clock.at += HOUR
    assert [daily.once(), daily.once()] == [True, False]
    (batch,) = [one for one in here.state().documents() if one.kind == "allocation"]
    assert batch.body["of"] == 1
    assert sum(batch.body["shares"].values()) == 1
    assert not Daily(here).once()
    here.clock.at += DAY
    assert daily.once()


def test_how_long_people_take_is_kept_daily_where_it_is_asked(tmp_path: Path) -> None:
    """A segment that compares people's pace has a table of each day; without one there is none."""
    here = workspace(tmp_path)
    assert isinstance(here.clock, SetClock)
    daily = Daily(here)
    daily.once()
    assert not [one for one in here.state().documents() if one.kind == "pace"]
    slow = "segment: slow\nwhere: {pace: {from: Signed Up, to: Bought, slower_than: 0.9}}"
    here.command(plan.command(parse.read([("f", slow)]), author="ann", note=""))
    days = []
    for _ in range(2):
        assert [daily.once(), daily.once()] == [True, False]
        (table,) = [one for one in here.state().documents() if one.kind == "pace"]
        days.append((table.version, table.body["day"]))
        here.clock.at += DAY
    assert days == [(1, "2026-03-05"), (2, "2026-03-06")]


ASKS = """
campaign: bring_a_friend
intent: ask
trigger: {event: Bought}
goal: {event: Referral Stayed, within: 60d}
control: none
why: a test
topic: news
steps: [{send: {channel: email, template: hello}}]
"""


def test_a_friend_who_stays_is_told_to_the_referrer_once(tmp_path: Path) -> None:
    """A month after a friend came, joined and stayed stand in the referrer's history at their own times, and
    are the goal of the campaign that asked; the champions' question says so; nothing is written twice."""
    here = workspace(tmp_path)
    assert isinstance(here.clock, SetClock)
    here.command(plan.command(parse.read([("f", ASKS)], here.state().documents()), author="ann", note=""))
    _does(here, "u3", "track", '"event": "Bought"')
    here.clock.at += DAY
    joined = here.clock.at
    _does(here, "friend", "identify", '"traits": {"referred_by": "u3"}')
    here.clock.at += 23 * DAY
    _does(here, "friend", "track", '"event": "Bought"')
    here.clock.at += DAY
    daily = Daily(here)
    daily.once()
    here.settle()
    referrer, friend = here.state().find("u3"), here.state().find("friend")
    names = ("Referral Joined", "Referral Stayed")
    table = here.snapshot().table(names, ("subject", "at", "name", "active", "properties"))
    assert micros(table["at"]).tolist() == [joined, joined + 23 * DAY]
    rows = table.to_pylist()
    assert [row["name"] for row in rows] == [*names]
    assert {(row["subject"], row["active"], row["properties"]) for row in rows} == {
        (referrer, False, f'{{"friend":"#{friend}"}}'.encode())
    }
    found = ask(here.data, {"champions": {}}, here.clock)
    assert found["friends"]["stayed"] == 1
    (tree,) = found["trees"]
    assert (tree["customer"], [one["customer"] for one in tree["friends"]]) == ("u3", ["friend"])
    (reached,) = here.snapshot().table(("Goal Reached",), ("subject", "at")).to_pylist()
    assert reached["subject"] == referrer
    here.clock.at += 60 * DAY
    assert not ask(here.data, {"referrals": {}}, here.clock)
    report = ask(here.data, {"report": {"campaign": "bring_a_friend"}}, here.clock)
    assert [(one["complete"], one["goals"]) for one in report["arms"] if one["entered"]] == [(1, 1)]


def _does(here: Workspace, who: str, kind: str, said: str) -> None:
    with here.appending() as log:
        log.append(Lane.LIVE, kind, "shop", f'{{"userId": "{who}", {said}}}'.encode())
    here.settle()


def test_an_invitation_counts_if_its_address_came_after_it(tmp_path: Path) -> None:
    """Who is invited by mail and comes afterwards was brought; who was here before was not."""
    here = workspace(tmp_path)
    assert isinstance(here.clock, SetClock)
    for email in ("new@x.example", "u1@x.example"):
        _does(here, "u4", "track", f'"event": "Invitation Sent", "properties": {{"email": "{email}"}}')
    here.clock.at += HOUR
    _does(here, "late", "identify", '"traits": {"email": "new@x.example"}')
    (tree,) = ask(here.data, {"champions": {}}, here.clock)["trees"]
    assert (tree["customer"], [one["customer"] for one in tree["friends"]]) == ("u4", ["late"])


def beginners(
    here: Workspace, prefix: str, people: int, began: Instant, stays: Callable[[int], bool]
) -> None:
    """People who began then, every second by ordering; who stays came again 40 days later."""
    members = []
    for number in range(people):
        names = ["Came", *(["Ordered"] if number % 2 else ["Looked"])]
        times = [(name, began + place) for place, name in enumerate(names)]
        times += [("Came", began + 40 * DAY)] if stays(number) else []
        for name, at in times:
            said = f'"userId": "{prefix}{number}", "type": "track", "event": "{name}"'
            stamp = f'"timestamp": "{moment(at):%Y-%m-%dT%H:%M:%S}Z", "messageId": "{prefix}{number}-{at}"'
            members.append(f"{{{said}, {stamp}}}")
    with here.appending() as log:
        for first in range(0, len(members), 1000):
            body = f'{{"batch": [{", ".join(members[first : first + 1000])}]}}'
            log.append(Lane.LIVE, "batch", "shop", body.encode())
    here.settle()


def test_the_grades_of_events_are_kept_daily_with_the_day_since_which_they_stand(tmp_path: Path) -> None:
    """Of those who ordered three in four stay, of the others one in four: strong, until many come of whom it
    is not so. The catalogue of events says what stands, and each day's version remains."""
    here = Workspace(tmp_path / "data", SetClock(instant("2026-02-28T10:00:00Z")), make=True)
    assert isinstance(here.clock, SetClock)
    here.settle()
    for wave in range(3):
        began = here.clock.at - 58 * DAY + wave * HOUR
        beginners(here, f"a{wave}", 80, began, lambda number: number % 8 in (0, 1, 3, 5))
    kept = []
    for day in range(3):
        if day == 2:
            for wave in range(3):
                began = here.clock.at - 58 * DAY + wave * HOUR
                beginners(here, f"b{wave}", 800, began, lambda number: number % 4 < 2)
        Daily(here).once()
        here.settle()
        [document] = [one for one in here.state().documents() if one.kind == "signals"]
        ordered = document.body["grades"]["Ordered"]
        kept.append((document.version, document.body["day"], ordered["grade"], ordered["since"]))
        lines = {one["name"]: one for one in ask(here.data, {"events": {}}, here.clock)["events"]}
        assert (lines["Ordered"]["grade"], lines["Ordered"]["graded"]["since"]) == kept[-1][2:]
        here.clock.at += DAY
    assert kept == [
        (1, "2026-02-28", "strong", "2026-02-28"),
        (2, "2026-03-01", "strong", "2026-02-28"),
        (3, "2026-03-02", "none", "2026-03-02"),
    ]
    assert lines["Came"]["grade"] == "too few"
    versions = here.state().versions("signals", "staying")
    assert [one.body["grades"]["Ordered"]["grade"] for one in versions] == ["strong", "strong", "none"]
