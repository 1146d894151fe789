"""A campaign as a form: every key of the language can be changed by it, and nothing is lost by it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.console.forms.campaign import sections
from hark.console.forms.conditions import KINDS
from hark.console.forms.edits import Edited, edited, shown_of
from hark.console.forms.pointers import found, put, under
from hark.console.forms.sections import made
from hark.console.forms.steps import STEPS, WAITS
from hark.console.forms.triggers import TRIGGERS
from hark.definitions import yaml
from hark.definitions.campaigns import CAMPAIGN
from hark.definitions.kinds import ANY_CONDITION, OneCondition
from hark.definitions.rewrite import body_of
from hark.definitions.shapes import Record
from hark.definitions.steps import STEP
from hark.definitions.triggers import TRIGGER

WHOLE = """\
campaign: whole
subject: {group: account}
intent: ask
hypothesis: All of it.
expects: 4%
trigger: {event: Cart Left, where: {value: {gte: 5, lt: 100}, kind: {in: [a, b]}}}
key: event.basket_id
audience:
  all:
    - any: [{in_segment: regulars}, {trait: {plan: pro, "a/b": {exists: true}}}]
    - not: {did: {any_of: [Left, Gone], sum: {of: revenue, gte: 5}, within: 30d}}
    - did_not: Cancelled
    - sequence: {steps: [A, {not: {event: C}}, {event: B, within: 3d}], within: 30d}
    - since_last: {event: A, gte: 14d}
    - change: {event: A, measure: days, window: 14d, ratio: {lte: 0.5}}
    - returned: {after_gap: 30d, within: 7d}
    - pace: {from: A, to: B, slower_than: 0.9}
    - consent: {topic: news, state: in}
    - reachable: push
    - engagement: {definition: reader, level: {at_least: returning}}
    - stage: evaluating
    - group: {account: {employees: {gte: 50}}}
    - did: {event: A, between: ["2026-01-01", "2026-02-01"], distinct: {of: sku, gte: 3}}
goal: {event: Order Completed, where: {basket_id: {ref: event.basket_id}}, within: 14d, value: revenue}
also:
  - {when: {did_not: {event: Cancelled, since: entry}}, within: 7d}
  - {event: Code Used, within: 7d, response: yes}
guardrails: [Unsubscribed]
situations: [regulars]
control: none
why: Because.
programme: loyalty
exclusive: offers
arm: per_entry
assign_by: account
reenter: {after: 90d}
on_retrigger: gather
fresh: 2d
topic: news
worth: 3
decide_by: "2026-06-01"
starts: "2026-03-01"
ends: "2026-09-01"
exit: [goal, {leaves: regulars}]
paused: {timers: keep}
rehearsal: yes
ramp: 5%
allocation: {weights: {a: 2, b: 1}}
variants:
  a: {send: {channel: email, template: one}}
  b:
    steps:
      - id: first
        send: {channels: [push, email], template: {push: p, email: e}, with: {percent: 10}, expires: 2d}
      - wait: {until: {event: Order Completed, where: {id: 1}}, for: 3d}
      - branch:
          - when: {trait: {has_app: true}}
            steps: [{wait: {at: "09:00", zone: customer, days: [mon, tue]}}]
          - otherwise: [{exit: nothing to say}]
      - split:
          x: {weight: 2, steps: [{task: {for: team, says: Call.}}]}
          y: {steps: [{webhook: {sender: erp, body: {id: {ref: customer.id}}}}]}
      - wait: {to: event.starts_at, offset: -24h, if_past: exit}
      - update: {traits: {at: now, basket: {ref: event.basket_id}}}
      - wait: {for: 1h}
"""
Body = dict[str, Any]


def body(text: str) -> Body:
    read = body_of(text)
    assert read is not None
    return read


def posted(document: Body, changes: dict[str, str] | None = None, do: str = "") -> Edited:
    """What becomes of a document whose form is posted with these fields changed."""
    _, shown = made(sections, document, False)
    fields = shown_of(shown)
    assert set(changes or {}) <= set(fields), set(changes or {}) - set(fields)
    return edited(document, document, shown, fields | (changes or {}), do)


def test_the_form_shows_the_whole_language() -> None:
    """Of a campaign with everything nothing is left to the YAML: each key, condition, trigger and step that
    the parser knows has fields."""
    form, shown = made(sections, body(WHOLE), False)
    assert form.also == ()
    assert "yaml" not in shown_of(shown).values()
    assert isinstance(ANY_CONDITION, OneCondition)
    assert set(KINDS) == set(ANY_CONDITION.kinds)
    assert isinstance(STEP, Record)
    assert set(STEPS) | {"id"} == set(STEP.fields)
    assert isinstance(CAMPAIGN, Record)
    keys = {*body(WHOLE), "transactional", "steps"}
    assert keys == set(CAMPAIGN.fields)
    assert {*TRIGGERS, "any_of", "where", "existing"} == set(TRIGGER.fields)
    assert set(WAITS) == {"for", "until", "at", "to"}


def test_a_form_that_is_not_touched_changes_nothing() -> None:
    assert posted(body(WHOLE)).body == body(WHOLE)


@pytest.mark.parametrize(
    ("changes", "at", "expected"),
    [
        ({"/goal/within": "7d"}, "/goal/within", "7d"),
        ({"/goal/event": "Order Completed | Order Paid"}, "/goal/any_of", ["Order Completed", "Order Paid"]),
        ({"/trigger/where#0.value": "7"}, "/trigger/where/value", {"gte": 7, "lt": 100}),
        ({"/trigger/where#+.path": "sku", "/trigger/where#+.value": "x"}, "/trigger/where/sku", "x"),
        ({"/trigger/where#2.path": ""}, "/trigger/where", {"value": {"gte": 5, "lt": 100}}),
        ({"/trigger/where#2.value": "a, 3"}, "/trigger/where/kind", {"in": ["a", 3]}),
        ({"/subject": "team"}, "/subject", {"group": "team"}),
        ({"/reenter": "always"}, "/reenter", "always"),
        ({"/exit#leaves": ""}, "/exit", ["goal"]),
        ({"/paused": ""}, "/paused", None),
        ({"/allocation/weights/a": "3"}, "/allocation", {"weights": {"a": 3, "b": 1}}),
        ({"/variants/a#name": "z"}, "/allocation/weights", {"z": 2, "b": 1}),
        (
            {"/variants/b/steps/0/send/channels": "push, sms"},
            "/variants/b/steps/0/send/template",
            {"push": "p", "sms": ""},
        ),
        ({"/variants/b/steps/0/send/channel": "sms"}, "/variants/b/steps/0/send/template", "p"),
        ({"/variants/b/steps/1#wait": "for"}, "/variants/b/steps/1", {"wait": {"for": "1d"}}),
        ({"/variants/b/steps/5/update/traits#0.value": "'1'"}, "/variants/b/steps/5/update/traits/at", "1"),
        ({"/variants/b/steps/3/split/x#name": "q"}, "/variants/b/steps/3/split/q/weight", 2),
        (
            {"/audience/all/1/not/did#measure": "distinct"},
            "/audience/all/1/not/did/distinct",
            {"of": "revenue", "gte": 5},
        ),
        ({"/audience/all/1/not/did#window": "today"}, "/audience/all/1/not/did/today", "yes"),
        ({"/audience/all/2/did_not/event": "Left"}, "/audience/all/2", {"did_not": "Left"}),
        (
            {"/audience/all/2/did_not#window": "within"},
            "/audience/all/2",
            {"did_not": {"event": "Cancelled", "within": "30d"}},
        ),
        ({"/audience/all/2#kind": "did"}, "/audience/all/2", {"did": "Cancelled"}),
        ({"/audience/all/9/reachable": "sms"}, "/audience/all/9", {"reachable": "sms"}),
        ({"/audience/all/11/stage#op": "at_most"}, "/audience/all/11", {"stage": {"at_most": "evaluating"}}),
        (
            {"/audience/all/12/group/account#name": "team"},
            "/audience/all/12",
            {"group": {"team": {"employees": {"gte": 50}}}},
        ),
        (
            {"/audience/all/4/since_last#value": "20d"},
            "/audience/all/4",
            {"since_last": {"event": "A", "gte": "20d"}},
        ),
        (
            {"/audience/all/3#kind": "all"},
            "/audience/all/3",
            {
                "all": [
                    {
                        "sequence": {
                            "steps": ["A", {"not": {"event": "C"}}, {"event": "B", "within": "3d"}],
                            "within": "30d",
                        }
                    }
                ]
            },
        ),
        ({"/audience#kind": ""}, "/audience", None),
        ({"/trigger#kind": "date"}, "/trigger", {"date": {"trait": ""}}),
        (
            {"/also/1#kind": "when"},
            "/also/1",
            {"when": {"did": {"event": "Code Used", "since": "entry"}}, "within": "7d"},
        ),
    ],
)
def test_a_field_changes_what_it_shows_and_nothing_else(
    changes: dict[str, str], at: str, expected: Any
) -> None:
    """The value is as it was asked for; of the document's other keys each is as it was."""
    after = posted(body(WHOLE), changes).body
    assert found(after, at) == expected
    touched = {name.split("/")[1].partition("#")[0] for name in changes} | {at.split("/")[1]}
    assert {key: one for key, one in after.items() if key not in touched} == {
        key: one for key, one in body(WHOLE).items() if key not in touched
    }


@pytest.mark.parametrize(
    ("do", "at", "expected"),
    [
        ("up::/variants/b/steps/6", "/variants/b/steps/5", {"wait": {"for": "1h"}}),
        (
            "remove::/variants/b/steps/2/branch/0",
            "/variants/b/steps/2/branch",
            [{"otherwise": [{"exit": "nothing to say"}]}],
        ),
        (
            "add:wait:/variants/b/steps/2/branch/1/otherwise",
            "/variants/b/steps/2/branch/1/otherwise/1",
            {"wait": {"for": "1d"}},
        ),
        (
            "add:way:/variants/b/steps/2/branch",
            "/variants/b/steps/2/branch/2/otherwise/0/exit",
            "nothing to say",
        ),
        ("add:wait:/variants/a", "/variants/a/steps/0/send/template", "one"),
        ("add:drawn:/variants/b/steps/3/split", "/variants/b/steps/3/split/a", {"steps": []}),
        ("add:variant:/variants", "/allocation/weights", {"a": 2, "b": 1, "c": 1}),
        ("remove::/variants/a", "/allocation/weights", {"b": 1}),
        ("add:condition:/audience/all/0/any", "/audience/all/0/any/2", {"did": {"event": "Order Completed"}}),
        (
            "add:never:/audience/all/3/sequence/steps",
            "/audience/all/3/sequence/steps/3",
            {"not": "Order Cancelled"},
        ),
        ("down::/also/0", "/also/0/event", "Code Used"),
    ],
)
def test_a_button_changes_its_list(do: str, at: str, expected: Any) -> None:
    assert found(posted(body(WHOLE), do=do).body, at) == expected


def test_variants_begin_as_the_steps_that_there_were() -> None:
    """What was the only way keeps its name, so that runs and reports of it go on."""
    steps = [{"send": {"channel": "email", "template": "one"}}]
    after = posted({"campaign": "x", "steps": steps, "topic": "news"}, do="add:variants:").body
    assert list(after) == ["campaign", "variants", "topic"]
    assert after["variants"] == {"treatment": {"steps": steps}, "another": {"steps": steps}}


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "yes", "4%", "a: b", "x\ny"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["event", "did", "steps", "all", "when", "x/y#~"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def pointers(value: Any, at: str = "") -> list[str]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    inner = [under(at, key) for key in keys]
    return inner + [more for key, one in zip(keys, inner, strict=True) for more in pointers(value[key], one)]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(pointers(body(WHOLE))), JUNK, st.data())
def test_whatever_stands_in_the_yaml_is_shown_and_kept(at: str, junk: Any, data: st.DataObject) -> None:
    """With any value anywhere the form can be shown, and posted untouched gives the same document; a change
    of another field keeps it."""
    document = deepcopy(body(WHOLE))
    put(document, at, junk)
    assert posted(document).body == document
    assert yaml.write([document])
    other = data.draw(st.sampled_from(["fresh", "topic", "why", "worth"]))
    if at.split("/")[1] != other:
        after = posted(document, {f"/{other}": "7"}).body
        assert {**after, other: 0} == {**document, other: 0}
