"""Packs to start from: segments, three campaigns in draft and an engagement definition for a kind of product.

A pack speaks of events by their usual names. Products send the same under names of their own; which is which
is told from what was seen arriving, and whoever starts may say otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from hark.definitions import yaml
from hark.definitions.problems import nearest
from hark.definitions.shapes import Reading
from hark.definitions.yaml import plain
from hark.errors import HarkError

PACKS = {
    "shop": "A shop: the basket left behind, who looked and did not buy, who stays away",
    "saas": "A product people work with: the first step, not working alone, before they leave",
    "publisher": "A magazine or a site of articles: to the newsletter, reading again, to a subscription",
    "game": "A game: the second day, a hint for who is stuck, playing again",
    "meanings": "What engagement means, by its thirteen usual meanings; for any product, without campaigns",
}
"""By name, what each is for."""
_FILES = files("hark.definitions") / "packs"
_QUOTED = re.compile(r'"([^"\n]+)"')
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")


class Role(Struct, frozen=True):
    """An event that a pack speaks of, and under which name it arrives here."""

    usual: str
    seen: str | None
    """None: nothing that was seen fits; the pack then speaks of it by its usual name."""
    count: int = 0

    @property
    def name(self) -> str:
        return self.seen or self.usual


@cache
def other_names() -> dict[str, list[str]]:
    """By an event's usual name, under which other ones products send it, the likeliest first."""
    (node,) = yaml.read((_FILES / "events.yaml").read_text(encoding="utf-8"), Reading("events.yaml"))
    found: dict[str, list[str]] = plain(node)
    return found


@cache
def _written(pack: str) -> str:
    if pack not in PACKS:
        hint = nearest(pack, PACKS) or f"there are: {', '.join(PACKS)}"
        raise HarkError(f"there is no pack {pack}", hint, "start.unknown")
    return (_FILES / f"{pack}.yaml").read_text(encoding="utf-8")


def usual_events(pack: str) -> list[str]:
    """The events that a pack speaks of, in its order. Raises HarkError `start.unknown`."""
    return [one for one in dict.fromkeys(_QUOTED.findall(_written(pack))) if one in other_names()]


def roles(pack: str, seen: Mapping[str, int], chosen: Mapping[str, str]) -> tuple[Role, ...]:
    """Which of the events seen (by name, how often) serves as which of the pack's.

    `chosen` are those that somebody has said. Every other takes, of the events that serve as nothing yet, the
    one with the likeliest name, of several with one name the most frequent; failing that one that serves.
    Raises HarkError `start.unknown`, `start.event` for a choice of what the pack does not speak of.
    """
    wanted = usual_events(pack)
    for one in chosen:
        if one not in wanted:
            hint = nearest(one, wanted) or f"it speaks of: {', '.join(wanted)}"
            raise HarkError(f"the pack {pack} speaks of no event {one!r}", hint, "start.event")
    found: dict[str, str] = dict(chosen)
    for spare in (True, False):
        for usual in wanted:
            if usual not in found:
                taken = set(found.values()) if spare else set()
                fits = _fitting(usual, seen, taken)
                found |= {usual: fits} if fits else {}
    return tuple(Role(one, found.get(one), seen.get(found.get(one, ""), 0)) for one in wanted)


def _fitting(usual: str, seen: Mapping[str, int], taken: Collection[str]) -> str | None:
    names = [plainly(usual), *other_names()[usual]]
    fits = [
        (names.index(plainly(name)), -count, name)
        for name, count in seen.items()
        if name not in taken and plainly(name) in names
    ]
    return min(fits)[2] if fits else None


def plainly(name: str) -> str:
    """An event's name in small letters with single blanks: "orderCompleted" is "order completed"."""
    return _OTHER.sub(" ", _CAMEL.sub(" ", name).lower()).strip()


def text(pack: str, found: Collection[Role]) -> str:
    """The pack's documents, speaking of events by the names under which they arrive."""
    names = {one.usual: one.name for one in found}
    return _QUOTED.sub(lambda one: json.dumps(names.get(one[1], one[1]), ensure_ascii=False), _written(pack))


def fit(pack: str, seen: Mapping[str, int]) -> tuple[int, int]:
    """Of how many events a pack speaks, and how many of them were seen."""
    found = roles(pack, seen, {})
    return len(found), sum(one.seen is not None for one in found)
