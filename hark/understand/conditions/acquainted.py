"""Which texts a customer has read, and which they were sent: what is kept to choose the next one.

Not written in documents: campaigns that send content keep it. It does not depend on what is published, so a
text that is added later is known at once to have been read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, TypeAlias

import msgspec
from msgspec import Struct

from hark.model import JSON, Event, FactName, Instant
from hark.understand.addresses import known_as
from hark.understand.conditions.base import Leaf, View

READ = "Content Read"
MOST = 256
"""Of texts read, of those sent, and of those that would have been sent, so many of the latest are kept."""
SENT = frozenset((FactName.MESSAGE_SENT.value, FactName.MESSAGE_UNKNOWN.value))
CONTROLS = ("control", "global_control", "programme_control")
Latest: TypeAlias = dict[str, Instant]


class _About(Struct):
    """What is read of a fact about a message."""

    content: str = ""
    campaign: str = ""
    reason: str = ""


class Acquainted(Leaf, frozen=True, tag="acquainted"):
    """By name or address when a text was last read; by item when it was sent; and, for who is left alone, by
    scope and item when it would have been."""

    reads_properties: ClassVar[bool] = True

    def summarises(self) -> JSON:
        return ["acquainted", MOST]

    def sentence(self) -> str:
        return "have read or been sent anything"

    def watches(self) -> frozenset[str]:
        return frozenset((READ, FactName.MESSAGE_WITHHELD.value, *SENT))

    def fold(self, summary: JSON, event: Event) -> JSON:
        found = _told(event)
        if not any(found):
            return summary
        return self.merge(summary, [dict.fromkeys(keys, event.at) for keys in found])

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        return [_latest(mine, theirs) for mine, theirs in zip(one, other, strict=True)]

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return any(any(_told(event)) for event in events if self.takes(event) and event.at <= now)

    def met(self, view: View, _now: Instant) -> bool:
        return view.summaries.get(self.key) is not None

    def next_change(self, _view: View, _now: Instant) -> None:
        return None

    def leaves(self) -> Iterator[Leaf]:
        yield self

    # -- what a choice asks ----------------------------------------------------------------------------

    def read(self, summaries: Mapping[str, JSON]) -> Mapping[str, Instant]:
        """By name or address, when a text was last read."""
        return self._part(summaries, 0)

    def sent(self, summaries: Mapping[str, JSON]) -> Mapping[str, Instant]:
        """By item, when it was last sent."""
        return self._part(summaries, 1)

    def would_have(self, summaries: Mapping[str, JSON], scope: str) -> set[str]:
        """Items that would have been sent but for a control (`scope_of`)."""
        begins = f"{scope}/"
        return {one.removeprefix(begins) for one in self._part(summaries, 2) if one.startswith(begins)}

    def _part(self, summaries: Mapping[str, JSON], place: int) -> Latest:
        kept: list[Latest] = summaries.get(self.key) or [{}, {}, {}]
        return kept[place]


def scope_of(campaign: str, control: str) -> str:
    """For whose messages a control stands in: for those of the campaign, else for those of all that it
    withholds."""
    return campaign if control == "control" else f":{control}"


def _told(event: Event) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(texts read, items sent, items that would have been) by one event."""
    if event.name == READ:
        return known_as(event.properties), (), ()
    about = _about.decode(event.properties)
    if not about.content:
        return (), (), ()
    if event.name in SENT:
        return (), (about.content,), ()
    control = about.reason in CONTROLS
    return (), (), (f"{scope_of(about.campaign, about.reason)}/{about.content}",) if control else ()


def _latest(one: Latest, other: Latest) -> Latest:
    """The latest moments of both, at most `MOST` of them: the same in whatever order they come together."""
    found = dict(one)
    for key, at in other.items():
        found[key] = max(at, found.get(key, at))
    kept = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    return dict(sorted(kept))


_about = msgspec.json.Decoder(_About)
ACQUAINTED = Acquainted()
