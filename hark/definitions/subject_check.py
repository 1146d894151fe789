"""What must hold of whom definitions are about: groups are asked about what groups have, and never mixed with
customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from hark.definitions import group_campaigns as campaigns
from hark.definitions.beliefs import Hypothesis
from hark.definitions.problems import Problem
from hark.definitions.resolve import kind_of, named_in, nodes_in
from hark.definitions.types import Campaign, Definition, Question, Segment
from hark.errors import HarkError
from hark.understand.conditions import (
    AtLevel,
    Condition,
    HasConsent,
    InGroup,
    Pace,
    Reachable,
)

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed

Names = Mapping[str, Mapping[str, Definition]]

OF_CUSTOMERS: Mapping[type[Condition], tuple[str, str]] = {
    HasConsent: ("consent is a person's", "ask for it in a segment of customers"),
    Reachable: ("a group has no address of its own", "ask in a segment of customers"),
    InGroup: ("its own traits are meant", "write trait: {...} without group"),
    AtLevel: ("levels are of customers", "say what its members did: did: {...}"),
    Pace: ("paces are of customers", "give a time: sequence with within, or since_last"),
}
"""Kinds of conditions that make no sense of a group: why, and what to write instead."""


def problems(parsed: Iterable[Parsed], current: Iterable[Definition], known: Names) -> Iterator[Problem]:
    """What is wrong with the subjects of these documents."""
    before = {(type(one), one.name): one.group for one in current if isinstance(one, Segment | Campaign)}
    for document in parsed:
        one = document.definition
        if isinstance(one, Segment | Campaign):
            yield from _moved(document, one, before.get((type(one), one.name), one.group))
            yield from _senseless(document, one) if one.group else ()
        if isinstance(one, Campaign):
            yield from campaigns.problems(document, one)
        yield from _mixed(document, one, known.get("segment", {}))


def who(group: str) -> str:
    """Whom a segment or a campaign is of, in words."""
    return f"groups of type {group}" if group else "customers"


def _moved(document: Parsed, one: Segment | Campaign, before: str) -> Iterator[Problem]:
    if before != one.group:
        message = f'{document.kind} "{one.name}" is of {who(before)}, and stays so'
        yield Problem(document.file, document.line_of("subject"), message, "give the new one another name")


def refuse_senseless(segment: Segment, in_force: Iterable[Definition]) -> None:
    """The same of a segment that is not saved. Raises HarkError `condition.subject`."""
    groups = {one.name: one.group for one in in_force if isinstance(one, Segment)}
    for message, hint in _asking(segment) if segment.group else ():
        raise HarkError(message, hint, "condition.subject")
    for kind, name in named_in(segment):
        if kind == "segment" and groups.get(name, segment.group) != segment.group:
            message = f'segment "{name}" is of {who(groups[name])}, not of {who(segment.group)}'
            raise HarkError(message, _HINT, "condition.subject")


def _senseless(document: Parsed, one: Segment | Campaign) -> Iterator[Problem]:
    place = ("where",) if isinstance(one, Segment) else ()
    for message, hint in _asking(one):
        yield Problem(document.file, document.line_of(*place), message, hint)


def _asking(one: Segment | Campaign) -> Iterator[tuple[str, str]]:
    """(message, hint) of each condition that makes no sense of a group."""
    for node in nodes_in(campaigns.of_group_alone(one) if isinstance(one, Campaign) else one):
        for kind, (why, hint) in OF_CUSTOMERS.items():
            if isinstance(node, kind):
                yield f"a {kind_of(one)} of {who(one.group)} cannot ask this: {why}", hint


def _mixed(document: Parsed, one: Definition, segments: Mapping[str, Definition]) -> Iterator[Problem]:
    """Segments that it names are of those whom it is about itself."""
    group = one.group if isinstance(one, Segment | Campaign) else ""
    group = one.asks.group if isinstance(one, Question) else group
    about = campaigns.of_group_alone(one) if isinstance(one, Campaign) else one
    names = [(name, line, group) for name, line in _names(document, about)]
    if isinstance(one, Campaign):
        members = (name for asked in campaigns.asked_of_members(one) for kind, name in named_in(asked))
        names += [(name, document.line_naming(name), "") for name in members]
    for name, line, kind in names:
        other = segments.get(name)
        if isinstance(other, Segment) and other.group != kind:
            message = f'segment "{name}" is of {who(other.group)}, not of {who(kind)}'
            yield Problem(document.file, line, message, _HINT)


_HINT = "a group's traits can be asked of its members: group: {account: {plan: pro}}"


def _names(document: Parsed, one: Definition) -> Iterator[tuple[str, int]]:
    """The segments that it names, each with its line."""
    yield from ((name, document.line_naming(name)) for kind, name in named_in(one) if kind == "segment")
    if isinstance(one, Campaign):
        named = [(one.trigger.enters, ("trigger", "enters")), (one.exit_leaves, ("exit",))]
        named += [(name, ("situations", at)) for at, name in enumerate(one.situations)]  # type: ignore[misc]
        yield from ((name, document.line_of(*way)) for name, way in named if name)
    elif isinstance(one, Hypothesis):
        yield from ((name, document.line_of("situation")) for name in (one.situation,) if name)
    elif isinstance(one, Question) and (among := getattr(one.asks, "among", None)):
        yield among, document.line_of("among")
