"""What must hold of levels of engagement: those that are named are there, and what must last has a past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hark.definitions.levels import Ladder
from hark.definitions.problems import Problem, nearest
from hark.definitions.resolve import Lookup, between, levels_in
from hark.definitions.types import Campaign, Definition
from hark.errors import HarkError
from hark.understand.conditions import AtLevel

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed


def problems(document: Parsed, known: Mapping[str, Mapping[str, Definition]]) -> Iterator[Problem]:
    """What is wrong with the levels of a document, and with those that it names."""
    if isinstance(document.definition, Ladder):
        yield from _without_a_past(document, document.definition, known)
    for leaf in levels_in(document.definition):
        named = known[leaf.kind][leaf.name]
        assert isinstance(named, Ladder)
        yield from _missing(document, named, leaf)
    trigger = document.definition.trigger if isinstance(document.definition, Campaign) else None
    if trigger and trigger.level:
        line, wanted = document.line_of("trigger", trigger.level.kind), trigger.level
        definition = known.get(wanted.kind, {}).get(wanted.definition)
        if not isinstance(definition, Ladder):
            hint = nearest(wanted.definition, known.get("engagement", {}))
            yield Problem(document.file, line, f'there is no engagement "{wanted.definition}"', hint)
        elif wanted.level not in definition.names:
            message = f'there is no level "{wanted.level}" in {definition.name}'
            yield Problem(document.file, line, message, nearest(wanted.level, definition.names))


def _missing(document: Parsed, definition: Ladder, leaf: AtLevel) -> Iterator[Problem]:
    try:
        between(definition, leaf)
    except HarkError as error:
        yield Problem(document.file, document.line_naming(_said(leaf)), error.message, error.hint)


def _said(leaf: AtLevel) -> str:
    """What of the condition stands in the document."""
    return leaf.at_least or leaf.at_most if leaf.kind == "stage" else leaf.name


def _without_a_past(
    document: Parsed, definition: Ladder, known: Mapping[str, Mapping[str, Definition]]
) -> Iterator[Problem]:
    """Of traits and consents only the present is known, so that nobody can say how long they have been so."""
    look_up = Lookup([one for kind in known.values() for one in kind.values()])
    for place, level in enumerate(definition.levels):
        patient = level.for_us or level.grace_us
        stands = ("stages", place + 1) if definition.floor else ("levels", place)
        if patient and not all(leaf.keeps_summary for leaf in look_up.condition(level.when).leaves()):
            yield Problem(
                document.file,
                document.line_of(*stands),
                f'level "{level.name}" asks how long a trait or consent has been so',
                "held_for and grace are for what people did: name events",
            )
