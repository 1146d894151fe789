"""Every path is what its description says, whatever a client sends that the description allows, and more."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hark.collect.openapi import describe
from hark.collect.routes import ROUTES
from tests.collect.runner import Collect

CHECKS: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KEYS = ("wk_web", "sk_web", "wk_old", "")
load_all_checks()
schema = schemathesis.openapi.from_dict(describe(ROUTES))


def test_every_route_is_described() -> None:
    """Each line of the table is a path and method of the description, and nothing else is."""
    described = {
        (method.upper(), path) for path, found in describe(ROUTES)["paths"].items() for method in found
    }
    assert described == {(route.method, route.path) for route in ROUTES}


def test_the_description_is_served(collect: Collect) -> None:
    """Anybody can read it at /openapi.json."""
    answer = httpx.get(f"{collect.url}/openapi.json", trust_env=False, verify=False)
    assert (answer.status_code, answer.json()) == (200, describe(ROUTES))


@schema.parametrize()
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Any, collect: Collect) -> None:
    """Status, content type and form of each answer are as described; none is 5xx but 503."""
    key = KEYS[len(str(case.body)) % len(KEYS)]
    headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    response = case.call(base_url=collect.url, headers=headers, timeout=10)
    assert response.status_code < 500 or response.status_code == 503
    case.validate_response(response, checks=CHECKS)
