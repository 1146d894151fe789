"""What customers answered to a survey, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from hark.definitions.asked import Period
from hark.definitions.parse import definition
from hark.definitions.problems import nearest
from hark.definitions.survey import SCORES, Survey
from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.learn.columns import COLUMNS, integers
from hark.learn.surveys import Given, report
from hark.model import JSON
from hark.questions.behaviour import whom
from hark.speak.words import languages, words

if TYPE_CHECKING:
    from hark.questions.desk import Desk

WORTH_IT = "worth_it"
"""The survey that needs no document: was this worth your time?"""


class SurveyQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """A survey's answers, by period."""

    name: str
    period: Period = "week"


class _Told(Struct):
    """What is read of an answer's properties; a client may send anything."""

    survey: Any = None
    score: Any = None
    choice: Any = None
    worth: Any = None
    text: Any = None
    message: Any = None


def worth_it() -> Survey:
    """`Worth It` as a poll of yes and no."""
    known = {one: words(one) for one in languages()}
    asks = {one: found["worth_title"] for one, found in known.items()}
    choices = {choice: {one: found[choice] for one, found in known.items()} for choice in ("yes", "no")}
    return Survey(WORTH_IT, "poll", asks, choices, comment=False)


def survey(desk: Desk, asked: SurveyQuestion, snapshot: Snapshot) -> JSON:
    """`learn.surveys.SurveyReport` as plain data; our own people's answers count nowhere. Raises HarkError
    `survey.unknown`."""
    found = worth_it() if asked.name == WORTH_IT else _document(desk, asked.name)
    name = "Worth It" if asked.name == WORTH_IT else "Survey Answered"
    rows = whom(desk, snapshot).table([name], COLUMNS)
    told = [_told(one) for one in rows["properties"].to_pylist()]
    parts = zip(integers(rows, "subject").tolist(), integers(rows, "at").tolist(), told, strict=True)
    given = [Given(subject, at, *_said(found, one)) for subject, at, one in parts if _is_of(found, one)]
    return report(found, given, desk.clock.now(), asked.period, desk.zone).to_json()


def _document(desk: Desk, name: str) -> Survey:
    known = {one.name: one for one in desk.state.documents() if one.kind == "survey"}
    if name not in known:
        hint = nearest(name, known) or f"there are: {', '.join([*known, WORTH_IT])}"
        raise HarkError(f"no survey {name}", hint, "survey.unknown")
    found = definition(known[name], desk.zone)
    assert isinstance(found, Survey)
    return found


def _is_of(survey: Survey, told: _Told) -> bool:
    return survey.name in (WORTH_IT, told.survey)


def _said(survey: Survey, told: _Told) -> tuple[str, str, str]:
    """(message, option, text)"""
    if survey.name == WORTH_IT:
        option = {True: "yes", False: "no"}.get(told.worth) if isinstance(told.worth, bool) else None
    elif survey.kind in SCORES:
        option = str(int(told.score)) if isinstance(told.score, int | float) else None
    else:
        option = told.choice if isinstance(told.choice, str) else None
    texts = (one if isinstance(one, str) else "" for one in (told.message, told.text))
    message, text = texts
    return message, option or "", text


def _told(properties: bytes) -> _Told:
    try:
        return _decoder.decode(properties)
    except msgspec.MsgspecError:
        return _Told()


_decoder = msgspec.json.Decoder(_Told)
