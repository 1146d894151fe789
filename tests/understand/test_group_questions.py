"""Questions about groups: the same kernels over the groups' rows, and never customers and groups in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.definitions.questions import read_question
from hark.history import columns
from hark.history.merged import Merged
from hark.history.reader import NO_TABLE, Snapshot
from hark.history.seal import Sealer
from hark.model import GROUPS, HOUR, Event
from hark.questions.behaviour import ASK
from hark.store.table import EventTable
from hark.understand.people import groups_of, people
from tests.understand.histories import START, event

QUESTIONS: dict[str, Any] = {
    "funnel": {"steps": ["A", "B"], "within": "2d", "by": "trait:plan", "instead": True},
    "retention": {"start": "A", "return": "B", "period": "day"},
    "paths": {"from": "A", "depth": 3},
    "sessions": {},
    "lifecycle": {"period": "day"},
    "trend": {"event": "A", "of": "n", "by": "n"},
}
DAYS = st.integers(0, 24 * 5)
ROWS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.sampled_from("ABC"), DAYS), max_size=25)


def asked(kind: str, whom: Any) -> Any:
    question = read_question(kind, QUESTIONS[kind], "UTC")
    return ASK[type(question)](whom, question, START + 6 * 24 * HOUR).to_json()


def held(events: Sequence[Event], folder: Path, sealed: int) -> Snapshot:
    """The first so many in a file, the others waiting."""
    table, version = EventTable(folder), NO_TABLE
    if sealed and events[:sealed]:
        sealer = Sealer(table, "epoch")
        sealer.seal([(1, columns.encode(events[:sealed]))])
        version = sealer.version()
    return Snapshot(table, version, [columns.encode(events[sealed:])] if events[sealed:] else [], Merged([]))


@settings(max_examples=12, deadline=None)
@given(rows=ROWS, sealed=st.sampled_from([0, 10]))
def test_groups_are_asked_as_customers_are_and_never_with_them(
    rows: list[tuple[int, int, str, int]], sealed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of a history in which events stand under a customer and again under a group, customers are asked as if
    there were no groups, and groups of one type as if they were customers and nobody else was there."""
    own: list[Event] = []
    groups: list[Event] = []
    other: list[Event] = []
    as_customers: list[Event] = []
    for seq, (who, group, name, hours) in enumerate(rows):
        at = START + hours * HOUR
        one = event(seq, name, at, at, {"n": seq % 3}, subject=who)
        own.append(one)
        if group:
            theirs = [groups, groups, other][group - 1]
            theirs.append(msgspec.structs.replace(one, subject=GROUPS + group))
            if group < 3:
                as_customers.append(msgspec.structs.replace(one, subject=group))
    folder = tmp_path_factory.mktemp("history")
    mixed = sorted([*own, *groups, *other], key=lambda one: one.seq)
    history = held(mixed, folder / "mixed", sealed)
    alone, twins = held(own, folder / "own", 0), held(as_customers, folder / "twins", 0)
    now = START + 6 * 24 * HOUR
    accounts = groups_of(history, now, [GROUPS + 1, GROUPS + 2], lambda _: pytest.fail("no segment"))
    for kind in QUESTIONS:
        assert asked(kind, people(history, now)) == asked(kind, people(alone, now)), kind
        assert asked(kind, accounts) == asked(kind, people(twins, now)), kind
