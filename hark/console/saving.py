"""Definitions written in the console: read as `hark apply` reads them, put into force by the same command."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from hark.console.source import Source
from hark.definitions import parse, plan, weak, yaml
from hark.definitions.document import Document
from hark.definitions.problems import DefinitionError
from hark.model import JSON
from hark.questions.proposals import with_controls
from hark.settings import read as read_settings
from hark.speak.checking import Checking
from hark.speak.places import Allowed

WRITTEN = "text"
"""What a problem calls the place where it was found."""


def read(here: Source, text: str) -> list[parse.Parsed]:
    """The documents of a text, checked with each other and with those in force. Raises DefinitionError."""
    checking = Checking(Allowed.of(read_settings(here.data).outbound_allow))
    return parse.read([(WRITTEN, text)], here.state.documents(), settings.HARK_ZONE, checking)


def read_documents(here: Source, documents: Sequence[JSON]) -> list[parse.Parsed]:
    """The same of plain documents. Raises DefinitionError."""
    return read(here, yaml.write(documents))


def problems(error: DefinitionError) -> tuple[str, ...]:
    """What is wrong, line by line."""
    return tuple(str(one) for one in error.problems)


def warnings(here: Source, wanted: Sequence[parse.Parsed]) -> tuple[str, ...]:
    """What of them is allowed and yet should be known, line by line."""
    return tuple(str(one) for one in weak.warnings(wanted, weak.kept(here.state.documents())))


def save(here: Source, wanted: Sequence[parse.Parsed], author: str, note: str) -> list[plan.Change]:
    """Hand the documents over; what changes. Nothing is handed over where nothing would change.

    Raises HarkError: collect did not take them, so nothing was saved.
    """
    found = plan.plan(here.state.documents(), wanted)
    if any(change.what != "same" for change in found):
        here.command(plan.command(with_controls(here.data, wanted, found), author, note))
    return found


def text_of(document: Document) -> str:
    """A version as YAML, to be read and edited."""
    return plan.text_of(document)
