"""What a campaign about groups cannot be, since it is a person's, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hark.definitions.problems import Problem
from hark.definitions.references import references
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Send, Wait

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
    if not campaign.group:
        return
    for key in OF_CUSTOMERS.keys() & document.body.keys():
        why, hint = OF_CUSTOMERS[key]
        yield Problem(document.file, document.line_of(key), f"a campaign of groups has no {key}: {why}", hint)
    yield from _triggered(document, campaign)
    steps = [step for variant in campaign.variants for step in every(variant.steps)]
    if any(isinstance(step, Send) for step in steps):
        line = document.line_of("variants" if "variants" in document.body else "steps")
        message = "send in a campaign of groups is not yet built: groups have no address"
        hint = "tasks and webhooks are; what is for people is for a campaign of customers to say"
        yield Problem(document.file, line, message, hint)


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
    steps = (step for variant in campaign.variants for step in every(variant.steps))
    waits = (step.to for step in steps if isinstance(step, Wait) and step.to)
    for reference in [*references(document.body), *waits]:
        root, _, path = reference.partition(".")
        if root == wrong:
            message = f"{reference} is nothing here: the campaign is about {right}s"
            yield Problem(document.file, document.line, message, f"write {right}.{path}")
