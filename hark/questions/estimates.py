"""Computed traits that a model estimates, as a question: what is to be told of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from hark.definitions.computed import ESTIMATED, MODELS
from hark.definitions.document import Document
from hark.definitions.learned import Prospect, Renewing
from hark.definitions.parse import definition
from hark.definitions.types import Computed
from hark.history.reader import Snapshot
from hark.learn.columns import Integers, integers, numbers_at
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.understand.conditions.calendar import day_of
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.learn.worth.fit import Floats
    from hark.questions.desk import Desk

Told = dict[str, dict[int, float]]
"""By trait and subject, what was told last."""


class EstimatesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """What each `computed` document with `worth` or `subscription` says today, where it differs."""


def estimates(desk: Desk, _asked: EstimatesQuestion, snapshot: Snapshot) -> JSON:
    """{trait: {"customers": of whom something is known, "told": [[subject, value]], "why": ""}}; "why" there
    is none: too few bought again, or renewed and left."""
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
    return [one for one in documents if one.kind == "computed" and any(model in one.body for model in MODELS)]


def _of(desk: Desk, everybody: People, one: Computed, before: dict[int, float]) -> JSON:
    from hark.learn.worth import estimates as learn

    asked = one.prospect
    assert asked is not None
    if isinstance(asked, Prospect):
        found, why = (
            _purchases(desk, everybody, asked),
            "fewer than 100 customers bought again, or values fit no model",
        )
    else:
        found, why = (
            _renewals(desk, everybody, asked),
            "fewer than 20 subscribers left, or are there for a period",
        )
    if found is None:
        return {"customers": 0, "told": [], "why": why}
    changed = learn.changed(*found, before, asked.what)
    return {"customers": len(found[0]), "told": changed, "why": ""}


def _purchases(desk: Desk, everybody: People, asked: Prospect) -> tuple[Integers, Floats] | None:
    from hark.learn.worth import estimates as learn
    from hark.learn.worth.answer import Worth, purchase_days

    now = desk.clock.now()
    days = purchase_days(everybody, Worth(asked.names, asked.value, asked.weeks, zone=desk.zone), now)
    return learn.estimates(days, day_of(now, desk.zone) + 1, asked, desk.models)


def _renewals(desk: Desk, everybody: People, asked: Renewing) -> tuple[Integers, Floats] | None:
    from hark.learn.worth import renewing
    from hark.learn.worth.subscriptions import subscribers
    from hark.questions.subscriptions import happened

    now = desk.clock.now()
    of = subscribers(*(happened(everybody, names, now) for names in (asked.starts, asked.ends)))
    price = _prices(everybody, asked, of.subject, now) if asked.what == "value" else None
    found = renewing.estimates(of, price, now, asked)
    return None if found is None else (of.subject, found)


def _prices(everybody: People, asked: Renewing, subjects: Integers, now: Instant) -> Floats:
    from hark.learn.worth.renewing import latest

    rows = everybody.table(asked.starts, ("subject", "at", "properties"))
    price = numbers_at(asked.value or "", rows["properties"].to_pylist())
    who, at = integers(rows, "subject"), integers(rows, "at")
    return latest(subjects, who[at <= now], at[at <= now], price[at <= now])


def _told(everybody: People) -> Told:
    rows = everybody.table((ESTIMATED,), ("subject", "properties"))
    found: Told = {}
    told: Any = zip(integers(rows, "subject").tolist(), rows["properties"].to_pylist(), strict=True)
    for subject, raw in told:
        said = msgspec.json.decode(raw)
        found.setdefault(said["trait"], {})[subject] = said["value"]
    return found
