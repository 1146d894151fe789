"""The digest: the last whole week as a page, and as a letter to those who chose it, once, by real SMTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from hark.clock import SetClock, instant
from hark.definitions.document import Document
from hark.model import DAY, HOUR
from hark.questions.digest import last_week, week_of
from hark.questions.letter import lines
from hark.speak.catcher import Catcher
from hark.speak.contract import Envelope, Verdict
from hark.speak.deliver import Deliverer
from hark.speak.places import Allowed
from hark.speak.preview import NOWHERE
from hark.speak.render import Rendered
from tests.console.conftest import EMAIL
from tests.console.shop import END
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

    from hark.console.digests.weekly import Post, Weekly

pytestmark = pytest.mark.xdist_group("console")

MONDAY = instant("2026-03-09T08:00:00Z")
"""The first after the shop's sixty days, which end on a Monday."""


@pytest.fixture
def reader(ann: Client, clock: SetClock) -> Iterator[Client]:
    """Ann chose the letter; afterwards it is as if she never had, and the time is as before."""
    from hark.console.digests.models import Letter, Reader

    ann.post("/digest", {"chosen": "yes"})
    yield ann
    clock.at = END
    Reader.objects.all().delete()
    Letter.objects.all().delete()


def weekly(post: Post) -> Weekly:
    # Late: its tables want Django, which the fixtures configure.
    from hark.console.digests.weekly import Weekly

    return Weekly(settings.HARK_SOURCE, "UTC", post)


def test_weeks_are_whole_and_begin_on_monday() -> None:
    """Of a Monday the week before; ISO's week of a year's first days may be the last year's."""
    since, until = last_week(MONDAY, "UTC")
    assert (since, until) == (instant("2026-03-02T00:00:00Z"), instant("2026-03-09T00:00:00Z"))
    assert week_of(instant("2027-01-02T12:00:00Z"), "UTC") == "2026-W53"
    assert last_week(MONDAY, "Pacific/Auckland")[1] == instant("2026-03-08T11:00:00Z")


def test_the_page_says_what_the_week_was_like(ann: Client) -> None:
    """People by their stage, each campaign's word; who did not choose the letter is offered it."""
    page = told(ann, "/digest")
    assert page["answer"]["week"] == "2026-W09"
    assert {one["campaign"] for one in page["answer"]["verdicts"]} == {"come_back", "thank_you"}
    assert page["answer"]["people"]["now"]["new"] >= 0
    assert "Yes, send it" in html(ann, "/digest")


def test_the_letter_goes_once_to_whom_it_was_promised(reader: Client, clock: SetClock) -> None:
    """Not before Monday at eight; then once, however often it is looked; never after somebody left."""
    with Catcher() as server:
        body = {"sender": "mail", "address": "hark@shop.example", "host": "127.0.0.1", "port": server.port}
        sender = Document("sender", "mail", 1, body)
        post = Deliverer(lambda: [sender], NOWHERE, clock, allowed=Allowed.of(["127.0.0.1"]))
        sending = weekly(lambda said, envelope: post.say("email", said, envelope))
        clock.at = MONDAY - HOUR
        assert sending.once() == 0
        clock.at = MONDAY
        assert [sending.once(), sending.once()] == [1, 0]
        (caught,) = server.caught
        assert caught.recipients == (EMAIL,)
        assert "come_back: " in caught.message().get_body(("plain",)).get_content()  # type: ignore[union-attr]
        clock.at = MONDAY + 7 * DAY
        assert sending.once() == 1
        reader.post("/digest", {"chosen": "no"})
        clock.at = MONDAY + 14 * DAY
        assert sending.once() == 0
        assert len(server.caught) == 2


def test_what_certainly_did_not_leave_is_tried_again_and_what_may_have_is_not(
    reader: Client, clock: SetClock
) -> None:
    """After a refusal the letter goes at the next look; after an answer that never came it does not."""
    answers = [Verdict("failed", "busy", temporary=True), Verdict("unknown", "lost")]
    seen: list[Rendered] = []

    def post(said: Rendered, envelope: Envelope) -> Verdict:
        seen.append(said)
        return answers[len(seen) - 1]

    clock.at = MONDAY
    sending = weekly(post)
    assert [sending.once(), sending.once(), sending.once()] == [0, 0, 0]
    assert len(seen) == 2
    from hark.console.digests.models import Letter

    assert Letter.objects.get().state == "unknown"


def test_long_weeks_are_cut_and_counted() -> None:
    """Twelve lines of a section, and how many more; an empty one says so; a slow step has both times."""
    slow = {"funnel": "buy", "step": "Paid", "rate": 0.4, "before": 0.5, "slower": True, "fewer": False,
            "median_s": 7200.0, "median_before_s": 3600.0}  # fmt: skip
    change = {"kind": "topic", "name": "news", "version": 2, "author": "", "note": "shorter"}
    people = {"now": None, "before": None}
    digest = {"week": "2026-W09", "people": people, "verdicts": [], "steps": [slow], "changes": [change] * 14}
    said = dict(lines(digest))
    assert said["Verdicts"] == ["nothing"]
    assert said["Steps that lost people or time"] == [
        "buy, to Paid: 40% go on, 50% before; half within 2.0 h, 1.0 h before"
    ]
    assert len(said["What was changed"]) == 13
    assert said["What was changed"][-1] == "and 2 more"
