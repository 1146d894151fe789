"""Pace as a question: how long people take from one event to another; and the tables of a day that live
conditions are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from hark.definitions.conditions import read_condition
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.resolve import passages_in
from hark.history.reader import Snapshot
from hark.model import JSON, Instant
from hark.questions.behaviour import whom
from hark.understand.conditions import Pace
from hark.understand.conditions.pace import FEWEST, Passage
from hark.understand.conditions.sequence import Match
from hark.understand.pace import reference
from hark.understand.people import People
from hark.understand.steps import parse_step

if TYPE_CHECKING:
    from hark.questions.desk import Desk


class PaceQuestion(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """How long it takes from one event to another."""

    start: JSON
    to: JSON
    stayed: bool = True


class PacesQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Today's table of every way that a definition in force asks about."""


def pace(desk: Desk, asked: PaceQuestion, snapshot: Snapshot) -> JSON:
    """{"way", "day", "cases", "fewest", "waits_s": seconds by which 1 %, 2 %, ... had gone on}."""
    body = {"from": _step(asked.start), "to": _step(asked.to), "stayed": asked.stayed, "slower_than": 0.5}
    found = read_condition({"pace": body}, desk.zone)
    assert isinstance(found, Pace)
    table = reference(whom(desk, snapshot), found.way, desk.clock.now(), desk.zone)
    plain = {"day": table.day, "cases": table.cases, "waits_s": list(table.waits_s)}
    return {"way": found.way.sentence(), "fewest": FEWEST, **plain}


def _step(step: JSON) -> JSON:
    """A step as a condition writes it: "A|B" is any of the two."""
    return {"any_of": list(parse_step(step).names)} if isinstance(step, str) else step


def paces(desk: Desk, _asked: PacesQuestion, snapshot: Snapshot) -> JSON:
    """[{"says", "body"}]: a `pace` document for each way, that `hark pace --keep` puts into force."""
    everybody, now = whom(desk, snapshot), desk.clock.now()
    asked = passages(desk.state.documents(), desk.zone)
    return [as_document(way, everybody, now, desk.zone) for way in asked]


def passages(documents: Sequence[Document], zone: str) -> list[Passage]:
    """The passages that definitions ask about, each once, in the order of their names."""
    typed = [definition(one, zone) for one in documents if one.kind in ASKING]
    found = {way.name: way for one in typed for way in passages_in(one)}
    return [way for _, way in sorted(found.items())]


ASKING = ("segment", "campaign", "policy", "question")


def as_document(way: Passage, everybody: People, now: Instant, zone: str) -> JSON:
    """{"says", "body"} of the table of the day in which `now` lies."""
    found = reference(everybody, way, now, zone)
    body: dict[str, JSON] = {"pace": way.name, "from": _written(way.start), "to": _written(way.to)}
    body |= {} if way.stayed else {"stayed": False}
    body |= {"day": found.day, "cases": found.cases}
    return {"says": way.sentence(), "body": body | ({"waits": list(found.waits_s)} if found.waits_s else {})}


def _written(match: Match) -> JSON:
    names = {"event": match.names[0]} if len(match.names) == 1 else {"any_of": list(match.names)}
    return names | ({"where": match.where} if match.where else {})
