"""The campaign editor: a form and the YAML, which are the same document."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hark.clock import SetClock
from hark.console.forms.campaign import sections
from hark.console.forms.edits import shown_of
from hark.console.forms.sections import made
from hark.console.source import Source
from hark.definitions.document import Document
from hark.definitions.parse import parse, read
from hark.definitions.problems import DefinitionError
from hark.definitions.rewrite import body_of
from hark.questions import ask
from tests.console.collector import Collector
from tests.console.shop import PEOPLE
from tests.console.test_pages import told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

NEW, EDIT = "/definitions/new/campaign", "/definitions/campaign/come_back"
BY_HAND = """\
campaign: come_back   # by hand
hypothesis: People come back.
intent: help
planned: later
trigger: {any_of: [Order Completed, Order Refunded]}
audience: {not: {in_segment: gone_quiet}}
goal: {event: Order Completed, where: {revenue: {gte: 5}}, within: 14d}
topic: news
steps:
  - send: {channel: email, template: whats_new, expires: 3d}   # soon
  - branch:
      - when: {in_segment: gone_quiet}
        steps: [{exit: quiet}]
  - wait: {for: 1d}
  - send: {channels: [email], template: whats_new}
"""


def fields(text: str) -> dict[str, str]:
    """What a browser would post of the form made of this text."""
    body = body_of(text)
    assert body is not None
    return shown_of(made(sections, body, False)[1]) | {"base": text, "text": text}


def after(client: Client, given: dict[str, str], path: str = EDIT) -> dict[str, Any]:
    answer = client.post(path + "?format=json", given)
    found: dict[str, Any] = answer.json()
    return found


def test_what_the_form_does_not_show_survives_its_changes(ann: Client) -> None:
    """One changed field and one step moved: all else is as it was, comments and order included, and what
    only the YAML shows is named with its line."""
    page = after(ann, fields(BY_HAND) | {"/goal/within": "7d", "do": "up::/steps/2"})
    found = body_of(page["text"])
    expected = body_of(BY_HAND)
    assert found is not None
    assert expected is not None
    expected["goal"]["within"] = "7d"
    steps = expected["steps"]
    expected["steps"] = [steps[0], steps[2], steps[1], steps[3]]
    assert found == expected
    assert page["text"].splitlines()[:5] == BY_HAND.splitlines()[:5]
    assert "# soon" in page["text"]
    assert page["form"]["also"] == [{"key": "planned", "line": 4}]
    assert page["focus"] == "/steps/1"


def test_a_form_that_is_not_touched_changes_nothing(ann: Client) -> None:
    """The text goes back byte for byte, also where both a field and another line were changed at once."""
    assert after(ann, fields(BY_HAND) | {"do": "look"})["text"] == BY_HAND
    text = BY_HAND.replace("intent: help", "intent: tell")
    page = after(ann, fields(BY_HAND) | {"text": text, "/expects": "4%", "do": "look"})
    assert body_of(page["text"]) == {**(body_of(text) or {}), "expects": "4%"}


def test_both_changing_the_steps_keeps_those_of_the_yaml(ann: Client) -> None:
    """It is said, and not saved."""
    text = BY_HAND.replace("for: 1d", "for: 2d")
    answer = ann.post(EDIT, fields(BY_HAND) | {"text": text, "/steps/2/wait/for": "5d", "do": "save"})
    assert answer.status_code == 400
    assert "that of the YAML stays" in answer.content.decode()
    assert "for: 2d" in answer.content.decode()


def test_yaml_that_cannot_be_read_keeps_what_the_form_changed(ann: Client) -> None:
    """The change of the form waits, and goes in with the next text that can be read."""
    broken = after(ann, fields(BY_HAND) | {"text": BY_HAND + "x: [", "/expects": "4%", "do": "look"})
    assert "text:" in broken["shown"]["problems"][0]
    assert broken["base"] == BY_HAND
    assert broken["draft"]["expects"] == "4%"
    mended = after(ann, fields(BY_HAND) | {"/expects": "4%", "base": broken["base"], "do": "look"})
    assert (body_of(mended["text"]) or {})["expects"] == "4%"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"/goal/within": "soon"}, "/goal/within"),
        ({"/control": "none"}, "/control"),
        ({"/expects": "much"}, "/expects"),
        ({"/topic": "olds"}, "/topic"),
        ({"/audience/not/in_segment": "gone"}, "/audience/not/in_segment"),
        ({"/trigger/event": ""}, "/trigger/event"),
        ({"/goal/where#0.op": "matches", "/goal/where#0.value": "("}, "/goal/where"),
        ({"/steps/2/wait/for": "long"}, "/steps/2/wait/for"),
        ({"/steps/1/branch/0/steps/0/exit": ""}, "/steps/1/branch/0/steps/0/exit"),
        ({"/steps/3/send/channels": "email, pigeon"}, "/steps/3/send/channels"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_line(ann: Client, changes: dict[str, str], place: str) -> None:
    """The parser's own words, at the field that holds the value, and with the line of the YAML."""
    text = BY_HAND.replace("planned: later\n", "")
    page = after(ann, fields(text) | changes | {"do": "look"})
    wrong = {slot: said for slot, said in page["slots"].items() if said}
    assert list(wrong) == [place]
    (said,) = wrong[place]
    assert re.fullmatch(r"text:\d+: " + re.escape(said), page["shown"]["problems"][0])


def test_saving_hands_over_the_next_version(ann: Client, collector: Collector) -> None:
    """What the form changed is in the version, with its note; the page works as plain forms."""
    text = told(ann, EDIT)["text"]
    answer = ann.post(EDIT, fields(text) | {"/expects": "6%", "note": "bolder", "do": "save"})
    assert answer["Location"] == "/saved/campaign/come_back/2"
    (row,) = collector.rows
    assert row["body"]["note"] == "bolder"
    (document,) = row["body"]["documents"]
    assert document["body"]["expects"] == "6%"
    assert document["body"]["steps"] == parse(text)[0].body["steps"]


def test_a_text_with_markup_is_shown_as_text(ann: Client) -> None:
    """What stands in the YAML reaches the page as words alone."""
    text = BY_HAND.replace("People come", "</textarea><b>People</b> come")
    page = ann.post(EDIT, fields(text) | {"do": "look"}).content.decode()
    assert "<b>People" not in page
    assert "</textarea><b>People</b> come" in unescape(page)


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ("", {"topic", "template"}),
        ("segment: idle\nwhere: {did: Viewed}\n---\ntopic: tips\nsays: t\n---\n"
         "template: hello\nchannel: email\nsubject: s\ntext: t", set()),
        ("segment: big\nsubject: {group: account}\nwhere: {did: Viewed}\n---\ntopic: news\nsays: n\n---\n"
         "template: ping\nchannel: sms\ntext: t\n---\ntemplate: whats_new\nchannel: email\nsubject: s\n"
         "text: t", set()),
    ],
)  # fmt: skip
def test_a_new_campaign_starts_from_what_there_is(written: str, problems: set[str]) -> None:
    """With a topic and a template for mail nothing is wrong with what the page opens with; without them it
    names only those."""
    from hark.console.pages.editor import begun

    there = [Document(one.kind, one.name, 1, one.body) for one in parse(written)] if written else []
    found: list[str] = []
    try:
        read([("new", begun(there))], there)
    except DefinitionError as error:
        found = [one.message for one in error.problems]
    assert len(found) == len(problems)
    assert {word for word in ("segment", "topic", "template") for one in found if word in one} == problems


def test_a_new_campaign_has_no_name_that_is_taken() -> None:
    """Saved as it opens it is one more campaign, and no version of one that runs."""
    from hark.console.pages.editor import begun

    there = [Document("campaign", name, 1, {}) for name in ("come_back", "come_back_2", "other")]
    assert begun(there).startswith("campaign: come_back_3\n")
    assert begun(there[1:]).startswith("campaign: come_back\n")


def test_another_audience_shows_who_would_come_and_go(ann: Client, collector: Collector) -> None:
    """Against the version in force, which has one; a campaign without one lets in everybody, and shows how
    many fit."""
    looked = after(ann, fields(BY_HAND.replace("planned: later\n", "")) | {"do": "look"})
    (fit,) = looked["shown"]["moved"]
    assert (fit["count"], fit["before"]) == (PEOPLE - 100, None)


def test_who_comes_and_goes_is_counted_against_any_condition(shop: Path, clock: SetClock) -> None:
    """The difference of both, by the kernels, with the condition as it was in place of a segment's name."""
    quiet, all_of_them = {"in_segment": "gone_quiet"}, {"did": "Order Completed"}
    found = ask(shop, {"segment_edit": {"name": "x", "was": quiet, "where": all_of_them}}, clock)
    assert (found["before"], found["after"], found["stay"]) == (100, PEOPLE, 100)
    assert (found["come"]["count"], found["go"]["count"]) == (PEOPLE - 100, 0)


def test_a_draft_is_tried_on_the_past_before_it_is_saved(ann: Client, collector: Collector) -> None:
    """With what the form changed: its back-test is that of the same document by the command, the check list
    knows the base rate, and nothing is handed over."""
    text = told(ann, EDIT)["text"]
    tried = after(ann, fields(text) | {"/goal/within": "7d", "/expects": "9%", "do": "try"})
    body = {**(body_of(text) or {}), "expects": "9%"}
    body["goal"] = {**body["goal"], "within": "7d"}
    document = {"kind": "campaign", "name": "come_back", "body": body}
    asked = {"backtest": {"campaign": "come_back", "documents": [document]}}
    expected = told(ann, "/campaigns/come_back/backtest")["answer"]
    found = tried["tested"]["answer"]
    assert found["base_rate"] == here().ask(asked)["base_rate"] != expected["base_rate"]
    assert found["entries"] == expected["entries"] > 0
    lines = {one["asks"]: one["says"] for one in tried["checks"]}
    assert f"{100 * found['base_rate']['estimate']:.1f} %" in lines["Base rate"]
    assert lines["Belief"].endswith("+9 points.")
    assert collector.rows == []
    page = ann.post(EDIT, fields(text) | {"do": "try"}, headers={"HX-Request": "true"}).content.decode()
    assert page.count("data-figure=") >= 3
    assert 'href="/campaigns/come_back/backtest"' not in page


@pytest.mark.parametrize(("text", "says"), [("campaign: [", "Mend what is wrong"), (BY_HAND, "planned")])
def test_a_draft_that_is_wrong_is_not_tried(ann: Client, text: str, says: str) -> None:
    assert says in after(ann, {"text": text, "do": "try"})["problem"]


def test_a_question_that_is_over_can_be_cancelled(ann: Client) -> None:
    assert "cancelled" in after(ann, {"text": "", "do": "stop", "id": "q_gone"})["problem"]


def here() -> Source:
    from hark.console.source import source

    return source()
