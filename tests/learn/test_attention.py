"""Time well spent: what was asked for, told message by message and text by text."""

from __future__ import annotations

import pytest

from hark.learn.attention import caused, contents, messages
from hark.learn.compare import Interval
from hark.model import DAY, HOUR, Event
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

NOW = T0 + 30 * DAY


def sent(who: int, seq: int, at: int = T0) -> Event:
    told = {"message": f"m{seq}", "run": f"r{seq}", "campaign": "back", "template": "hello"}
    return event(who, at, seq, "Message Sent", told)


def test_what_a_message_asked_and_what_came_later() -> None:
    """One is read by a person who reaches the goal, one opened by a machine, one too new to judge."""
    events = [
        sent(1, 1),
        event(1, T0 + HOUR, 2, "Message Opened", {"message": "m1"}),
        event(1, T0 + 2 * DAY, 3, "Bought"),
        event(1, T0 + 2 * DAY, 4, "Goal Reached", {"run": "r1"}),
        sent(2, 5),
        event(2, T0, 6, "Message Opened", {"message": "m5", "machine": True}),
        event(2, T0 + 3 * DAY, 7, "Message Complained"),
        event(1, T0 + 3 * DAY, 9, "Worth It", {"message": "m1", "worth": False}),
        event(1, T0 + 4 * DAY, 10, "Worth It", {"message": "m1", "worth": True}),
        sent(3, 8, NOW - DAY),
    ]
    quiet = [one for one in events if one.name != "Message Opened"]
    (found,) = messages(
        snapshot(quiet + [one for one in events if one.name == "Message Opened"], 2), {"hello": 119}, NOW
    )
    assert (found.campaign, found.template, found.sent, found.read) == ("back", "hello", 3, 1)
    assert found.minutes == pytest.approx(0.5 + 2 * 2 / 60)
    assert (found.goals, found.later.moments, found.later.open) == (1, 2, 1)
    assert (found.later.complained, found.later.muted) == (1, 0)
    assert (found.useful, found.useless) == (1, 0)


def test_what_a_text_took_and_who_found_it_useful() -> None:
    """Minutes are those that the reading script told; a last word of each person counts once."""
    read = {"content": "guide", "title": "The guide", "active_s": 30}
    events = [
        event(1, T0, 1, "Content Read", read),
        event(1, T0 + 60, 2, "Time Spent", {"content": "guide", "active_s": 90}),
        event(1, T0 + 70, 3, "Worth It", {"content": "guide", "worth": False}),
        event(1, T0 + 80, 4, "Worth It", {"content": "guide", "worth": True}),
        event(1, T0 + 2 * DAY, 5, "Feature Used"),
        event(2, T0, 6, "Content Read", {"content": "news", "active_s": 60}),
    ]
    guide, news = contents(snapshot(events, 1), NOW)
    assert (guide.title, guide.reads, guide.readers, guide.minutes) == ("The guide", 1, 1, 1.5)
    assert (guide.useful, guide.useless) == (1, 0)
    assert (guide.later.returned, guide.later.tried) == (1, 1)
    assert (news.minutes, news.later.returned, news.later.moments) == (1, 0, 1)


def test_worth_is_what_was_caused_for_a_minute() -> None:
    """A lift of 2 to 6 points among 500 people, worth 3 each, over 100 minutes; of no minutes nothing."""
    found = caused(Interval(0.04, 0.02, 0.06), 500, 3, 100)
    assert found is not None
    assert (found.goals.low, found.goals.high) == (10, 30)
    assert found.per_minute.estimate == pytest.approx(0.6)
    assert found.per_minute.high == pytest.approx(0.9)
    assert caused(Interval(0.04, 0.02, 0.06), 500, 3, 0) is None
