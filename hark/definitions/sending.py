"""How steps are written by which something leaves: messages to customers, calls of other systems, tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hark.definitions.by_name import ByName
from hark.definitions.conditions import CONDITION
from hark.definitions.contents import PICKING
from hark.definitions.references import REF, REFERENCE, is_reference
from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Duration,
    Either,
    Invalid,
    ListOf,
    Plain,
    Prose,
    Reading,
    Record,
    Shape,
    Text,
    Values,
)
from hark.definitions.types import Send, Task, Webhook
from hark.definitions.yaml import Node, plain
from hark.model import JSON

LATER = ("whatsapp",)
CUSTOMERS = ("email", "sms", "in_app", "push", "web_push")
CHANNEL = Choice(CUSTOMERS, (*LATER, "webhook", "chat"))
"""Those by which a customer is reached, with consent, caps and quiet hours."""
ANY_CHANNEL = Choice((*CUSTOMERS, "webhook", "chat"), LATER)
"""Those of templates: also the team's own (`chat`) and other systems (`webhook`)."""
CHANNELS: Shape[tuple[str, ...]] = ListOf(CHANNEL, "a list of channels")
TEMPLATES: Shape[str | dict[str, str]] = Either(NAME, ByName(NAME, "a template for each channel"))
"""One template; or, where there are several channels, one for each."""


MEMBERS = "members"
TO: Shape[Any] = Either(Choice((MEMBERS,), hint="or a condition on them"), CONDITION)
"""Of a group's campaign, which of the members: all, or those for whom a condition holds."""


def _send(values: Values, node: Node, reading: Reading) -> Send | Invalid:
    assert isinstance(node.value, dict)
    channels = values["channels"] if "channels" in values else (values["channel"],)
    if len(set(channels)) < len(channels):
        return reading.refuse(node.value["channels"], "a channel stands twice")
    named = values["template"]
    templates = dict.fromkeys(channels, named) if isinstance(named, str) else named
    if set(templates) != set(channels):
        hint = f"write a template for {', '.join(channels)}"
        return reading.refuse(node.value["template"], "each channel needs its template, and no other", hint)
    if "sender" in values and len(channels) > 1:
        return reading.refuse(node.value["sender"], '"sender" belongs to a send by one channel')
    first, *others = [(channel, templates[channel]) for channel in channels]
    return Send(
        first[1],
        first[0],
        "",
        values.get("expires"),
        values.get("with"),
        tuple(others),
        values.get("sender", ""),
        values.get("content"),
        "to" in values,
        None if values.get("to") == MEMBERS else values.get("to"),
    )


SEND = Record(
    "send",
    {
        "channel": CHANNEL,
        "channels": CHANNELS,
        "template": TEMPLATES,
        "with": Plain(),
        "expires": Duration(),
        "sender": NAME,
        "content": PICKING,
        "to": TO,
    },
    _send,
    required=("template",),
    one_of=(("channel", "channels"),),
)


@dataclass(frozen=True)
class Body(Shape[JSON]):
    """A mapping of anything, in which values at any depth may be references."""

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if not isinstance(node.value, dict):
            return reading.expected(node, "a mapping")
        return plain(node) if self._refers_rightly(node, reading) else INVALID

    def _refers_rightly(self, node: Node, reading: Reading) -> bool:
        if is_reference(node):
            return not isinstance(REF.read(node, reading), Invalid)
        value = node.value
        below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        found = [self._refers_rightly(child, reading) for child in below]
        return all(found)

    def schema(self) -> JSON:
        return {"type": "object"}


WEBHOOK = Record(
    "webhook",
    {"sender": NAME, "body": Body()},
    lambda values, _node, _reading: Webhook(values["sender"], values.get("body")),
    required=("sender",),
)
ASSIGNEE = Text(
    "somebody of the team",
    rf"[^@\s]+@[^@\s]+|{REFERENCE.pattern}",
    "an account's e-mail, or customer.NAME, group.NAME, event.NAME or data.NAME",
)


def _task(values: Values, _node: Node, reading: Reading) -> Task:
    return Task(
        values["for"],
        values["says"],
        assignee=values.get("assignee", ""),
        due_us=values.get("due"),
        zone=reading.zone,
    )


TASK = Record(
    "task",
    {"for": NAME, "says": Prose(), "assignee": ASSIGNEE, "due": Duration()},
    _task,
    required=("for", "says"),
)
LEAVING = (Send, Webhook, Task)
"""The steps by which something leaves."""
