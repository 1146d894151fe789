"""A question to customers: how it is asked, what may be answered, and what an answer says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from hark.model import JSON

SurveyKind: TypeAlias = Literal["nps", "satisfaction", "poll", "text"]
SCORES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "satisfaction": (1, 5)}
"""By kind, the least and the greatest score."""
LONGEST_TEXT = 2_000


class Survey(Struct, frozen=True, tag="survey"):
    """One question. Texts are by language (two letters), or under "" for everybody."""

    name: str
    kind: SurveyKind
    asks: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]] = {}
    """Of a poll, by the choice's name, in the order written."""
    low: Mapping[str, str] = {}
    """What the least score means, in words."""
    high: Mapping[str, str] = {}
    comment: bool = True
    """Whether a text may be added to a score or a choice."""

    @property
    def options(self) -> tuple[str, ...]:
        """What can be answered with one click; none for a free text."""
        if self.kind == "poll":
            return tuple(self.choices)
        first, last = SCORES.get(self.kind, (1, 0))
        return tuple(map(str, range(first, last + 1)))

    @property
    def takes_text(self) -> bool:
        return self.comment or self.kind == "text"

    def label(self, option: str, language: str) -> str:
        """An option as its reader sees it."""
        return said(self.choices[option], language) if self.kind == "poll" else option


def said(texts: Mapping[str, str], language: str) -> str:
    """The text for a reader of this language; else for everybody, else in the first language written."""
    return texts.get(language) or texts.get("") or next(iter(texts.values()), "")


def answered(survey: Survey, option: str, text: str) -> dict[str, JSON] | None:
    """The properties of `Survey Answered` that an answer means; None: it is no answer to this survey."""
    words = text.strip()[:LONGEST_TEXT] if survey.takes_text else ""
    if option not in survey.options and not (survey.kind == "text" and not option and words):
        return None
    found: dict[str, JSON] = {"survey": survey.name, "kind": survey.kind}
    if survey.kind in SCORES:
        found["score"] = int(option)
    elif survey.kind == "poll":
        found["choice"] = option
    return found | ({"text": words} if words else {})
