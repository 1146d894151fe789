"""A segment's document as the sections of a form."""

from __future__ import annotations

from hark.console.forms.blocks import Making, Part
from hark.console.forms.conditions import condition
from hark.console.forms.sections import Section
from hark.console.forms.widgets import Entry


def sections(making: Making, new: bool) -> tuple[Section, ...]:
    """Its name and its condition; whom it is of stays what it is, and stands in the YAML."""
    name = making.widgets((Entry("segment", "Name", needed=True),), "") if new else ()
    what = (Section("What it is called", name, slot="/segment", wrong=making.at("/segment")),) if new else ()
    where = Part("/where", "", (condition(making, "/where", "Whoever"),))
    return (*what, Section("Who is in it", parts=(where,)))
