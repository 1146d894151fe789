"""From a webhook's payload to ordinary calls, by the rules of its source's mapping. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from hark.clock import moment
from hark.definitions.expressions import evaluate
from hark.definitions.mapping import Expressions, Rule, Source
from hark.model import JSON, SECOND
from hark.store.contracts import address

Document: TypeAlias = Mapping[str, JSON]
"""`body`, `header` and `query` of a request (`payload.document`)."""

MOST_CALLS = 100
"""Of one payload."""
MILLISECONDS_FROM = 100_000_000_000
"""A number this large counts milliseconds: as seconds it would be in the year 5138."""


class Mapped(Struct, frozen=True):
    """What a payload became."""

    calls: list[JSON]
    """As they would have come in by /v1/batch; empty where the payload is no event."""
    known: bool
    """A rule was for it; False: nobody has said what it means."""


def mapped(source: Source, document: Document) -> Mapped:
    """The calls of a payload: of the first rule for it, and of later ones while rules say `continue`."""
    calls: list[JSON] = []
    known = False
    for rule in source.mapping:
        if rule.when and not _truth(evaluate(rule.when, document)):
            continue
        known = True
        calls += _calls(rule, document, source.zone)
        if not rule.goes_on:
            break
    return Mapped(_numbered(calls[:MOST_CALLS]), known)


def _truth(value: JSON) -> bool:
    """As in JMESPath: false, null and what is empty are not true; 0 is."""
    return value is not None and value is not False and value not in ("", [], {})


def _calls(rule: Rule, document: Document, zone: str) -> Iterator[JSON]:
    if rule.ignore:
        return
    if not rule.each:
        yield _call(rule, document, zone)
        return
    items = evaluate(rule.each, document)
    for item in items if isinstance(items, list) else ():
        yield _call(rule, {**document, "item": item}, zone)


def _call(rule: Rule, document: Document, zone: str) -> JSON:
    name = rule.event or _text(rule.event_from, document)
    traits = _object(rule.traits, document)
    identify = not rule.event and not rule.event_from
    call: dict[str, JSON] = {
        "type": "identify" if identify else "track",
        "event": None if identify else name,
        "timestamp": _time(evaluate(rule.time, document), zone) if rule.time else None,
        "messageId": _text(rule.id, document),
        "properties": None if identify else _object(rule.properties, document),
        "traits": traits if identify else None,
        "context": _context(rule, {} if identify else traits),
        **_ids(rule, document),
    }
    return {key: value for key, value in call.items() if value not in (None, {})}


def _ids(rule: Rule, document: Document) -> dict[str, JSON]:
    """Who it was: the ids given, and addresses as ids of their own (`email:ada@example.com`), all of one
    customer."""
    user, anonymous = _text(rule.user, document), _text(rule.anonymous, document)
    stated = (("email", rule.email), ("phone", rule.phone))
    addresses = [(kind, address(kind, _text(text, document) or "")) for kind, text in stated]
    ids = [anonymous] if anonymous else []
    ids += [f"{kind}:{value}" for kind, value in addresses if value]
    others = [("anonymous", one) for one in ids] if user or len(ids) > 1 or not anonymous else []
    return {"userId": user, "anonymousId": None if user or not ids else ids[0], "knownAs": others or None}


def _context(rule: Rule, traits: dict[str, JSON]) -> dict[str, JSON]:
    return ({} if rule.active else {"active": False}) | ({"traits": traits} if traits else {})


def _numbered(calls: list[JSON]) -> list[JSON]:
    """The same calls; several of one payload share its id, so all but the first get a number behind it."""
    return [
        {**call, "messageId": f"{call['messageId']}#{place}"} if place and "messageId" in call else call
        for place, call in enumerate(calls)
    ]


def _object(expressions: Expressions, document: Document) -> dict[str, JSON]:
    """What has a value, by name."""
    if isinstance(expressions, str):
        found = evaluate(expressions, document)
        values = found if isinstance(found, dict) else {}
    else:
        values = {name: evaluate(text, document) for name, text in expressions.items()}
    return {name: value for name, value in values.items() if value is not None}


def _text(expression: str, document: Document) -> str | None:
    """An id or a name: a text or a number as text; nothing else is one."""
    value = evaluate(expression, document) if expression else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def _time(value: JSON, zone: str) -> str | None:
    """A provider's time as ISO 8601: ISO, RFC 2822, or seconds or milliseconds since 1970; else as it is,
    and the call is then refused for it."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and value.strip().isdigit():
            value = int(value)
        if isinstance(value, int | float):
            seconds = value / 1_000 if value >= MILLISECONDS_FROM else value
            return moment(round(seconds * SECOND)).isoformat()
        return _zoned(str(value).strip(), zone).isoformat()
    except (ValueError, OverflowError, TypeError):
        return str(value)


def _zoned(text: str, zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
