"""The OpenAPI 3.1 description of the public paths, made of the table of routes. Served at /openapi.json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from hark.collect.http import Answer, Collector, Incoming

Schema: TypeAlias = dict[str, Any]


class Line(Protocol):
    """A line of the table of routes."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


async def described(_: Collector, __: Incoming) -> Answer:
    """GET /openapi.json"""
    from hark.collect.routes import ROUTES  # late: the table names this answer

    return Answer(200, msgspec.json.encode(describe(ROUTES)))


def describe(routes: Sequence[Line]) -> Schema:
    """The description of these routes."""
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hark", "version": "1", "summary": "What clients and webhooks may send."},
        "security": [{"key": []}, {"token": []}, {}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": _KEYS},
    }


def _operation(route: Line) -> Schema:
    name = re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_")
    names = re.findall(r"\{(\w+)\}", route.path)
    operation: Schema = {"operationId": name, "responses": _responses(route)}
    if names:
        operation["parameters"] = [
            {"name": one, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for one in names
        ]
    if route.method in ("POST", "PUT"):
        schema = {"$ref": f"#/components/schemas/{_body_of(route.path)}"}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _body_of(path: str) -> str:
    """The schema of what is sent to a path."""
    if path.startswith("/batch"):
        return "PostHog"
    last = path.rpartition("/")[2]
    if path.startswith("/v1/"):
        return {"b": "Batch", "batch": "Batch"}.get(last, "Call")
    return _BODIES.get(last, "Anything")


_BODIES = {
    "events": "CustomerEvent",
    "devices": "Device",
    "merge_customers": "Merge",
    "trigger": "Trigger",
}
"""By the last word of a path below /api/."""


def _responses(route: Line) -> Schema:
    """What a path may answer; every answer is JSON but the metrics and scripts."""
    if route.path == "/metrics":
        return {"200": _text("In Prometheus' form."), "404": _answer("Not for this caller.", "Refusal")}
    if route.path.startswith("/hark."):
        kept = {"304": {"description": "The caller has it."}}
        return {"200": _text("The script.", "text/javascript"), **kept}
    if route.path.startswith(("/health/", "/openapi")):
        ready = {"503": _answer("Not now, and why.", "Anything")} if route.path == "/health/ready" else {}
        return {"200": _answer("As asked.", "Anything"), **ready}
    done = {"200": _answer("It is on disk.", "Anything")}
    return done | {str(status): _answer(says, "Refusal") for status, says in REFUSED.items()}


def _answer(says: str, schema: str) -> Schema:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": says, "content": {"application/json": {"schema": reference}}}


def _text(says: str, kind: str = "text/plain") -> Schema:
    return {"description": says, "content": {kind: {"schema": {"type": "string"}}}}


REFUSED = {
    400: "Nothing was stored: the code says what is wrong.",
    401: "The key is missing, unknown or disabled.",
    403: "That takes a secret key, or another origin.",
    404: "There is nothing at this path.",
    405: "Not with this method.",
    408: "The body took too long.",
    415: "The content encoding is unknown.",
    429: "The key sends too much; again after Retry-After.",
    431: "The headers are too large.",
    503: "Not now; again after Retry-After.",
}
"""Statuses of refusals, docs/collect.md."""

_ID: Schema = {"type": ["string", "integer", "null"]}
_OBJECT: Schema = {"type": ["object", "null"]}
_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_CALL: Schema = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("userId", "anonymousId", "previousId", "groupId"), _ID),
        **dict.fromkeys(("properties", "traits", "context"), _OBJECT),
        **dict.fromkeys(("timestamp", "originalTimestamp", "sentAt"), _TIME),
        "event": {"type": ["string", "null"]},
        "messageId": {"type": ["string", "null"]},
        "type": {"type": "string"},
        "writeKey": {"type": "string"},
    },
}
_POSTHOG: Schema = {
    "type": "object",
    "properties": {
        "event": {"type": "string"},
        "distinct_id": _ID,
        "properties": _OBJECT,
        "timestamp": _TIME,
        "uuid": {"type": ["string", "null"]},
    },
}


def _batch(member: Schema, key: str) -> Schema:
    return {
        "type": "object",
        "properties": {key: {"type": "string"}, "batch": {"type": "array", "items": member}},
        "required": ["batch"],
    }


_SCHEMAS: Schema = {
    "Call": _CALL,
    "Batch": _batch(_CALL, "writeKey"),
    "PostHog": _batch(_POSTHOG, "api_key"),
    "CustomerEvent": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "data": _OBJECT, "timestamp": {"type": "integer"}},
    },
    "Device": {
        "type": "object",
        "properties": {
            "device": {"type": "object", "properties": {"id": _ID, "platform": {"type": "string"}}}
        },
    },
    "Merge": {
        "type": "object",
        "properties": {
            key: {"type": "object", "properties": {"id": _ID}} for key in ("primary", "secondary")
        },
    },
    "Trigger": {
        "type": "object",
        "properties": {**dict.fromkeys(("userId", "anonymousId", "id"), _ID), "data": _OBJECT},
    },
    "Anything": {"type": "object"},
    "Refusal": {
        "type": "object",
        "properties": {
            "success": {"const": False},
            "code": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["code", "message"],
    },
}
_KEYS: Schema = {
    "key": {"type": "http", "scheme": "basic", "description": "The source's key as user name."},
    "token": {"type": "http", "scheme": "bearer", "description": "The source's key."},
}
