"""What a step sends of the catalogue: the rule, never twice, alike for the control and in back-tests."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from hark.clock import unit_hash
from hark.decide.backtest.run import BEGINNING, Span
from hark.decide.backtest.run import plan_of as alone
from hark.decide.backtest.walk import Since, walk
from hark.decide.record import fresh
from hark.decide.why import explain
from hark.definitions.parse import definition
from hark.definitions.stages import built_in
from hark.model import DAY, HOUR, Event, FactName
from hark.understand.conditions.acquainted import ACQUAINTED, MOST
from tests.decide.story import Story, campaign, control_key, documents, plan_of, read

NEVER = 1 << 60


def item(name: str, **keys: str) -> str:
    lines = {"title": name, "url": f"https://shop.example/{name}", "format": "guide"} | keys
    return f"content: {name}\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "---\n"


def send(content: str = "by_stage") -> str:
    return f"{{send: {{channel: email, template: hello, content: {content}}}}}"


def days(*steps: str) -> str:
    return "[" + ", {wait: {for: 1d}}, ".join(steps) + "]"


def told(text: str, *before: str, key: str = "key-0", days_: int = 6) -> Story:
    """Reads these, signs up, and lets the days pass."""
    story = Story(plan_of(text), key=key)
    for one in before:
        story.does(one.partition(":")[0], **json.loads(one.partition(":")[2] or "{}"))
    story.does("Signed Up")
    for _ in range(days_ * 4):
        story.deliver()
        story.wait(6 * HOUR)
    return story


def chosen(story: Story, name: FactName = FactName.MESSAGE_SENT) -> list[str]:
    return [fact["content"] for fact in story.found(name) if "content" in fact]


def reads(*names: str) -> list[str]:
    return [f'Content Read:{{"content": "/{name}"}}' for name in names]


SHELF = (
    item("running_a", topics="[running]")
    + item("running_b", topics="[running, fit]", stage="aware")
    + item("running_c", topics="[running]", stage="[unaware, aware, customer]", format="video")
    + item("fit_a", topics="[fit]", stage="customer")
    + item("cooking", topics="cooking", format="video")
)


@pytest.mark.parametrize(
    ("asked", "before", "expected"),
    [
        # aware by signing up, nothing read: the one for fewest stages; those for all come last
        ("by_stage", [], ["running_b", "running_c"]),
        # what was read makes its topic come first, and is not sent itself
        ("by_stage", reads("cooking"), ["running_b", "running_c", "running_a"]),
        ("by_stage", reads("running_b"), ["running_c", "running_a", "cooking"]),
        # who has bought is at another stage
        ("by_stage", ["Order Completed:{}"], ["fit_a", "running_c"]),
        # the topics of the step count, and nothing else fits; as many in common as possible
        ("{topics: [running, fit]}", [], ["running_b", "running_c", "running_a"]),
        ("{topics: cooking}", reads("running_a"), ["cooking"]),
        ("{format: [video]}", [], ["running_c", "cooking"]),
        ("{stage: customer, topics: fit}", [], ["fit_a"]),
    ],
)
def test_the_rule(asked: str, before: list[str], expected: list[str]) -> None:
    """By stage, by what was read or is asked for, the most particular first, and never one twice."""
    story = told(SHELF + campaign(days(*[send(asked)] * 5)), *before)
    found = chosen(story)
    assert found[: len(expected)] == expected
    assert len(set(found)) == len(found)


def test_what_was_read_in_a_topic_weighs_by_how_often() -> None:
    """Two read of one topic weigh more than one of another, though the other's is the more particular."""
    shelf = "".join(item(f"{topic}_{n}", topics=topic) for topic in ("tea", "wine") for n in "abc")
    shelf += item("wine_d", topics="wine", stage="aware")
    story = told(shelf + campaign(days(send())), *reads("tea_a", "tea_b", "wine_a"))
    assert chosen(story) == ["tea_c"]


def test_ties_are_broken_by_the_stable_key() -> None:
    """Equal items are shared out among people by the documented hash, and each person's is always one."""
    shelf = item("one") + item("two") + item("three")
    plan = plan_of(shelf + campaign(f"[{send()}]"))
    often: Counter[str] = Counter()
    for number in range(90):
        story = Story(plan, key=f"key-{number}")
        story.does("Signed Up")
        (found,) = chosen(story, FactName.MESSAGE_WANTED)
        by_hash = min(["one", "two", "three"], key=lambda one: unit_hash(f"content/{one}", story.record.key))
        assert found == by_hash
        often[found] += 1
    assert min(often.values()) > 15


def test_nothing_is_left_is_said_with_its_numbers_and_the_run_goes_on() -> None:
    """The message is withheld by name, and the next step is taken."""
    shelf = item("one") + item("two", stage="customer")
    story = told(shelf + campaign(days(send(), send(), "{send: {channel: email, template: hello}}")))
    assert chosen(story) == ["one"]
    (withheld,) = story.found(FactName.MESSAGE_WITHHELD)
    assert withheld["reason"] == "no_content"
    assert withheld["values"] == {"stage": "aware", "fit": 1, "items": 2}
    assert len(story.found(FactName.MESSAGE_SENT)) == 2


def test_what_templates_read_stands_in_the_fact() -> None:
    """`Message Wanted` carries the item as it was then; every later fact of the message its name."""
    story = told(item("one", words="476", says="Short", topics="[a, b]") + campaign(f"[{send()}]"))
    (wanted,) = story.found(FactName.MESSAGE_WANTED)
    assert wanted["item"] == {
        "name": "one", "title": "one", "url": "https://shop.example/one", "format": "guide", "says": "Short",
        "topics": ["a", "b"], "stages": [], "words": 476, "minutes": 2.0,
    }  # fmt: skip
    assert "the message hello of hello was wanted with one" in [
        line.sentence for line in explain(story.facts)
    ]
    for name in (FactName.MESSAGE_WANTED, FactName.MESSAGE_SENDING, FactName.MESSAGE_SENT):
        assert [fact["content"] for fact in story.found(name)] == ["one"]


def test_what_was_not_sent_can_be_sent_later() -> None:
    """A message that failed for good brought nothing; one that nobody knows of may have."""
    for outcome, again in (("failed", ["one", "one"]), ("unknown", ["one"])):
        story = Story(plan_of(item("one") + campaign(days(send(), send()))))
        story.does("Signed Up")
        (message,) = story.messages()
        story.hands_off(message)
        story.comes_out(message, outcome, detail="550 for now")
        story.wait(2 * DAY)
        assert chosen(story, FactName.MESSAGE_WANTED) == again


def test_two_campaigns_do_not_send_one_item_twice() -> None:
    """What waits for its hand-off counts as sent for the other."""
    both = campaign(f"[{send()}]") + "---\n" + campaign(f"[{send()}]").replace("hello", "second", 1)
    story = told(item("one") + item("two") + both)
    assert sorted(chosen(story)) == ["one", "two"]


def test_an_item_is_offered_from_its_start_to_its_end() -> None:
    """Before and after it is not chosen; a message that waits past the end has expired."""
    shelf = item("soon", starts='"2026-03-04"') + item("over", ends='"2026-03-04"')
    story = told(shelf + campaign(days(send(), send(), send())))
    assert chosen(story) == ["over", "soon"]
    quiet = 'policy: attention\nquiet_hours: {from: "08:00", to: "06:00", zone: UTC}\n---\n'
    late = told(quiet + item("over", ends='"2026-03-02T23:00"') + campaign(f"[{send()}]"))
    assert late.reasons(FactName.MESSAGE_WITHHELD) == ["expired"]


@pytest.mark.parametrize(
    "steps", [days(*[send()] * 4), f"[{send()}, {send()}, {{wait: {{for: 1d}}}}, {send()}]"]
)
def test_the_control_comes_to_the_same_items(steps: str) -> None:
    """Whoever is left alone would have been sent, in the same order, what the treated are sent, and gets
    nothing; what was read in between counts alike."""
    keys = (control_key(), control_key(inside=False))
    stages = ["aware", "unaware", "considering", "evaluating", "customer"]
    shelf = "".join(item(f"i{n}", stage=f"[{', '.join(stages[: n + 1])}]") for n in range(5))
    text = shelf + campaign(steps, control="50%")
    left, treated = (told(text, *reads("i1"), key=key) for key in keys)
    assert chosen(left) == []
    would = [one["content"] for one in left.found(FactName.MESSAGE_WITHHELD) if one["reason"] == "control"]
    assert would == chosen(treated) == ["i0", "i2", "i3", "i4"][: steps.count("send")]


def test_what_one_control_withheld_another_campaign_may_send() -> None:
    """The shadow of one campaign takes nothing from the customer in others."""
    steps = f"[{send()}]"
    both = campaign(steps, control="50%") + "---\n" + campaign(steps).replace("hello", "second", 1)
    story = told(item("one") + both, key=control_key())
    assert chosen(story) == ["one"]
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ["control"]


def _random_life(random: Random) -> Story:
    names = [f"i{n}" for n in range(8)]
    shelf = "".join(
        item(
            name,
            topics=random.choice(["a", "b", "[a, b]"]),
            stage=random.choice(["aware", "[unaware, aware]", "[aware, considering]"]),
        )
        for name in names
    )
    story = Story(
        plan_of(shelf + campaign(days(*[send()] * 5), control="50%", reenter="always")),
        key=str(random.random()),
    )
    for _ in range(30):
        what = random.choice(["Signed Up", "Content Read", "Content Read", "Page"])
        story.does(what, content=f"/{random.choice(names)}", at=story.now - random.choice([0, 0, 5 * DAY]))
        story.wait(random.choice([HOUR, DAY]))
        story.deliver()
    return story


@pytest.mark.parametrize("seed", range(12))
def test_never_one_that_was_read_or_sent(seed: int) -> None:
    """In any life: an item that was read, or sent before, is not wanted again; and what
    is kept live is what all events and facts give in whatever order."""
    random = Random(seed)
    story = _random_life(random)
    gone: set[str] = set()
    everything = sorted([*story.events, *story.facts], key=lambda one: one.seq)
    for event in everything:
        about = read(event)
        if event.name == "Content Read":
            gone.add(about["content"].removeprefix("/"))
        if event.name == FactName.MESSAGE_WANTED:
            assert about["content"] not in gone
            gone.add(about["content"])
    mixed: object = None
    for event in random.sample(everything, len(everything)):
        mixed = ACQUAINTED.fold(mixed, event) if ACQUAINTED.takes(event) else mixed
    assert mixed == story.record.summaries.get(ACQUAINTED.key)


@pytest.mark.parametrize("seed", range(4))
def test_a_backtest_comes_to_the_same_items(seed: int) -> None:
    """The walk of one customer's events by the back-test's plan of the campaign alone chooses what the live
    engine chose."""
    story = _random_life(Random(seed))
    shelf = {doc.name for doc in story.plan.contents.values()}
    assert shelf
    text = _text(story)
    things = [(one, definition(one)) for one in documents(text)]
    plan = alone([*things, built_in()], "hello", Span(None, None, NEVER))
    record = fresh(1, story.record.key, story.events[0].known_at)
    facts = walk(record, story.events, [Since(BEGINNING, plan)], story.now)
    assert len(_wanted(facts)) >= 2
    assert _wanted(facts) == _wanted(_treated(story).facts)


def _text(story: Story) -> str:
    shelf = "".join(
        item(one.name, topics=f"[{', '.join(one.topics)}]", stage=f"[{', '.join(one.stages)}]")
        for one in story.plan.contents.values()
    )
    return shelf + campaign(days(*[send()] * 5), reenter="always")


def _treated(story: Story) -> Story:
    """The same life by somebody whom nobody leaves alone, told message by message at its moment."""
    again = Story(plan_of(_text(story)), key=story.record.key, email="")
    for event in story.events:
        while again.record.due is not None or again.record.sends:
            due = min([one.due_at for one in again.record.sends if one.state == "wanted"], default=NEVER)
            first = min(due, again.record.due or NEVER)
            if first >= event.known_at:
                break
            again.now = first
            again.deliver() if due == first and (again.record.due or NEVER) > first else again.wait(0)
        again.gives(event)
    return again


def _wanted(facts: list[Event]) -> list[tuple[int, str]]:
    return [(one.at, read(one)["content"]) for one in facts if one.name == FactName.MESSAGE_WANTED]


def test_what_is_kept_is_bounded() -> None:
    """Of very many texts the latest are kept, in whatever order they are folded."""
    events = [
        Event(
            1,
            n,
            n,
            "Content Read",
            1,
            "shop",
            f"m{n}",
            n,
            n,
            n,
            True,
            json.dumps({"content": f"t{n % 400}"}).encode(),
        )
        for n in range(1, 1000)
    ]
    forward: object = None
    for event in events:
        forward = ACQUAINTED.fold(forward, event)
    shuffled = Random(1).sample(events, len(events))
    half = len(events) // 2
    parts: list[object] = [None, None]
    for place, event in enumerate(shuffled):
        parts[place > half] = ACQUAINTED.fold(parts[place > half], event)
    assert ACQUAINTED.merge(*parts) == forward
    latest = {f"t{n % 400}" for n in range(1000 - MOST, 1000)}
    assert ACQUAINTED.read({ACQUAINTED.key: forward}).keys() == latest
