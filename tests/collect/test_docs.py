"""What collect may answer is written down."""

from __future__ import annotations

import pytest

from hark.collect.http import PATHS
from hark.collect.refusals import STATUS, MemberReason, Reason
from tests.data import ROOT

DOCS = (ROOT / "docs" / "collect.md").read_text()


@pytest.mark.parametrize("reason", [*Reason, *MemberReason])
def test_every_reason_is_in_the_docs(reason: str) -> None:
    """No code is answered that the docs don't name."""
    assert f"`{reason}`" in DOCS


def test_every_path_is_in_the_docs() -> None:
    """So is every path that collects."""
    assert all(f"/v1/{path.rpartition('/')[2]}" in DOCS or len(path) == 5 for path in PATHS)


def test_only_statuses_that_clients_understand() -> None:
    """Temporary is 429 or 503; nothing is 500, 501, 505 or a redirect."""
    assert set(STATUS.values()) <= {401, 403, 404, 405, 408, 415, 429, 431, 503}
