"""What must hold between documents: what they name exists, and fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from hark.definitions import content_check as contents
from hark.definitions import level_check as levels
from hark.definitions import subject_check as subjects
from hark.definitions.beliefs import Hypothesis
from hark.definitions.engagement import PURCHASE
from hark.definitions.mapping import Source
from hark.definitions.problems import Problem, nearest
from hark.definitions.resolve import NAMING, cycle, kind_of, named, named_conditions, named_in
from hark.definitions.sending import LEAVING
from hark.definitions.stages import built_in
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Definition, Send, Sender, Task, Template, Webhook
from hark.definitions.yaml import Node

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed

Leaving: TypeAlias = Send | Webhook | Task
Names = Mapping[str, Mapping[str, Definition]]
"""Kind, then name, to what stands there."""


def problems(parsed: Sequence[Parsed], current: Iterable[Definition]) -> list[Problem]:
    """What is wrong between the documents wanted and those in force (which the wanted replace)."""
    known: dict[str, dict[str, Definition]] = {}
    current = list(current)
    for one in [*current, *(document.definition for document in parsed)]:
        known.setdefault(kind_of(one), {})[one.name] = one
    known.setdefault("stage", {}).setdefault(PURCHASE, built_in()[1])
    found = [*_twice(parsed), *_links_twice(parsed, known), *_named(parsed, known), *_asked(parsed, known)]
    for document in parsed:
        if isinstance(document.definition, Campaign):
            found += _campaign(document, document.definition, known)
        if isinstance(document.definition, Hypothesis):
            found += _hypothesis(document, document.definition, known)
    found += contents.problems(parsed, known)
    found += subjects.problems(parsed, current, known)
    return found or [problem for document in parsed for problem in levels.problems(document, known)]


def _twice(parsed: Sequence[Parsed]) -> list[Problem]:
    first: dict[tuple[str, str], Parsed] = {}
    found = []
    for document in parsed:
        before = first.setdefault((document.kind, document.name), document)
        if before is not document:
            message = f"{document.kind} {document.name} is defined twice"
            found.append(
                Problem(document.file, document.line, message, f"first in {before.file}:{before.line}")
            )
    return found


def _links_twice(parsed: Sequence[Parsed], known: Names) -> list[Problem]:
    """Templates know links by their names alone, so that each is in one source."""
    found = []
    for document in parsed:
        for other in known.get("source", {}).values():
            mine, theirs = document.definition, other
            if not isinstance(mine, Source) or not isinstance(theirs, Source) or mine.name == theirs.name:
                continue
            for name in mine.links.keys() & theirs.links.keys():
                line = document.line_of("links", name)
                message = f'the link "{name}" is in source {theirs.name} already'
                found.append(Problem(document.file, line, message, "templates know links by name alone"))
    return found


def _named(parsed: Sequence[Parsed], known: Names) -> list[Problem]:
    """Segments and topics that conditions name are there, and no segment names itself, however far about."""
    names = {
        named(kind, name): named_conditions(one)
        for kind in NAMING
        for name, one in known.get(kind, {}).items()
    }
    found = []
    for document in parsed:
        for kind, name in named_in(document.definition):
            if name not in known.get(kind, {}):
                message, hint = f'there is no {kind} "{name}"', nearest(name, known.get(kind, {}))
                found.append(Problem(document.file, document.line_naming(name), message, hint))
        label = named(document.kind, document.name)
        way = cycle(label, names) if document.kind in NAMING else []
        if way:
            message = f"{document.kind} {document.name} names itself: {' → '.join(way)}"
            line = document.line_naming(way[1].rpartition(" ")[2])
            found.append(Problem(document.file, line, message))
    return found


def _asked(parsed: Sequence[Parsed], known: Names) -> list[Problem]:
    """Surveys that templates ask are there."""
    found = []
    for document in parsed:
        name = document.definition.survey if isinstance(document.definition, Template) else ""
        if name and name not in known.get("survey", {}):
            message, hint = f'there is no survey "{name}"', nearest(name, known.get("survey", {}))
            found.append(Problem(document.file, document.line_of("survey"), message, hint))
    return found


def _listed(value: object) -> list[Node]:
    return value if isinstance(value, list) else []


def _campaign(document: Parsed, campaign: Campaign, known: Names) -> list[Problem]:
    wanted = [
        ("segment", campaign.trigger.enters, document.line_of("trigger", "enters")),
        ("segment", campaign.exit_leaves, _exit_line(document)),
        *(("segment", one, document.line_of("situations", at)) for at, one in enumerate(campaign.situations)),
        ("topic", campaign.topic, document.line_of("topic")),
        ("programme", campaign.programme, document.line_of("programme")),
    ]
    leaving = _leaving(document, campaign)
    wanted += [("template", template, line) for step, line in leaving for _, template in _ways(step)]
    wanted += [
        ("sender", step.sender, line) for step, line in leaving if not isinstance(step, Task) and step.sender
    ]
    return _missing(document, wanted, known) + _channels(document, campaign, known)


def _hypothesis(document: Parsed, one: Hypothesis, known: Names) -> list[Problem]:
    """What was asked, who it is about and what tests it are there."""
    wanted = [
        ("question", one.question, document.line_of("question")),
        ("segment", one.situation, document.line_of("situation")),
        *(("campaign", name, document.line_of("tests", at)) for at, name in enumerate(one.tests)),
    ]
    return _missing(document, wanted, known)


def _missing(document: Parsed, wanted: Iterable[tuple[str, str | None, int]], known: Names) -> list[Problem]:
    return [
        Problem(document.file, line, f'there is no {kind} "{name}"', nearest(name, known.get(kind, {})))
        for kind, name, line in wanted
        if name is not None and name not in known.get(kind, {})
    ]


def _channels(document: Parsed, campaign: Campaign, known: Names) -> list[Problem]:
    """Templates and senders are for the channel of their step."""
    found = []
    for step, line in _leaving(document, campaign):
        for channel, name in _ways(step):
            template = known.get("template", {}).get(name)
            if isinstance(template, Template) and template.channel != channel:
                message = f'template "{name}" is for {template.channel}, not {channel}'
                found.append(Problem(document.file, line, message, _FOR_EACH if len(_ways(step)) > 1 else ""))
        sender = None if isinstance(step, Task) else known.get("sender", {}).get(step.sender)
        wanted = step.channel if isinstance(step, Send) else "webhook"
        if isinstance(sender, Sender) and sender.channel != wanted:
            message = f'sender "{sender.name}" is for {sender.channel}, not {wanted}'
            found.append(Problem(document.file, line, message))
    return found


_FOR_EACH = "for several channels write template: {email: ..., sms: ...}"


def _ways(step: Leaving) -> tuple[tuple[str, str], ...]:
    return step.ways if isinstance(step, Send) else ()


def _leaving(document: Parsed, campaign: Campaign) -> list[tuple[Leaving, int]]:
    """Every step by which something leaves, with the line on which it says what."""
    steps = [
        step for variant in campaign.variants for step in every(variant.steps) if isinstance(step, LEAVING)
    ]
    return list(zip(steps, _lines_of(document.node), strict=True))


def _lines_of(node: Node) -> Iterator[int]:
    """Those lines, in the order of the text, which is that of the steps."""
    children = node.value
    if isinstance(children, dict):
        for name, child in children.items():
            if name in _SAYS and isinstance(child.value, dict) and _SAYS[name] in child.value:
                yield child.value[_SAYS[name]].line
            elif name not in ("with", "traits", "body"):
                yield from _lines_of(child)
    elif isinstance(children, list):
        for child in children:
            yield from _lines_of(child)


_SAYS = {"send": "template", "webhook": "sender", "task": "says"}
"""By step, the key that says what leaves."""


def _exit_line(document: Parsed) -> int:
    exits = document.body.get("exit", [])
    place = next((place for place, reason in enumerate(exits) if isinstance(reason, dict)), 0)
    return document.line_of("exit", place, "leaves")
