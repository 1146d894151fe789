"""`hark backtest` by the command, by Python and over several processes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import hark as shop_of
from hark.decide.backtest.run import Span
from hark.errors import HarkError
from hark.history.reader import open_snapshot
from hark.model import DAY, HOUR, SECOND
from hark.questions.backtest import Job, in_processes, shared_out, walk_part
from hark.store.state import open_reader
from tests.cast import hark
from tests.engine.world import START, World, sent

SHOP = """
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
---
campaign: thanks
trigger: {event: Bought}
goal: {event: Bought, within: 7d}
topic: news
reenter: always
steps: [{send: {channel: email, template: hello}}]
"""
NEW = """
segment: buyers
where: {did: {event: Bought, times: {gte: 2}}}
---
campaign: again
trigger: {enters: buyers}
goal: {event: Bought, within: 7d}
topic: news
steps: [{send: {channel: email, template: hello}}]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ten customers who buy on every second day of a month, each less often than the one before."""
    world = World(tmp_path / "data")
    world.define(SHOP)
    for number in range(10):
        world.identify(f"u{number}", email=f"u{number}@x.example")
    for day in range(0, 30, 2):
        world.clock.at = START + day * DAY + SECOND
        for number in range(1, 10):
            if day % number == 0:
                world.track(f"u{number}", "Bought")
    world.catch_up()
    return world


def test_the_command_says_what_a_campaign_in_force_and_a_new_one_would_do(
    world: World, tmp_path: Path
) -> None:
    """By name, or by a file which leaves what is in force as it was; between two dates, if asked."""
    found = hark(world.data, "backtest", "thanks")
    bought = sum(day % number == 0 for day in range(0, 30, 2) for number in range(1, 10))
    assert found["entries"] == found["messages"] == bought
    (tmp_path / "new.yaml").write_text(NEW)
    new = hark(world.data, "backtest", str(tmp_path / "new.yaml"))
    assert (new["campaign"], new["entries"], new["customers"]) == ("again", 9, 9)
    assert sorted(new["sample"]) == [f"u{number}" for number in range(1, 10)]
    assert "again" not in {one.name for one in world.reader.documents()}
    days = hark(world.data, "backtest", "thanks", "--from", "2026-01-03", "--to", "2026-01-05")
    assert days["entries"] == sum(2 % number == 0 for number in range(1, 10))


def test_python_gives_the_same_typed(world: World) -> None:
    """`shop.backtest` answers with the same numbers, and says so by name if there is no such campaign."""
    shop = shop_of.open(world.data)
    assert shop.backtest("again", NEW).entries == 9
    assert shop.backtest("thanks", since="2026-01-03", until="2026-01-05").entries == 2
    with pytest.raises(HarkError, match="no campaign nobody"):
        shop.backtest("nobody")


def test_mistakes_are_told(world: World, tmp_path: Path) -> None:
    """A file without a campaign, a time without history, a campaign that is not there."""
    (tmp_path / "topic.yaml").write_text("topic: offers\n")
    assert "has no campaign" in hark(world.data, "backtest", str(tmp_path / "topic.yaml"), fails=True)
    assert "no campaign nobody" in hark(world.data, "backtest", "nobody", fails=True)
    assert "no history" in hark(world.data, "backtest", "thanks", "--from", "2027-01-01", fails=True)


def test_parts_of_several_processes_add_up_to_the_whole(world: World) -> None:
    """Two processes with half the buckets each find together what one process finds."""
    state = open_reader(world.data)
    snapshot = open_snapshot(world.data, state)
    span = Span(None, None, world.clock.at)
    whole = Job(str(world.data), "UTC", state.documents(), "thanks", span, list(range(snapshot.buckets)))
    shares = shared_out({bucket: 1 + bucket % 3 for bucket in whole.buckets}, 2)
    assert sorted(bucket for share in shares for bucket in share) == whole.buckets
    one, other = in_processes([msgspec.structs.replace(whole, buckets=share) for share in shares])
    assert one.entries
    assert other.entries
    one.add(other)
    expected = walk_part(whole)
    key = lambda entry: (entry.subject, entry.at)  # noqa: E731 - of both lists
    assert sorted(one.entries, key=key) == sorted(expected.entries, key=key)
    assert (one.withheld, one.customers, one.events) == (
        expected.withheld, expected.customers, expected.events,
    )  # fmt: skip


AUTO = """
campaign: more
trigger: {event: Bought}
goal: {event: Bought, within: 3d}
expects: 5%
topic: news
reenter: always
steps: [{send: {channel: email, template: hello}}]
"""


def test_auto_is_the_share_proposed_when_it_is_applied(world: World, tmp_path: Path) -> None:
    """The share proposed stands in the version; applied again that is kept, changed it is proposed anew."""
    file = tmp_path / "auto.yaml"
    file.write_text(AUTO)
    proposed = hark(world.data, "backtest", str(file))["control"]["share"]
    assert proposed > 0.2
    hark(world.data, "apply", str(file))
    (kept,) = world.reader.versions("campaign", "more")
    assert kept.body["control"] == {"auto": pytest.approx(proposed)}
    assert hark(world.data, "apply", str(file))["changes"][0]["what"] == "same"
    file.write_text(AUTO.replace("3d", "5d"))
    assert hark(world.data, "plan", str(file))["changes"][0]["keys"] == ["goal"]
    hark(world.data, "apply", str(file))
    _, later = world.reader.versions("campaign", "more")
    assert later.body["goal"]["within"] == "5d"
    assert later.body["control"]["auto"] > 0.2


def test_without_history_auto_stays_auto(tmp_path: Path) -> None:
    """The first campaign of a new directory is applied as it was written."""
    file = tmp_path / "auto.yaml"
    file.write_text(SHOP.replace("reenter", "expects: 5%\nreenter"))
    hark(tmp_path / "data", "apply", str(file))
    (kept,) = World(tmp_path / "data").reader.versions("campaign", "thanks")
    assert "control" not in kept.body


SLOW = """
segment: slow
where: {pace: {from: Began, to: Bought, slower_than: 0.9, stayed: no}}
---
segment: slow_too
where: {in_segment: slow}
---
campaign: push
trigger: {enters: slow_too}
goal: {event: Bought, within: 7d}
topic: news
reenter: always
steps: [{send: {channel: email, template: hello}}]
"""


def test_pace_is_that_of_its_date(tmp_path: Path) -> None:
    """Who is slower than people were by then enters on that day, though all were slower later; a segment may
    name another."""
    world = World(tmp_path / "data")
    world.define(SHOP)
    for day, what, who in sorted([*waits(0, 1, "early"), *waits(42, 12, "late"), (35, "Began", "slowpoke")]):
        world.clock.at = START + day * DAY + SECOND
        world.identify(who, email=f"{who}@x.example")
        world.track(who, what)
    world.clock.at = START + 100 * DAY
    world.track("early0", "Bought")
    world.catch_up()
    found = shop_of.open(world.data).backtest("push", SLOW, since="2026-02-02", until="2026-02-12")
    assert [(day.day, day.entries) for day in found.by_day if day.entries] == [("2026-02-06", 1)]


GRADES = """
signals: staying
day: "2026-03-01"
customers: 900
grades: {Invited: {grade: GRADE, since: "2026-03-01", did: 30%, stayed: 50%}}
"""
EARNED = """
policy: attention
budget: {refill: 1 per 365d, most: 1, max_wait: 1h, earned: {strong: 1}}
"""


def test_attention_is_earned_by_the_grades_of_their_date(tmp_path: Path) -> None:
    """Each of four buys, invites somebody an hour later and buys again the next day; the second message can
    be paid by the two who invited while that was graded strong, and by nobody before the first grades or
    while it was weak. So it went live, too."""
    world = World(tmp_path / "data")
    world.define(SHOP.replace("reenter", "control: none\nwhy: a test\nreenter") + "---" + EARNED)
    grades = {4: "strong", 8: "weak", 12: "strong"}
    for day in range(16):
        world.clock.at = START + day * DAY + SECOND
        if day in grades:
            world.define(GRADES.replace("GRADE", grades[day]))
            world.engine(sent).catch_up()
        who = f"u{day // 4}"
        if day % 4 == 1:
            world.identify(who, email=f"{who}@x.example")
            world.track(who, "Bought")
            world.engine(sent).catch_up()
            world.clock.at += HOUR
            world.track(who, "Invited")
        if day % 4 == 2:
            world.track(who, "Bought")
        world.engine(sent).catch_up()
    found = shop_of.open(world.data).backtest("thanks")
    assert (found.entries, found.messages, found.withheld) == (8, 6, {"budget": 2})
    names = ("Message Sending", "Message Withheld")
    live = open_snapshot(world.data, world.reader).table(names, ("name",))["name"].to_pylist()
    assert [live.count(name) for name in names] == [6, 2]


def waits(day: int, days: int, name: str) -> list[tuple[int, str, str]]:
    """Sixty people who begin on a day and buy so many days after."""
    people = [f"{name}{number}" for number in range(60)]
    return [*((day, "Began", one) for one in people), *((day + days, "Bought", one) for one in people)]
