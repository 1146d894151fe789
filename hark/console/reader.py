"""Who reads a customer's page, and in which language: what the pages behind links in messages share."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from hark.console.source import Source
from hark.definitions.parse import definition
from hark.definitions.survey import Survey
from hark.definitions.types import Sender, Template, Topic
from hark.errors import HarkError
from hark.model import Record
from hark.speak.words import Words, language, words
from hark.understand.conditions.reachable import IN_APP


def record_of(here: Source, subject: int) -> Record | None:
    """The record of whoever the subject is today."""
    return here.state.record(here.state.canonical(subject))


def words_for(request: HttpRequest, record: Record | None) -> Words:
    """What Hark says, in the customer's language, else the browser's."""
    traits = {name: trait.value for name, trait in record.traits.items()} if record else {}
    return words(language(traits, request.headers.get("Accept-Language", "")))


def topics(here: Source) -> Mapping[str, Topic]:
    """The topics in force, less those whose definition cannot be read any more."""
    return {one.name: one for one in _documents(here, "topic") if isinstance(one, Topic)}


def surveys(here: Source) -> Mapping[str, Survey]:
    """The surveys in force, less those whose definition cannot be read any more."""
    return {one.name: one for one in _documents(here, "survey") if isinstance(one, Survey)}


def senders(here: Source) -> list[Sender]:
    """The accounts at providers, by name."""
    return [one for one in _documents(here, "sender") if isinstance(one, Sender)]


def channels(here: Source) -> set[str]:
    """By which messages may come: those that somebody sends by, and the product's inbox, where it is used."""
    sent = {one.channel for one in senders(here)}
    written = {one.channel for one in _documents(here, "template") if isinstance(one, Template)}
    return sent | (written & {IN_APP}) | {"email"}


def _documents(here: Source, kind: str) -> list[object]:
    found: list[object] = []
    for document in here.state.documents():
        try:
            found += [definition(document)] if document.kind == kind else []
        except HarkError:
            continue
    return found
