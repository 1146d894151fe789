"""Whom definitions are about: each kind of subject rests on those of its own alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec.structs import replace

from hark.definitions.document import Document
from hark.definitions.learned import Allocation, Effect
from hark.definitions.types import Campaign, Definition, Policy, Segment
from hark.history.identity import GROUP, PREFIX

Defined: TypeAlias = Sequence[tuple[Document, Definition]]


def kind_of(key: str) -> str:
    """The type of a group, by its stable key."""
    return key.removeprefix(PREFIX[GROUP]).partition(":")[0]


def kinds(*given: Defined) -> list[str]:
    """The types of groups that any of these is about."""
    found = {one.group for documents in given for _, one in documents if isinstance(one, Segment | Campaign)}
    return sorted(found - {""})


def about(kind: str, documents: Defined) -> Defined:
    """Of the documents those about groups of the type, or ("") about customers."""
    campaigns = {one.name: one.group for _, one in documents if isinstance(one, Campaign)}

    def concerns(one: Definition) -> bool:
        if isinstance(one, Segment | Campaign):
            return one.group == kind
        if isinstance(one, Allocation | Effect):
            return campaigns.get(one.name, "") == kind
        return not kind or (isinstance(one, Policy) and one.name == "attention")

    return [(document, one) for document, one in documents if concerns(one)]


def as_own(documents: Defined) -> Defined:
    """What is about groups as it is for these: nobody's attention is theirs to spend, so that of the policy
    the hours remain, for the zone of those that have none."""
    return [(document, _as_own(one)) for document, one in documents]


def _as_own(one: Definition) -> Definition:
    if isinstance(one, Policy):
        return Policy(one.name, one.quiet_hours)
    return replace(one, group="") if isinstance(one, Segment | Campaign) else one
