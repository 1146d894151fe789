"""Moving live runs to another version: where they go, what is not done again, and what stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.decide.migration import preview
from hark.decide.plan import Plan
from hark.decide.reasons import STAYS, Exit, Held, Stays
from hark.model import DAY, HOUR, FactName
from tests.decide.story import SEND, START, Story, campaign, control_key, documents

TWO = "template: {name}\nchannel: email\nsubject: x\ntext: x\n---\n"
MORE = "".join(TWO.format(name=name) for name in ("second", "third"))


def send(template: str, step: str = "") -> str:
    named = f", id: {step}" if step else ""
    return f"{{send: {{channel: email, template: {template}}}{named}}}"


def wait(span: str, step: str = "") -> str:
    return f"{{wait: {{for: {span}}}" + (f", id: {step}}}" if step else "}")


def both(old: str, new: str, **keys: str) -> Plan:
    """Version 2 in force, version 1 walked by whoever began with it."""
    return Plan.compile(documents(MORE + new, 2), documents(MORE + old, 1))


def begun(old: str, new: str, key: str = "key-0") -> Story:
    """A customer on the way since `START` in version 1, now that version 2 is in force."""
    story = Story(Plan.compile(documents(MORE + old, 1)), key=key)
    story.does("Signed Up")
    story.deliver()
    story.plan = both(old, new)
    return story


def moves(story: Story, **steps: str) -> dict[str, object] | None:
    """What the history says of the move; None if the run stayed."""
    story.commands("migrate", campaign="hello", to=2, steps=steps)
    return next(iter(story.found(FactName.CAMPAIGN_MIGRATED)), None)


def templates(story: Story) -> list[str]:
    return [one["template"] for one in story.found(FactName.MESSAGE_WANTED)]


def test_runs_stay_unless_they_are_moved() -> None:
    """A new version in force changes nothing for a run that began before; a migration lets it walk that."""
    old, new = campaign(f"[{wait('2d')}, {SEND}]"), campaign(f"[{wait('2d')}, {send('second')}]")
    for migrates, expected in ((False, "hello"), (True, "second")):
        story = begun(old, new)
        if migrates:
            moves(story)
        story.wait(2 * DAY)
        assert templates(story) == [expected]


def test_the_history_says_from_where_to_where() -> None:
    """The fact names both versions, both steps and the new end of the wait; the rest of the story follows."""
    story = begun(campaign(f"[{wait('4d', 'pause')}, {SEND}]"), campaign(f"[{wait('2d', 'rest')}, {SEND}]"))
    story.now += DAY
    fact = moves(story, pause="rest")
    assert fact is not None
    assert (fact["from"], fact["to"], fact["from_step"], fact["step"]) == (1, 2, "pause", "rest")
    assert fact["until"] == START + 2 * DAY
    assert (fact["version"], fact["arm"]) == (1, "treatment")


def test_a_wait_that_would_be_over_already_is_over_at_once() -> None:
    """The wait counts from when the present one began: after 3 days one of 2 days ends at this moment."""
    story = begun(campaign(f"[{wait('6d')}, {SEND}]"), campaign(f"[{wait('2d')}, {SEND}]"))
    story.now += 3 * DAY
    moves(story)
    story.wait(0)
    assert [fact.at for fact in story.facts if fact.name == FactName.MESSAGE_WANTED] == [START + 3 * DAY]


def test_arm_and_comparison_stay() -> None:
    """The control stays left alone, and no second exposure is written; the goal is that of the entry."""
    old, new = (campaign(f"[{wait('1d')}, {SEND}]", control="50%") for _ in range(2))
    new = new.replace("Bought", "Paid")
    story = begun(old, new, key=control_key())
    assert moves(story) is not None
    story.wait(DAY)
    story.does("Bought")
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.CONTROL]
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == 1
    assert [(one["version"], one["arm"]) for one in story.found(FactName.GOAL_REACHED)] == [(1, "control")]


PAUSE = wait("1d", "pause")
AGAIN = {
    "the same id": ([send("hello", "a"), PAUSE, send("second", "b")], [PAUSE, send("third", "a")], []),
    "the same message without a name": (
        [SEND, PAUSE, send("second")],
        [PAUSE, SEND, send("third")],
        ["third"],
    ),
    "named since": ([SEND, PAUSE], [PAUSE, send("hello", "a"), send("third")], ["third"]),
    "meant twice": ([SEND, PAUSE, SEND], [SEND, PAUSE, SEND], ["hello"]),
    "another at the same place": ([send("second"), SEND, PAUSE], [PAUSE, send("third")], ["third"]),
}


@pytest.mark.parametrize("case", AGAIN)
def test_nothing_is_sent_twice(case: str) -> None:
    """What the run sent is not sent again by the version it is moved to, whatever the step is called there;
    the repetition is withheld for a reason that the history has, and what is new goes."""
    old, new, expected = AGAIN[case]
    story = begun(campaign(f"[{', '.join(old)}]"), campaign(f"[{', '.join(new)}]"))
    before = len(templates(story))
    assert moves(story) is not None
    story.wait(2 * DAY)
    story.deliver()
    assert templates(story)[before:] == expected
    assert len(set(story.messages())) == len(story.messages())
    withheld = story.reasons(FactName.MESSAGE_WITHHELD)
    assert withheld == [Held.ALREADY_DONE] * (len(new) - 1 - len(expected) - new.index(PAUSE))


STAYING: dict[Stays, tuple[str, str]] = {
    Stays.VARIANT_GONE: (
        campaign(f"[{PAUSE}, {SEND}]"),
        campaign(variants=f"{{a: {{steps: [{PAUSE}, {SEND}]}}}}"),
    ),
    Stays.STEP_GONE: (campaign(f"[{PAUSE}, {SEND}]"), campaign(f"[{wait('1d', 'other')}, {SEND}]")),
    Stays.NO_WAIT: (campaign(f"[{wait('1d')}, {SEND}]"), campaign(f"[{SEND}, {wait('1d')}]")),
    Stays.NO_MOMENT: (
        campaign(f"[{PAUSE}, {SEND}]"),
        campaign(f"[{{wait: {{to: event.starts_at}}, id: pause}}, {SEND}]"),
    ),
    Stays.TOO_LATE: (
        campaign(f"[{PAUSE}, {SEND}]"),
        campaign(f"[{wait('8d', 'pause')}, {SEND}]", goal="{event: Bought, within: 9d}"),
    ),
    Stays.REHEARSAL: (campaign(f"[{PAUSE}, {SEND}]"), campaign(f"[{PAUSE}, {SEND}]", rehearsal="yes")),
}


@pytest.mark.parametrize("why", Stays)
def test_what_cannot_be_moved_goes_on_as_it_was(why: Stays) -> None:
    """Every reason of the closed set: the preview gives it, nothing is written, the old version goes on."""
    assert STAYS[why]
    story = begun(*STAYING[why])
    [group] = preview([story.record], story.plan, "hello", 2, {}, story.now)
    assert (group.why, group.to_step, group.runs) == (why, None, 1)
    assert moves(story) is None
    story.wait(2 * DAY)
    assert templates(story)[-1:] == ["hello"]


def test_a_later_wait_past_the_goals_window_ends_the_steps() -> None:
    """Moved runs keep the goal's window of their entry: a wait of the new version past it ends them."""
    new = campaign(f"[{PAUSE}, {SEND}, {wait('9d')}, {SEND}]", goal="{event: Bought, within: 20d}")
    story = begun(campaign(f"[{PAUSE}, {SEND}]"), new)
    moves(story)
    story.wait(2 * DAY)
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.TOO_LATE]


def test_the_preview_is_what_happens() -> None:
    """It counts runs by where they stand and go, and changes nothing; then just these are moved."""
    old = campaign(f"[{SEND}, {wait('1d')}, {SEND}, {wait('4d')}, {SEND}]")
    new = campaign(f"[{wait('1h')}, {wait('2d')}, {SEND}]")
    early, late = begun(old, new), begun(old, new)
    late.wait(2 * DAY)
    groups = preview([early.record, late.record], early.plan, "hello", 2, {}, START + 2 * DAY)
    told = [(one.step, one.to_step, one.why, one.runs, one.at_once, one.done) for one in groups]
    assert told == [("1", "1", "", 1, 1, 1), ("3", None, "step_gone", 1, 0, 0)]
    assert not early.record.runs[0].walks
    with pytest.raises(LookupError, match="no version 3"):
        preview([], early.plan, "hello", 3, {}, START)


STEPS = st.lists(
    st.one_of(
        st.builds(
            send,
            st.sampled_from(["hello", "second", "third"]),
            st.sampled_from(["", "", "a", "b"]),
        ),
        st.builds(wait, st.sampled_from(["1h", "20h"]), st.sampled_from(["", "p", "q"])),
    ),
    min_size=2,
    max_size=6,
).filter(
    lambda steps: (
        any("send" in one for one in steps)
        and all(sum(f"id: {name}}}" in one for one in steps) < 2 for name in "abpq")
    )
)


@settings(max_examples=150, deadline=None)
@given(STEPS, STEPS, st.integers(0, 40))
def test_no_message_has_the_id_of_another(old: list[str], new: list[str], hours: int) -> None:
    """Whatever the two versions say and whenever the run is moved, no message is wanted under an id that was
    wanted before, and no named step lets anything leave twice."""
    story = begun(campaign(f"[{', '.join(old)}]"), campaign(f"[{', '.join(new)}]"))
    story.wait(hours * HOUR)
    moves(story)
    for _ in range(8):
        story.wait(DAY)
    assert len(set(story.messages())) == len(story.messages())
    named = [one["step"] for one in story.found(FactName.MESSAGE_WANTED) if one["step"] in ("a", "b")]
    assert len(set(named)) == len(named)
