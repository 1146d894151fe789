"""How a `source:` document is written: a mapping of webhooks to events, its signature, links elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from hark.definitions import yaml
from hark.definitions.expressions import LONGEST, problem
from hark.definitions.mapping import Expressions, Rule, Signature, SocialLink, Source
from hark.definitions.problems import DefinitionError
from hark.definitions.shapes import (
    NAME,
    Choice,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Plain,
    Prose,
    Reading,
    Record,
    Shape,
    Text,
    Truth,
    Values,
    Zone,
)
from hark.definitions.yaml import Node
from hark.model import DAY, JSON, MINUTE

SCHEMES = (
    "standard",
    "stripe",
    "github",
    "shopify",
    "typeform",
    "calendly",
    "ghost",
    "discourse",
    "twilio",
    "zendesk",
    "hmac",
)
MOST_RULES = 50
MOST_FIELDS = 100
OWN_LINKS = ("unsubscribe", "confirm")
"""What `links` in templates has already."""

_READY = files("hark.definitions") / "ready"
READY = tuple(sorted(path.name.removesuffix(".yaml") for path in _READY.iterdir() if ".yaml" in path.name))
"""The mappings that Hark brings along, by name."""


class Expression(Shape[str]):
    """JMESPath over the request (`expressions`)."""

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        if not isinstance(node.value, str):
            return reading.expected(node, "an expression", "for example body.customer.email")
        wrong = problem(node.value)
        return reading.refuse(node, *wrong) if wrong else node.value

    def schema(self) -> JSON:
        return {"type": "string", "minLength": 1, "maxLength": LONGEST}


class Named(Shape[dict[str, str]]):
    """By name one expression each."""

    def read(self, node: Node, reading: Reading) -> dict[str, str] | Invalid:
        if not isinstance(node.value, dict) or not 0 < len(node.value) <= MOST_FIELDS:
            return reading.expected(node, f"one to {MOST_FIELDS} names with an expression each")
        found = {key: _EXPRESSION.read(child, reading) for key, child in node.value.items()}
        good = {key: text for key, text in found.items() if not isinstance(text, Invalid)}
        return good if len(good) == len(found) else Invalid.INVALID

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "additionalProperties": _EXPRESSION.schema()}


_EXPRESSION = Expression()
_EXPRESSIONS: Shape[Expressions] = Either(_EXPRESSION, Named())
_EVENT: Shape[tuple[str, str]] = Either(
    Mapped(Text("an event's name"), lambda name, _node, _reading: (name, "")),
    Record("event", {"from": _EXPRESSION}, lambda values, _n, _r: ("", values["from"]), required=("from",)),
)
_IDS = ("user", "anonymous", "email", "phone")


def _rule(values: Values, node: Node, reading: Reading) -> Rule | Invalid:
    event, event_from = values.get("event", ("", ""))
    ignore = values.get("ignore", False)
    others = [key for key in values if key not in ("ignore", "when")]
    if ignore and others:
        return reading.refuse(node, f'a rule with ignore has no "{others[0]}"', "only when and ignore")
    if not ignore and not event and not event_from and "traits" not in values:
        return reading.refuse(node, "a rule needs event, traits or ignore", "event: Order Completed")
    if not ignore and not any(key in values for key in _IDS):
        return reading.refuse(node, "a rule needs to say who it was", f"one of {', '.join(_IDS)}")
    plain = {key: values[key] for key in values if key not in ("event", "continue")}
    return Rule(event=event, event_from=event_from, goes_on=values.get("continue", False), **plain)


RULE = Record(
    "a rule",
    {
        "when": _EXPRESSION,
        "each": _EXPRESSION,
        "event": _EVENT,
        **dict.fromkeys((*_IDS, "time", "id"), _EXPRESSION),
        "properties": _EXPRESSIONS,
        "traits": _EXPRESSIONS,
        "active": Truth(),
        "continue": Truth(),
        "ignore": Truth(),
    },
    _rule,
    hints={"name": "event: the event's name", "userId": "user: an expression", "message_id": "id"},
)

_OWN = ("header", "algorithm", "encoding", "prefix")


def _signature(values: Values, node: Node, reading: Reading) -> Signature | Invalid:
    assert isinstance(node.value, dict)
    own = next((key for key in _OWN if key in values), None)
    if values["scheme"] != "hmac" and own:
        return reading.refuse(node.value[own], f'"{own}" belongs to scheme: hmac')
    if values["scheme"] == "hmac" and "header" not in values:
        return reading.refuse(node, 'scheme: hmac needs "header"', "the header that holds the signature")
    if not MINUTE <= values.get("tolerance", MINUTE) <= DAY:
        return reading.expected(node.value["tolerance"], "a tolerance from 1m to 1d")
    given = {key: values[key] for key in _OWN if key in values}
    if "tolerance" in values:
        given["tolerance_us"] = values["tolerance"]
    return Signature(values["scheme"], **given)


_SCHEME = Choice(SCHEMES)
SIGNATURE: Shape[Signature | None] = Either(
    Mapped(Choice((*SCHEMES, "none")), lambda name, _n, _r: None if name == "none" else Signature(name)),
    Record(
        "signature",
        {
            "scheme": _SCHEME,
            "tolerance": Duration(),
            "header": Text("a header's name", "[A-Za-z0-9-]+"),
            "algorithm": Choice(("sha1", "sha256", "sha512")),
            "encoding": Choice(("hex", "base64")),
            "prefix": Text(),
        },
        _signature,
        required=("scheme",),
        hints={"secret": "a secret stands in no document: hark hook secret SOURCE"},
    ),
)


class Address(Shape[str]):
    """A web address."""

    def read(self, node: Node, reading: Reading) -> str | Invalid:
        text = Text("a web address", r"https?://[^\s]+", "https://...").read(node, reading)
        if isinstance(text, Invalid) or urlsplit(text).hostname:
            return text
        return reading.expected(node, "a web address", "https://...")

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^https?://[^\\s]+$"}


LINK: Record[SocialLink] = Record(
    "a link",
    {"event": Text("an event's name"), "network": Text(), "url": Address(), "says": Prose()},
    lambda values, _node, _reading: SocialLink(**values),
    required=("event", "network", "url"),
)


class Links(Shape[dict[str, SocialLink]]):
    """By name one link each; templates know them as `links.NAME`."""

    def read(self, node: Node, reading: Reading) -> dict[str, SocialLink] | Invalid:
        if not isinstance(Plain().read(node, reading), dict):
            return Invalid.INVALID
        assert isinstance(node.value, dict)
        found: dict[str, SocialLink] = {}
        for key, child in node.value.items():
            name = NAME.read(Node(key, child.line), reading)
            link = LINK.read(child, reading)
            if key in OWN_LINKS:
                reading.refuse(child, f'a link can\'t be named "{key}"', "messages have that one already")
            elif not isinstance(name, Invalid) and not isinstance(link, Invalid):
                found[name] = link
        return found if len(found) == len(node.value) else Invalid.INVALID

    def schema(self) -> JSON:
        return {"type": "object", "additionalProperties": LINK.schema()}


def _source(values: Values, node: Node, reading: Reading) -> Source | Invalid:
    if not any(key in values for key in ("use", "mapping", "links")):
        return reading.refuse(node, "a source needs use, mapping or links", f"use: {', '.join(READY)}")
    rules = values.get("mapping", ())
    if len(rules) > MOST_RULES:
        return reading.refuse(node, f"a mapping of {len(rules)} rules", f"at most {MOST_RULES}")
    found = ready(values["use"]) if "use" in values else None
    signature = values.get("signature", found.signature if found else None)
    return Source(
        name=values["source"],
        use=values.get("use", ""),
        signature=signature,
        mapping=(*rules, *(found.mapping if found else ())),
        zone=values.get("zone", "UTC"),
        links=values.get("links", {}),
    )


_FIELDS: dict[str, Shape[Any]] = {
    "source": NAME,
    "use": Choice(READY),
    "signature": SIGNATURE,
    "mapping": ListOf(RULE, "a list of rules"),
    "zone": Zone(customer=False),
    "links": Links(),
}
SOURCE: Record[Source] = Record("source", _FIELDS, _source, required=("source",))


@cache
def ready(name: str) -> Source:
    """A mapping that Hark brings along. Raises DefinitionError where its file is wrong (a test reads all)."""
    file = f"{name}.yaml"
    reading = Reading(file)
    (node,) = yaml.read((_READY / file).read_text(encoding="utf-8"), reading)
    found = SOURCE.read(node, reading)
    if isinstance(found, Invalid):
        raise DefinitionError(reading.found)
    return found
