"""Surveys and `Worth It` in a message: for each answer a signed link, which shows it and asks once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hark.definitions.survey import Survey, said
from hark.definitions.types import Template
from hark.model import JSON
from hark.speak.links import Links, SurveyLink, WorthLink
from hark.speak.words import words


def asked(
    template: Template, surveys: Mapping[str, Survey], links: Links, subject: int, message: str, language: str
) -> dict[str, JSON]:
    """What a template that speaks of `surveys` or `worth` finds there; nothing for one that does not, since
    every link has to be signed."""
    found: dict[str, JSON] = {}
    if any("surveys." in text for text in _texts(template)):
        found["surveys"] = {
            name: _survey(one, links, subject, message, language) for name, one in surveys.items()
        }
    if any("worth." in text for text in _texts(template)):
        found["worth"] = _worth(links, subject, message, language)
    return found


def _survey(survey: Survey, links: Links, subject: int, message: str, language: str) -> JSON:
    """{"asks", "url", "low", "high", "answers": [{"value", "label", "url"}]}"""
    return {
        "asks": said(survey.asks, language),
        "low": said(survey.low, language),
        "high": said(survey.high, language),
        "url": links.url(SurveyLink(subject, survey.name, message, "")),
        "answers": [
            {
                "value": one,
                "label": survey.label(one, language),
                "url": links.url(SurveyLink(subject, survey.name, message, one)),
            }
            for one in survey.options
        ],
    }


def in_app(survey: Survey | None, language: str) -> JSON:
    """The same for a page of the product, which sends the answer by its customer's token."""
    if survey is None:
        return None
    return {
        "name": survey.name,
        "asks": said(survey.asks, language),
        "low": said(survey.low, language),
        "high": said(survey.high, language),
        "answers": [{"value": one, "label": survey.label(one, language)} for one in survey.options],
        "takes_text": survey.takes_text,
    }


def _worth(links: Links, subject: int, message: str, language: str) -> JSON:
    """{"asks", "yes", "no", "yes_label", "no_label"}"""
    known = words(language)
    return {
        "asks": known["worth_title"],
        "yes": links.url(WorthLink(subject, message, "yes")),
        "no": links.url(WorthLink(subject, message, "no")),
        "yes_label": known["yes"],
        "no_label": known["no"],
    }


def _texts(template: Template) -> Iterator[str]:
    yield from (text for text in (template.mjml, template.html, template.text, template.url) if text)
