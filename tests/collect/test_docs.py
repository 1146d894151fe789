"""What collect may answer is written down."""

from __future__ import annotations

import pytest

from hark.collect.refusals import STATUS, MemberReason, Reason
from hark.collect.routes import ROUTES
from tests.data import ROOT

DOCS = (ROOT / "docs" / "collect.md").read_text()


@pytest.mark.parametrize("reason", [*Reason, *MemberReason])
def test_every_reason_is_in_the_docs(reason: str) -> None:
    """No code is answered that the docs don't name."""
    assert f"`{reason}`" in DOCS


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_every_path_is_in_the_docs(path: str) -> None:
    """So is every path that answers."""
    assert f"`{path}`" in DOCS


def test_only_statuses_that_clients_understand() -> None:
    """Temporary is 429 or 503; nothing is 500, 501, 505 or a redirect."""
    assert set(STATUS.values()) <= {401, 403, 404, 405, 408, 415, 429, 431, 503}
