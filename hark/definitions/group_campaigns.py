"""What a campaign about groups cannot be, since it is a person's, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hark.definitions.problems import Problem
from hark.definitions.references import references, refers
from hark.definitions.steps import every
from hark.definitions.types import Branch, Campaign, Send, Split, Step, Task, Wait
from hark.understand.conditions import Condition

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed

OF_CUSTOMERS: Mapping[str, tuple[str, str]] = {
    "assign_by": ("arms are drawn by the group as it is", "leave it out"),
    "programme": ("a programme's control is drawn by the customer", "leave it out"),
}
"""Keys of a campaign that a group's has not: why, and what to do."""


def problems(document: Parsed, campaign: Campaign) -> Iterator[Problem]:
    """What is wrong with a campaign for the kind of its subject."""
    yield from _referring(document, campaign)
    yield from _sending(document, campaign)
    if not campaign.group:
        return
    for key in OF_CUSTOMERS.keys() & document.body.keys():
        why, hint = OF_CUSTOMERS[key]
        yield Problem(document.file, document.line_of(key), f"a campaign of groups has no {key}: {why}", hint)
    yield from _triggered(document, campaign)


def _sending(document: Parsed, campaign: Campaign) -> Iterator[Problem]:
    """A group's messages say to which of its members they go; a customer's go to the customer."""
    line = document.line_of("variants" if "variants" in document.body else "steps")
    for step in sends(campaign):
        if campaign.group and not step.members:
            message = "a group has no address: send needs to, which says to which of its members"
            yield Problem(document.file, line, message, "to: members, or to: {trait: {role: admin}}")
        elif step.members and not campaign.group:
            message = '"to" belongs to a campaign of groups: this one writes to the customer'
            yield Problem(document.file, line, message, "leave it out, or write subject: {group: account}")
        elif campaign.group and step.content is not None:
            yield Problem(document.file, line, "content in a campaign of groups is not yet built")


def sends(campaign: Campaign) -> list[Send]:
    """The steps that write to people."""
    steps = (step for variant in campaign.variants for step in every(variant.steps))
    return [step for step in steps if isinstance(step, Send)]


def asked_of_members(campaign: Campaign) -> Iterator[Condition]:
    """The conditions on customers that a campaign of groups asks, by which it chooses among members."""
    yield from (step.to for step in sends(campaign) if step.to is not None)


def of_group_alone(campaign: Campaign) -> Campaign:
    """The campaign with nothing but what is asked of the group itself."""
    variants = (replace(one, steps=_without_to(one.steps)) for one in campaign.variants)
    return replace(campaign, variants=tuple(variants))


def _without_to(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(_one_without(step) for step in steps)


def _one_without(step: Step) -> Step:
    if isinstance(step, Send):
        return replace(step, to=None)
    if isinstance(step, Branch | Split):
        return replace(step, ways=tuple(replace(way, steps=_without_to(way.steps)) for way in step.ways))
    return step


def _triggered(document: Parsed, campaign: Campaign) -> Iterator[Problem]:
    trigger = campaign.trigger
    if trigger.level is not None:
        message, hint = f"{trigger.level.kind} is of customers, not of groups", "enters: a segment of groups"
        yield Problem(document.file, document.line_of("trigger"), message, hint)
    if trigger.api:
        message = "api in a campaign of groups is not yet built"
        yield Problem(document.file, document.line_of("trigger"), message, "an event of the group starts it")


def _referring(document: Parsed, campaign: Campaign) -> Iterator[Problem]:
    """References to the traits are called by whose they are."""
    wrong, right = ("customer", "group") if campaign.group else ("group", "customer")
    steps = [step for variant in campaign.variants for step in every(variant.steps)]
    plain = [step.to for step in steps if isinstance(step, Wait) and step.to]
    plain += [step.assignee for step in steps if isinstance(step, Task) and refers(step.assignee)]
    for reference in [*references(document.body), *plain]:
        root, _, path = reference.partition(".")
        if root == wrong:
            message = f"{reference} is nothing here: the campaign is about {right}s"
            yield Problem(document.file, document.line, message, f"write {right}.{path}")
