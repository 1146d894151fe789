"""YAML to typed documents and back, plans, sentences, and the schema."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hark.clock import instant
from hark.definitions import yaml
from hark.definitions.document import Document
from hark.definitions.manners import Cap, QuietHours
from hark.definitions.parse import Parsed, definition, parse, read
from hark.definitions.plan import Change, command, export, plan
from hark.definitions.problems import DefinitionError, Problems
from hark.definitions.schema import schema
from hark.definitions.sentences import of_campaign, of_segment
from hark.definitions.types import (
    Campaign,
    EventMatch,
    Goal,
    Policy,
    Segment,
    Send,
    Sender,
    Template,
    Topic,
    Trigger,
    Variant,
    Wait,
)
from hark.model import DAY, HOUR, JSON, WEEK
from hark.understand.conditions import AllOf, AnyOf, Did, DidNot, HasTrait, Not
from tests.definitions.cases import EXAMPLES, mistakes
from tests.definitions.jsonschema import valid


def one(text: str, zone: str = "UTC") -> Parsed:
    [parsed] = parse(text, zone=zone)
    return parsed


def values(text: str) -> JSON:
    """What a YAML text is as plain data; it must have no problem."""
    problems = Problems("t")
    [node] = yaml.read(text, problems)
    assert not problems.found
    return yaml.plain(node)


@pytest.mark.parametrize(
    "text", ["NO", "yes", "on", "21:00", "2026-01-01", "1_000", "4%", ".inf", "0b1", "~x", "1.2.3", "0x"]
)
def test_what_is_text_in_yaml_1_2(text: str) -> None:
    """Words, times and dates that older YAML took for something else are text."""
    assert values(f"a: {text}\n") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-07", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("True", True),
        ("null", None),
        ("~", None),
        ("'5'", "5"),
        ('"true"', "true"),
    ],
)
def test_what_is_not_text_in_yaml_1_2(text: str, value: JSON) -> None:
    """Numbers, true, false and null are what the core schema says, unless quoted."""
    found = values(f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


TRICKY = [
    "NO",
    "21:00",
    "5",
    "null",
    "- a",
    "a: b",
    "#x",
    " x ",
    "",
    "a\n b\n",
    "\n",
    "1e5",
    "0o7",
    "=",
    "<<",
    "1_0",
]
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(LETTERS, max_size=20),
    st.sampled_from(TRICKY),
)
KEYS = st.sampled_from(["a", "5", "no"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=5)
BODIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=3)


@given(st.lists(BODIES, min_size=1, max_size=3))
@example([{"a": "x\n\n\n"}, {"a": [[], {}, [[1]]]}, {".1e1": "-.5e3"}])
def test_plain_data_survives_yaml(bodies: list[JSON]) -> None:
    """What is written as YAML is read back as it was, texts that look like numbers included."""
    problems = Problems("t")
    found = [yaml.plain(node) for node in yaml.read(yaml.write(bodies), problems)]
    assert not problems.found
    assert found == bodies
    assert msgspec.json.encode(found) == msgspec.json.encode(bodies)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_parse_and_survive_export(path: Path) -> None:
    """Each example of the docs is right by parser and schema, and comes back from an export the same."""
    parsed = read([(path.name, path.read_text())])
    assert parsed
    documents = [Document(each.kind, each.name, 1, each.body) for each in parsed]
    assert [definition(document) for document in documents] == [each.definition for each in parsed]
    again = read([("export.yaml", export(documents))])
    assert {(each.kind, each.name): each.body for each in again} == {
        (each.kind, each.name): each.body for each in parsed
    }
    assert all(change.what == "same" for change in plan(documents, again))
    assert all(valid(each.body, schema(), schema()) for each in parsed)


def test_the_schema_refuses_what_its_keywords_can_say() -> None:
    """Of the wrong documents the schema refuses all but these, whose mistakes no schema can say."""
    beyond = {
        "alias", "also clicks", "between", "control 0", "control none", "count always", "count never",
        "dates", "decide before start", "duplicate key",
        "enters where", "existing", "exit", "goal fact", "goal opens",
        "key enters", "nothing to learn", "programme unknown", "shares of an allocation",
        "level unknown", "level of no bound", "engagement unknown", "strongest at most", "level twice",
        "patience with traits", "levels in a circle", "trigger of no level",
        "hypothesis of things that are not there",
        "no such stage", "stages begin with a name", "a later stage without when",
        "an engagement by the name of the stages",
        "a pace of no whole percent", "a table under another name",
        "a bound on the wrong side",
        "late by days of the week", "late send", "naive", "no goal no topic",
        "no send", "path", "quiet same", "re",
        "sender another key", "sender another channel", "sender no mail", "sender pw", "sender sms",
        "sender sms address", "template email", "template sms",
        "step ids", "tag", "transactional", "transactional enters", "two measures",
        "a step id twice, in a way", "past the window in a way",
        "ref of something else", "goal when with value", "goal when clicked", "goal response alone",
        "programme's goal when", "guardrail twice", "split of one", "channels without their templates",
        "channels twice", "sender of several channels", "one template for several channels",
        "webhook to nobody", "webhook by a mail server", "webhook body", "budget too small",
            "trigger cron", "wait both", "wait empty", "wait until", "wait zone",
        "weights",
        "two windows", "since entry in a segment",
        "source without anything", "header beside a scheme that has one", "hmac without its header",
        "tolerance of a week", "expression that is none", "expression without its root",
        "layout without a place", "layout with two places", "empty snippet", "template none", "template two",
        "survey poll", "survey keys", "survey asked", "template leads", "template in the product",
        "button nowhere", "push asks nothing",
        "rule without an event", "rule about nobody", "ignored and mapped", "not of a path",
            "content: a topic twice", "content: length said twice", "content: no such stage",
            "content: two items of one address", "content: a stage goes while an item is for it",
            "send: nothing to choose from", "send: words of content that nobody has",
            "customers in a segment of groups", "subject of groups names a segment of customers",
            "subject of groups asks for what people have",
            "campaign of groups", "to whom in a group", "task of a customer for a group's owner",
            "worth by half weeks", "the value of purchases without the property that has it",
    }  # fmt: skip
    accepted = set()
    for mistake in mistakes():
        nodes = yaml.read(mistake.text, Problems("t"))
        if nodes and all(valid(yaml.plain(node), schema(), schema()) for node in nodes):
            accepted.add(mistake.name)
    assert accepted == beyond


def test_a_segment_is_typed() -> None:
    """Conditions become the nodes their keys name, with spans in microseconds and counts as operators."""
    text = """
    segment: s
    where:
      any:
        - did: Order Completed
        - all:
            - did: {any_of: [A, B], where: {x.y: 5}, times: 2, within: 8w}
            - did: {event: A, days: {gte: 3}}
            - did_not: {event: C, within: 30m}
        - not: {trait: {plan: {in: [plus, pro]}}}
    """
    assert one(text, "Europe/Rome").definition == Segment(
        "s",
        AnyOf(
            (
                Did(("Order Completed",)),
                AllOf(
                    (
                        Did(("A", "B"), {"x.y": 5}, "times", {"eq": 2}, 8 * WEEK),
                        Did(("A",), None, "days", {"gte": 3}, None, "Europe/Rome"),
                        DidNot(("C",), None, 30 * 60_000_000),
                    )
                ),
                Not(HasTrait({"plan": {"in": ["plus", "pro"]}})),
            )
        ),
    )


def test_a_campaign_is_typed() -> None:
    """Everything that a campaign says arrives in its type; steps get ids, `key` loses its prefix."""
    text = """
    campaign: basket
    intent: ask
    hypothesis: >
      They forgot.
    expects: 2.5%
    trigger: {event: Basket Updated, where: {value: {gte: 20}}}
    key: event.basket.id
    audience: {trait: {plan: pro}}
    goal: {event: Order Completed, within: 3d, value: revenue}
    also: [{any_of: [A, B], within: 1d}]
    control: 15%
    reenter: {after: 30d}
    topic: reminders
    fresh: 2h
    starts: "2026-07-01"
    ends: "2026-08-01T12:00:00Z"
    exit: [{leaves: x}, goal]
    allocation: {weights: {a: 2, b: 1}}
    variants:
      a: {send: {channel: email, template: t}}
      b:
        steps:
          - wait: {until: {event: C, where: {n: 1}}, for: 4h}
          - id: ask
            send: {channel: email, template: u, with: {percent: 10}, expires: 2d}
          - wait: {at: "09:00", zone: Europe/Paris, days: [mon, fri]}
    """
    assert one(text, "Europe/London").definition == Campaign(
        name="basket",
        trigger=Trigger(event=EventMatch(("Basket Updated",), {"value": {"gte": 20}})),
        goal=Goal(EventMatch(("Order Completed",)), 3 * DAY, "revenue"),
        variants=(
            Variant("a", (Send("t", id="0"),), 2),
            Variant(
                "b",
                (
                    Wait(id="0", for_us=4 * HOUR, until=EventMatch(("C",), {"n": 1})),
                    Send("u", "email", "ask", 2 * DAY, {"percent": 10}),
                    Wait(id="2", at="09:00", zone="Europe/Paris", days=("mon", "fri")),
                ),
                1,
            ),
        ),
        control=0.15,
        hypothesis="They forgot.",
        intent="ask",
        expects=0.025,
        key="basket.id",
        audience=HasTrait({"plan": "pro"}),
        also=(Goal(EventMatch(("A", "B")), DAY),),
        reenter_us=30 * DAY,
        exit_on_goal=True,
        exit_leaves="x",
        topic="reminders",
        fresh_us=2 * HOUR,
        starts=instant("2026-06-30T23:00:00Z"),
        ends=instant("2026-08-01T12:00:00Z"),
    )


CAMPAIGN = """\
campaign: c
trigger: {enters: s, existing: yes}
goal: {event: A, within: 14d}
topic: news
steps: [{send: {channel: email, template: t}}]
"""


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("", "control", 0.2),
        ("", "control_auto", True),
        ("", "trigger", Trigger(enters="s", existing=True)),
        ("", "reenter_us", None),
        ("", "fresh_us", DAY),
        ("", "variants", (Variant("treatment", (Send("t", id="0"),)),)),
        ("control: auto", "control_auto", True),
        ("control: {auto: 31%}", "control_auto", True),
        ("control: {auto: 31%}", "control", 0.31),
        ("control: 0.3", "control", 0.3),
        ("control: 0.3", "control_auto", False),
        ("control: none\nwhy: We promised it.", "control", 0.0),
        ("control: none\nwhy: We promised it.", "control_why", "We promised it."),
        ("reenter: always", "reenter_us", 0),
        ("reenter: never", "reenter_us", None),
        ("paused: yes", "paused", True),
    ],
)
def test_what_a_campaign_means_by_little(line: str, field: str, value: object) -> None:
    """Defaults and short forms stand for what the language says."""
    assert getattr(one(CAMPAIGN + line).definition, field) == value


def test_the_other_kinds_are_typed() -> None:
    """Templates, topics, policies and senders arrive in their types."""
    text = """
template: t
channel: email
subject: Hi
mjml: <mjml></mjml>
---
topic: news
says: News
default: in
opt_in: single
---
policy: attention
quiet_hours: {from: "21:00", to: "08:30", fallback_zone: Europe/London}
caps: [{messages: 2, per: 7d, on_cap: wait, max_wait: 2d}, {messages: 1, per: 1d, channel: email}]
global_control: {share: 5%}
---
policy: internal
where: {trait: {email: {ends_with: "@x.example"}}}
---
sender: shop
address: "Shop <hello@shop.example>"
host: mail.example
port: 587
tls: starttls
user: me
password_env: SMTP_PASSWORD
rate_per_s: 5
"""
    assert [each.definition for each in parse(text)] == [
        Template("t", "email", "Hi", mjml="<mjml></mjml>"),
        Topic("news", "News", "in", "single"),
        Policy(
            "attention",
            QuietHours(21 * 60, 8 * 60 + 30, "customer", "Europe/London"),
            (Cap(2, 7 * DAY, None, "wait", 2 * DAY), Cap(1, DAY, "email", "skip", None)),
            0.05,
        ),
        Policy("internal", where=HasTrait({"email": {"ends_with": "@x.example"}})),
        Sender(
            "shop",
            "Shop <hello@shop.example>",
            "email",
            "mail.example",
            587,
            "starttls",
            "me",
            "SMTP_PASSWORD",
            5,
        ),
    ]


def test_a_plan_says_what_is_new_changed_and_the_same() -> None:
    """The plan names each document, the version it becomes and the keys that differ."""
    text_of_s, text_of_news = "segment: s\nwhere: {did: A}\n", "topic: news\nsays: New\n"
    current = [
        Document("topic", "news", 3, {"topic": "news", "says": "Old", "default": "in"}),
        Document("segment", "s", 1, {"segment": "s", "where": {"did": "A"}}, text=text_of_s),
    ]
    wanted = parse(f"{text_of_news}---\n{text_of_s}---\nsegment: t\nwhere: {{did: B}}\n")
    assert plan(current, wanted) == [
        Change("changed", "topic", "news", 4, ("says", "default")),
        Change("same", "segment", "s", 1),
        Change("new", "segment", "t", 1),
    ]
    assert command(wanted[:1], "ann", "why not") == {
        "name": "define",
        "documents": [
            {
                "kind": "topic",
                "name": "news",
                "body": {"topic": "news", "says": "New"},
                "text": text_of_news,
            }
        ],
        "author": "ann",
        "note": "why not",
    }


def test_a_stored_body_that_is_none_any_more_is_named() -> None:
    """A stored document that the language no longer takes says which version it is."""
    with pytest.raises(DefinitionError, match="segment s version 2"):
        definition(Document("segment", "s", 2, {"segment": "s", "where": {"didnt": "A"}}))
    with pytest.raises(DefinitionError, match="is not a kind"):
        definition(Document("segmnt", "s", 2, {}))


def test_segment_and_campaign_read_as_english() -> None:
    """The console's sentences say who, what, who is left alone, what counts and who may come again."""
    segment = one(
        "segment: s\nwhere: {all: [{did: {event: A, times: {gte: 2}}}, {did_not: {event: A, within: 45d}}]}\n"
    )
    assert isinstance(segment.definition, Segment)
    assert of_segment(segment.definition) == (
        "Customers who did A at least 2 times and did not do A in the last 45 days."
    )
    campaign = one(CAMPAIGN + "reenter: {after: 90d}\naudience: {trait: {plan: pro}}\n")
    assert isinstance(campaign.definition, Campaign)
    assert of_campaign(campaign.definition) == (
        "For whoever enters s (or is inside at the start) and is among those who have plan pro: "
        "send t by email. "
        "20 % are left alone, for comparison until history proposes another share. "
        "It has worked for those who do A within 14 days. They may enter again after 90 days."
    )
