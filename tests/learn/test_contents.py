"""What became of each item of the catalogue: against a count by hand over each customer's history."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.definitions.contents import Content
from hark.definitions.stages import built_in
from hark.learn.aftermath import LATER_US, after
from hark.learn.contents import ON_US, Contents, contents
from hark.model import DAY, Event
from hark.understand.levels_then import LAST, level_then
from hark.understand.people import people
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

NOW = T0 + 60 * DAY
STAGE = built_in()[1]
CATALOGUE = {
    "guide": Content(
        "guide", "The guide", "https://shop.example/guides/size", "guide", ("considering",), ("fit",), 476
    ),
    "film": Content("film", "The film", "https://shop.example/film", "video", also=("film-of-sizes",)),
    "other": Content("other", "Another guide", "https://shop.example/other", "guide"),
}
TEXTS = {
    "guide": [{"content": "/guides/size"}, {"url": "https://www.shop.example/guides/size/?utm_source=x"}],
    "film": [{"content": "film-of-sizes"}, {"content": "/film"}],
    "": [{"content": "/elsewhere"}, {}],
}
NAMES = (
    "Content Read",
    "Time Spent",
    "Message Sent",
    "Goal Reached",
    "Order Completed",
    "Product Added",
    "Page",
    "Unsubscribed",
)


def told(rows: list[tuple[int, int, str, str, int]]) -> list[Event]:
    found = []
    for seq, (who, at, name, item, which) in enumerate(rows, start=1):
        about = dict(TEXTS[item][which % 2])
        if name == "Message Sent":
            about = {"message": f"m{seq}", "run": f"r{who}", "campaign": "c", "content": item}
        elif name == "Goal Reached":
            about = {"run": f"r{who}"}
        one = event(who, at, seq, name, about | {"active_s": 30 * (which + 1)})
        found.append(replace(one, active=False) if name == "Unsubscribed" else one)
    return found


drawn = st.tuples(
    st.integers(1, 4),
    st.integers(0, 50).map(lambda n: T0 + n * DAY),
    st.sampled_from(NAMES),
    st.sampled_from(list(TEXTS)),
    st.integers(0, 3),
)


def ask(events: list[Event], parts: int = 1) -> Contents:
    return contents(people(snapshot(events, parts), NOW), CATALOGUE, STAGE, NOW)


@settings(max_examples=80, deadline=None)
@given(st.lists(drawn, max_size=40), st.integers(1, 3))
def test_each_item_is_told_as_a_count_by_hand(rows: list[tuple[int, int, str, str, int]], parts: int) -> None:
    """Readers, their stages, who went on, who read what they were sent, minutes and what came later."""
    events = told(rows)
    of = {one.seq: item for one, (_, _, _, item, _) in zip(events, rows, strict=True)}
    ordered = sorted(events, key=lambda one: (one.subject, one.at, one.seq))
    found = ask(events, parts)
    assert found.unlisted == sum(one.name == "Content Read" and not of[one.seq] for one in events)
    for item in found.items:
        mine = [one for one in ordered if of[one.seq] == item.content]
        reads = [one for one in mine if one.name == "Content Read"]
        sends = [one for one in mine if one.name == "Message Sent"]
        assert (item.read.sent, item.read.sent_to) == (len(sends), len({one.subject for one in sends}))
        assert (item.read.reads, item.read.readers) == (len(reads), len({one.subject for one in reads}))
        assert item.read.read_after == sum(
            any(
                one.subject == sent.subject and (sent.at, sent.seq) < (one.at, one.seq)
                and one.at <= sent.at + LATER_US
                for one in reads
            )
            for sent in sends
        )  # fmt: skip
        reached = {one.subject for one in events if one.name == "Goal Reached"}
        assert item.read.goals == sum(one.subject in reached for one in sends)
        _stages(item.content, item.read.at_stage, found, reads, ordered)
        over = [one for one in reads if one.at + 7 * DAY < NOW]
        later = [after([x for x in ordered if x.subject == one.subject], (one.at, one.seq)) for one in over]
        assert item.read.later.moments == len(over)
        assert item.read.later.returned == sum(one.returned for one in later)
        assert item.read.later.muted == sum(one.muted for one in later)


def _stages(
    name: str, at_stage: dict[str, int], found: Contents, reads: list[Event], ordered: list[Event]
) -> None:
    first = {one.subject: one for one in reversed(reads)}
    names, readers, on, back = (STAGE.floor, *STAGE.names), 0, 0, 0
    counts = dict.fromkeys(names, 0)
    for who, one in first.items():
        mine = [x for x in ordered if x.subject == who]
        then = level_then(mine, STAGE, (one.at, one.seq))
        counts[names[then]] += 1
        if one.at + ON_US < NOW and then < len(STAGE.names):
            later = level_then(mine, STAGE, (one.at + ON_US, LAST))
            readers, on, back = readers + 1, on + (later > then), back + (later < then)
    assert at_stage == counts
    gone = next(one.read.gone_on for one in found.items if one.content == name)
    assert (gone.readers, gone.on, gone.back) == (readers, on, back)


def test_reading_before_the_message_is_not_of_it() -> None:
    """Only what was read after it counts, until 7 days after."""
    sent = {"message": "m1", "run": "r1", "campaign": "c", "content": "guide"}
    for at, counts in ((-1, 0), (0, 1), (7 * DAY, 1), (7 * DAY + 1, 0)):
        read = event(1, T0 + at, 2, "Content Read", {"content": "/guides/size"})
        found = ask([event(1, T0, 1, "Message Sent", sent), read])
        assert next(one.read.read_after for one in found.items if one.content == "guide") == counts


def test_a_format_counts_people_once() -> None:
    """Who read two guides is one reader of guides, at the stage of the first of them."""
    events = [
        event(1, T0, 1, "Content Read", {"content": "/guides/size", "active_s": 60}),
        event(1, T0 + DAY, 2, "Order Completed"),
        event(1, T0 + 2 * DAY, 3, "Content Read", {"content": "/other", "active_s": 60}),
        event(2, T0, 4, "Content Read", {"content": "/other", "active_s": 30}),
        event(2, T0 + 60, 5, "Time Spent", {"content": "/other", "active_s": 90}),
        event(2, T0 + 90, 6, "Worth It", {"content": "/other", "worth": True}),
    ]
    found = ask(events)
    guides = next(one for one in found.formats if one.format == "guide")
    assert (guides.items, guides.read.reads, guides.read.readers) == (2, 3, 2)
    assert {name: n for name, n in guides.read.at_stage.items() if n} == {"unaware": 2}
    assert (guides.read.gone_on.on, guides.read.gone_on.readers) == (1, 2)
    assert guides.read.minutes == 1 + 1.5  # where time was told, that; else what the reading took
    assert (guides.read.useful, guides.read.useless) == (1, 0)
    assert [one.content for one in found.items] == ["other", "guide", "film"]
