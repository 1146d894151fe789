"""The JSON Schema (2020-12) of the language, made from the shapes that read it.

It describes one document. What it cannot say (references, "a last send past the goal's window", one
measure for each `did`) only `parse` checks: whatever `parse` accepts, the schema accepts.
"""

from __future__ import annotations

from hark.definitions.conditions import ANY_PREDICATE, ANY_TRAITS
from hark.definitions.documents import KINDS
from hark.definitions.kinds import ANY_CONDITION
from hark.definitions.references import REFERRING_PREDICATE
from hark.definitions.steps import LIST
from hark.model import JSON


def schema() -> JSON:
    """The schema, for editors and for checking before `hark plan`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A definition of Hark",
        "anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS],
        "$defs": {
            **{kind: shape.schema() for kind, shape in KINDS.items()},
            "condition": ANY_CONDITION.schema(),
            "predicate": ANY_PREDICATE.schema(),
            "referring_predicate": REFERRING_PREDICATE.schema(),
            "steps": LIST.schema(),
            "traits": ANY_TRAITS.schema(),
        },
    }
