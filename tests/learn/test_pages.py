"""Pages that are read and in no document: found by all their addresses, measured, and drafted."""

from __future__ import annotations

import json

from msgspec.structs import replace

from hark.definitions.content_drafts import FEWEST, drafts
from hark.definitions.contents import Content
from hark.definitions.parse import parse
from hark.definitions.stages import built_in
from hark.learn.pages import Page, pages
from hark.model import DAY, JSON, Event
from hark.understand.people import people
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

STAGE = built_in()[1]
SITE = "https://www.shop.example"


def read(who: int, seq: int, at: int = T0, name: str = "Content Read", on: str = "", **told: JSON) -> Event:
    """`on`: where the browser was, as its context tells."""
    one = event(who, at, seq, name, told)
    return replace(one, context=json.dumps({"page": {"url": on}}).encode()) if on else one


def seen(events: list[Event], *known: Content, opened: bool = False, most: int = 10) -> list[Page]:
    return pages(people(snapshot(events, 2), T0 + 9 * DAY), known, STAGE, T0 + 9 * DAY, opened, most)


def test_a_page_is_one_by_all_its_addresses() -> None:
    """With and without the site, parameters of tracking and a slash it is one page; the address is the one by
    which people reached it most often, title and words are the latest, the time is the median."""
    guide = f"{SITE}/guides/running/size"
    events = [
        read(1, 1, url=f"{guide}?utm_source=mail", title="Old", words=900, active_s=60),
        read(
            2, 2, T0 + 1, on=f"{guide}/", content="/guides/running/size/", title="Sizes | Shop", active_s=240
        ),
        read(
            2,
            3,
            T0 + 2,
            on=f"{guide}#top",
            content="/guides/running/size",
            title="Sizes | Shop",
            active_s=120,
        ),
        read(3, 4, T0 + 3, content="/guides/running/size", words=1000),
        read(3, 5, T0 + 4, on=f"{SITE}/other?p=1", content="/other", title="Other | Shop"),
    ]
    found, other = seen(events)
    assert (found.address, found.url) == ("shop.example/guides/running/size", guide)
    assert (found.readers, found.words, found.minutes, found.title) == (3, 1000, 2.0, "Sizes | Shop")
    assert (other.url, other.readers) == (f"{SITE}/other?p=1", 1)


def test_a_path_that_two_sites_have_stays_by_itself() -> None:
    """Nobody can say which of them it is; without an address there is no draft."""
    events = [
        read(1, 1, url=f"{SITE}/a"), read(2, 2, url="https://blog.example/a"), read(3, 3, content="/a"),
        read(3, 4, content="/a"),
    ]  # fmt: skip
    found = seen(events)
    assert [(one.address, one.url) for one in found] == [
        ("/a", ""), ("blog.example/a", "https://blog.example/a"), ("shop.example/a", f"{SITE}/a"),
    ]  # fmt: skip
    assert [bool(one) for one in drafts(found, ())] == [False, True, True]


def test_what_is_in_a_document_is_not_proposed() -> None:
    """By its address, its path where no site is told, or a further name."""
    guide = Content("guide", "A guide", f"{SITE}/guide", "guide", also=("how-to",))
    events = [
        read(1, 1, url=f"{SITE}/guide/?ref=x"), read(1, 2, content="/guide"), read(1, 3, content="how-to"),
        read(1, 4, url=f"{SITE}/elsewhere", content="how-to"), read(1, 5, url="https://blog.example/guide"),
    ]  # fmt: skip
    assert [one.address for one in seen(events, guide)] == ["blog.example/guide"]


def test_what_was_only_opened_is_listed_if_asked() -> None:
    """Those read come first; stages are those of the readers, or of who opened it where nobody read it."""
    events = [
        read(1, 1, T0 - DAY, "Order Completed"),
        read(1, 2, T0, "Page", url=f"{SITE}/a"),
        read(2, 3, T0, "Page", url=f"{SITE}/a"),
        read(2, 4, T0, url=f"{SITE}/b"),
        read(1, 5, T0, "Page", on=f"{SITE}/b", path="/b"),
    ]
    assert [one.address for one in seen(events)] == ["shop.example/b"]
    b, a = seen(events, opened=True)
    assert (b.readers, b.opened, b.at_stage) == (1, 2, {"aware": 1})
    assert (a.readers, a.opened, a.at_stage) == (0, 2, {"unaware": 1, "customer": 1})


def test_a_draft_is_a_document_that_apply_takes() -> None:
    """Its name, format and topic follow from the address, the title loses the site's name, the stages are
    those of a quarter of its readers at least, once there are enough; names are never taken twice."""
    many = {"aware": 3, "considering": FEWEST, "customer": 1}
    given = [
        Page(
            "x",
            f"{SITE}/blog/running-shoes/how-to-choose",
            "How to: choose? | The Shop",
            14,
            20,
            900,
            3.0,
            T0,
            many,
        ),
        Page(
            "x",
            f"{SITE}/videos/How%20To%20Choose.html",
            "Choosing | The Shop",
            2,
            2,
            None,
            4.5,
            T0,
            {"aware": 2},
        ),
        Page("x", f"{SITE}/2024/", "2024 | The Shop", 1, 1, None, None, T0, {}),
        Page("x", f"{SITE}/", "The Shop", 1, 1, None, 0.0, T0, {"unaware": 1}),
    ]
    text = "---\n".join(drafts(given, {"how_to_choose"}))
    first, second, third, home = (
        one.definition for one in parse(text) if isinstance(one.definition, Content)
    )
    assert first == Content(
        "how_to_choose_2", "How to: choose?", f"{SITE}/blog/running-shoes/how-to-choose", "article",
        ("considering",), ("running shoes",), 900,
    )  # fmt: skip
    assert second == Content(
        "how_to_choose_3", "Choosing", f"{SITE}/videos/How%20To%20Choose.html", "video", said_minutes=4.5
    )
    assert (third.name, third.title, home.name, home.title) == ("page_2024", "2024", "the_shop", "The Shop")
    assert text.startswith(
        "# 14 readers (3 at aware, 10 at considering, 1 at customer); read for 3 minutes\n"
    )
