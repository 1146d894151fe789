"""What a programme, or all messaging together, changes, as a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from hark.clock import unit_hash
from hark.decide.holdouts import CONTROL, TREATED
from hark.definitions.document import Document
from hark.definitions.goals import GOAL
from hark.definitions.parse import definition
from hark.definitions.shapes import Invalid, Reading
from hark.definitions.types import Goal, Policy, Programme
from hark.definitions.yaml import located
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.learn.columns import Entries, Integers
from hark.learn.entries import Entered
from hark.learn.facts import Facts, FactsOf
from hark.learn.programmes import programme_report
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.questions.engagement import steps_of
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.learn.by_level import Steps
    from hark.questions.desk import Desk


class ProgrammeQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`programme` "": all messaging, by the global control; then `goal` says what is looked at."""

    programme: str = ""
    goal: JSON = None
    """As in a document: {"event": "Order Completed", "within": "28d", "value": "revenue"}."""
    by_level: str = ""
    """With the effect at each level of this engagement definition, or of the stages: purchase."""


def programme(desk: Desk, asked: ProgrammeQuestion, snapshot: Snapshot) -> JSON:
    """`learn.programmes.ProgrammeReport` as plain data; our own people are in no comparison.

    Raises HarkError `programme.unknown`, `programme.goal`, `programme.no_control`, `engagement.unknown`.
    """
    people = whom(desk, snapshot)
    levels = steps_of(desk, people, asked.by_level) if asked.by_level else None
    if not asked.programme:
        return _everything(desk, people, _goal(asked.goal, desk.zone), levels)
    known = {one.name: one for one in desk.state.documents() if one.kind == "programme"}
    if asked.programme not in known:
        hint = f"there are: {', '.join(known) or 'none'}; or leave the name out for all messaging"
        raise HarkError(f"no programme {asked.programme}", hint, "programme.unknown")
    found = definition(known[asked.programme], desk.zone)
    assert isinstance(found, Programme)
    facts = Facts(people)
    entries, shares = facts.qualified(found.name)
    goal = _goal(asked.goal, desk.zone) if asked.goal else found.goal
    about = (desk.clock.now(), found.name, desk.zone, levels)
    return programme_report(facts, entries, shares, goal, *about).to_json()


def _goal(body: JSON, zone: str) -> Goal:
    reading = Reading("goal", zone)
    found = GOAL.read(located(body), reading) if isinstance(body, dict) else None
    if isinstance(found, Goal) and found.when is None:
        return found
    why = reading.found[0].message if isinstance(found, Invalid) else "a goal with an event is needed"
    raise HarkError(why, "for example Order Completed within 28d", "programme.goal")


def _everything(desk: Desk, people: People, goal: Goal, levels: Steps | None) -> JSON:
    """Everybody ever active, from the global control's beginning or their own on."""
    versions = desk.state.versions("policy", "attention")
    share, redraw_us, since = global_control(versions, desk.zone)
    if not share:
        hint = "policy: attention, global_control: {share: 5%}; it begins when it is applied"
        raise HarkError(
            "there is no global control, so all messaging cannot be judged", hint, "programme.no_control"
        )
    now = desk.clock.now()
    period = now // redraw_us if redraw_us else 0
    since = max(since, period * redraw_us) if redraw_us else since
    subjects, first = _first_active(people)
    salt = f"global/{period}" if redraw_us else "global"
    told = [Entered("", 0, _arm(desk.state.key, salt, share, one)) for one in subjects.tolist()]
    entries = Entries(subjects, np.maximum(first, since), np.zeros(len(subjects), np.int64), told)
    facts = FactsOf(people, subjects)
    about = (now, "", desk.zone, levels)
    return programme_report(facts, entries, [share] * len(subjects), goal, *about).to_json()


def _arm(key: Callable[[int], tuple[str, Instant] | None], salt: str, share: float, subject: int) -> str:
    found = key(subject)
    return CONTROL if unit_hash(salt, found[0] if found else str(subject)) < share else TREATED


def global_control(versions: Sequence[Document], zone: str) -> tuple[float, int | None, Instant]:
    """(share, redraw, since when it has been so) of the global control now; (0, None, 0) without one."""
    share, redraw_us, since = 0.0, None, 0
    for one in sorted(versions, key=lambda one: one.version):
        found = definition(one, zone)
        if isinstance(found, Policy) and (found.global_control, found.redraw_us) != (share, redraw_us):
            share, redraw_us, since = found.global_control, found.redraw_us, one.applied_at
    return share, redraw_us, since


def _first_active(people: People) -> tuple[Integers, Integers]:
    """(subject, ascending; when they were first active)."""
    subjects, ats = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for bucket in range(people.buckets):
        for run in people.runs(bucket):
            for first, last in run.kept.tolist():
                rows = np.flatnonzero(run.active[first:last]) + first
                subjects.append(run.subject[rows])
                ats.append(run.at[rows])
    subject, at = np.concatenate(subjects), np.concatenate(ats)
    order = np.lexsort((at, subject))
    subject, at = subject[order], at[order]
    new = np.ones(len(subject), np.bool_)
    new[1:] = subject[1:] != subject[:-1]
    return subject[new], at[new]
