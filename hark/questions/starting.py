"""What a starter pack would make here: by which names events arrive, and what its drafts would have done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hark.definitions.document import Document
from hark.definitions.parse import Parsed, read
from hark.definitions.starters import PACKS, Role, fit, roles, text
from hark.errors import HarkError
from hark.model import JSON

NOT_SEEN = ("identify", "group", "alias")
"""Calls that are no event a pack could speak of."""


class Start(Struct, frozen=True):
    """One pack, ready to be put into force."""

    pack: str
    says: str
    roles: tuple[Role, ...]
    text: str
    """Its documents, as YAML."""

    @property
    def unseen(self) -> list[str]:
        return [one.usual for one in self.roles if one.seen is None]


def seen(answer: Any) -> dict[str, int]:
    """By name, how often each event came, of an answer to `{events: {}}`."""
    return {
        one["name"]: one["count"] for one in answer["events"] if one["count"] and one["kind"] not in NOT_SEEN
    }


def start(pack: str, events: Mapping[str, int], chosen: Mapping[str, str]) -> Start:
    """The pack for these events. Raises HarkError as `starters.roles`."""
    found = roles(pack, events, chosen)
    return Start(pack, PACKS[pack], found, text(pack, found))


def documents(
    made: Start, current: Sequence[Document], zone: str, wrong: Callable[..., str | None] | None = None
) -> list[Parsed]:
    """Its documents, checked with those in force. Raises DefinitionError."""
    return read([(f"{made.pack}.yaml", made.text)], current, zone, wrong)


def refuse_taken(wanted: Iterable[Parsed], current: Collection[Document]) -> None:
    """Raises HarkError `start.taken` where a document of this name is in force and says something else."""
    known = {(one.kind, one.name): one.body for one in current}
    taken = [
        f"{one.kind} {one.name}"
        for one in wanted
        if (one.kind, one.name) in known and known[one.kind, one.name] != _body(one)
    ]
    if taken:
        hint = "write the pack to a file (--out), rename them there, and hark apply it"
        raise HarkError(f"there is already: {', '.join(taken)}", hint, "start.taken")


def _body(one: Parsed) -> JSON:
    return {key: value for key, value in one.body.items() if key != one.kind}


def backtests(wanted: Sequence[Parsed]) -> dict[str, JSON]:
    """By campaign, the question what it would have done if everybody could be written to: whoever begins has
    few addresses and fewer consents, and a situation has its base rate all the same."""
    given = [{"kind": one.kind, "name": one.name, "body": one.body} for one in wanted]
    return {
        one.name: {"backtest": {"campaign": one.name, "documents": given, "everybody": True}}
        for one in wanted
        if one.kind == "campaign"
    }


def fits(events: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """(pack, events it speaks of, how many of them were seen), the best fit first."""
    found = [(pack, *fit(pack, events)) for pack in PACKS]
    return sorted(found, key=lambda one: -one[2] / one[1])
