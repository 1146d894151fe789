"""Computed traits that a model estimates, as a question: what is to be told of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from hark.definitions.computed import ESTIMATED
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Computed
from hark.history.reader import Snapshot
from hark.learn.columns import integers
from hark.model import JSON
from hark.questions.behaviour import whom
from hark.understand.conditions.calendar import day_of
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.questions.desk import Desk

Told = dict[str, dict[int, float]]
"""By trait and subject, what was told last."""


class EstimatesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """What each `computed` document with `worth` says today, where it differs from what was told last."""


def estimates(desk: Desk, _asked: EstimatesQuestion, snapshot: Snapshot) -> JSON:
    """{trait: {"customers": of whom something is known, "told": [[subject, value]], "why": ""}}; "why" there
    is none: too few bought again."""
    everybody = whom(desk, snapshot)
    typed = [definition(one, desk.zone) for one in wanting(desk.state.documents())]
    before = _told(everybody) if typed else {}
    return {
        one.name: _of(desk, everybody, one, before.get(one.name, {}))
        for one in typed
        if isinstance(one, Computed)
    }


def wanting(documents: list[Document]) -> list[Document]:
    """Those that a model estimates."""
    return [one for one in documents if one.kind == "computed" and "worth" in one.body]


def _of(desk: Desk, everybody: People, one: Computed, before: dict[int, float]) -> JSON:
    from hark.learn.worth import estimates as learn
    from hark.learn.worth.answer import Worth, purchase_days

    asked, now = one.prospect, desk.clock.now()
    assert asked is not None
    days = purchase_days(everybody, Worth(asked.names, asked.value, asked.weeks, zone=desk.zone), now)
    found = learn.estimates(days, day_of(now, desk.zone) + 1, asked)
    if found is None:
        why = "fewer than 100 customers bought again, or values fit no model"
        return {"customers": 0, "told": [], "why": why}
    changed = learn.changed(*found, before, asked.what)
    return {"customers": len(found[0]), "told": changed, "why": ""}


def _told(everybody: People) -> Told:
    rows = everybody.table((ESTIMATED,), ("subject", "properties"))
    found: Told = {}
    told: Any = zip(integers(rows, "subject").tolist(), rows["properties"].to_pylist(), strict=True)
    for subject, raw in told:
        said = msgspec.json.decode(raw)
        found.setdefault(said["trait"], {})[subject] = said["value"]
    return found
