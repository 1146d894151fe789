"""docs/definitions.md against the code: what the language knows is there, and what it shows is right."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import pytest

from hark.definitions import campaigns, documents, kinds, sending, triggers
from hark.definitions.parse import parse
from hark.definitions.shapes import Record
from hark.model import JSON
from hark.understand.operators import OPERATORS
from tests.definitions.cases import HERE

PAGE = (HERE.parents[1] / "docs" / "definitions.md").read_text()


def keys(schema: JSON) -> Iterator[str]:
    """Every key that a schema knows, at any depth."""
    if isinstance(schema, dict):
        named = schema.get("properties", {})
        yield from named
        for part in [*named.values(), *(part for key, part in schema.items() if key != "properties")]:
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


KNOWN = sorted(
    {key for shape in documents.KINDS.values() for key in keys(shape.schema())}
    | {*keys(kinds.ANY_CONDITION.schema()), *documents.KINDS, *OPERATORS}
)
RECORDS = [
    campaigns.CAMPAIGN,
    triggers.TRIGGER,
]
TO_COME = sorted(
    {
        *sending.LATER,
        *(key for shape in RECORDS if isinstance(shape, Record) for key in shape.planned),
    }
)


@pytest.mark.parametrize("key", KNOWN)
def test_every_key_is_in_the_docs(key: str) -> None:
    """Each kind, key and operator that the language reads stands in the reference."""
    assert re.search(rf"(`|\b){re.escape(key)}(`|:|\b)", PAGE)


@pytest.mark.parametrize("name", TO_COME)
def test_what_is_to_come_is_in_the_docs(name: str) -> None:
    """Each name that answers "not yet" stands in the reference as such."""
    assert f"`{name}`" in PAGE or f"`allocation: {name}`" in PAGE


def test_what_the_docs_show_is_right() -> None:
    """The documents shown in the reference parse; so do its steps and its long form of `did`."""
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", PAGE, flags=re.MULTILINE)]
    policy = next(block for block in blocks if block.startswith("policy:"))
    assert parse(policy)
    shown = next(block for block in blocks if block.startswith("steps:"))
    campaign = "campaign: a\ntrigger: {event: A}\ngoal: {event: B, within: 14d}\ntopic: t\n"
    assert parse(campaign + shown)
    for kind in ("did:", "sequence:"):
        condition = next(block for block in blocks if block.startswith(kind))
        assert parse("segment: a\nwhere:\n" + textwrap.indent(condition, "  "))
