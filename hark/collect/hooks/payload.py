"""From a webhook's body to the object that expressions see: JSON of any shape, or a form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from hark.collect.body import DEPTH, broken, is_too_deep
from hark.collect.hooks.signatures import is_form
from hark.collect.refusals import Reason, Refusal
from hark.model import JSON

MOST_FIELDS = 2_000


def document(body: bytes, headers: Mapping[bytes, bytes], query: bytes) -> dict[str, JSON] | Refusal:
    """What expressions see of a request; or why its body cannot be read."""
    payload = read(body, is_form(headers))
    if isinstance(payload, Refusal):
        return payload
    named = {
        name.decode("latin-1").replace("-", "_"): value.decode("latin-1") for name, value in headers.items()
    }
    return {"body": payload, "header": named, "query": dict(parse_qsl(query.decode("latin-1")))}


def read(body: bytes, form: bool) -> JSON | Refusal:
    """The payload. What is labelled a form and begins like JSON is JSON: clients label wrongly."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Refusal(Reason.INVALID_UTF8, "the body is not UTF-8")
    return _form(text) if form and text.lstrip()[:1] not in ("{", "[") else _json(body)


def _json(body: bytes) -> JSON | Refusal:
    if is_too_deep(body):
        return Refusal(Reason.TOO_DEEP, f"the body is nested deeper than {DEPTH}")
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        return Refusal(Reason.BROKEN_JSON, "the body is not JSON: brackets without end")
    except msgspec.DecodeError as error:
        if "out of range" in str(error):
            return Refusal(Reason.NUMBER_OUT_OF_RANGE, f"a number is out of range: {error}")
        return broken(body, error)


def _form(text: str) -> JSON | Refusal:
    """The fields of a form; one that stands several times is a list."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        return Refusal(Reason.INVALID_UTF8, "the form is not UTF-8")
    except ValueError:
        return Refusal(Reason.TOO_MANY_EVENTS, f"the form has over {MOST_FIELDS} fields")
    found: dict[str, JSON] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
