"""What customers have said about being written to: the one fold by which it is known.

Answers are kept under "topic/channel"; "*" stands for all of them. The latest answer by (at, seq) among
those that apply to a topic and channel holds; without any, the topic's default. Events are told in the order
in which they were folded, since a confirmation counts only where a request is pending; what somebody else
said who reads the same address is told by the facts that Hark wrote about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import reduce
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from hark.model import DAY, JSON, Consent, ConsentName, Event, FactName, Instant, Kind

ALL = "*"
ASK_AGAIN_US = DAY
"""A request repeated while one is pending changes nothing within this time."""
LONGEST_WORDING = 1_000
UNSUBSCRIBED = "unsubscribed"
"""Why an address is on the list, where its reader has left."""
NAMES = frozenset(
    (
        *(name.value for name in ConsentName),
        FactName.ADDRESS_SUPPRESSED.value,
        FactName.ADDRESS_RELEASED.value,
    )
)
"""The events that may change an answer."""

Answers: TypeAlias = Mapping[str, Consent]
"""By "topic/channel"."""


class State(StrEnum):
    IN = "in"
    OUT = "out"
    PENDING = "pending"


STRICTER = {State.IN.value: 0, State.PENDING.value: 1, State.OUT.value: 2}
"""Of two answers about one topic the more restrictive holds."""


class Terms(Protocol):
    """What of a topic decides about answers to it."""

    @property
    def default(self) -> str: ...

    @property
    def opt_in(self) -> str: ...


class Said(Struct, frozen=True):
    """What is read of a consent event's properties."""

    topic: str | None = None
    channel: str | None = None
    wording: JSON = None
    """What the customer was told or wrote, where it is a text."""
    asked: bool = False
    """Of a confirmation: said on a page to which the customer's own address led, so nothing need be pending.
    Nobody but Hark can write a confirmation."""


class Listed(Struct, frozen=True):
    """What is read of a fact about an address."""

    address: str = ""
    why: str = ""
    topic: str = ""
    since: Instant = 0
    source: str = ""
    detail: str = ""

    @property
    def channel(self) -> str:
        return "email" if "@" in self.address else "sms"


class Change(Struct, frozen=True):
    """What one event changes."""

    topic: str
    channel: str
    now: Consent | None
    """None: the answer is taken back, so that earlier ones hold again."""
    before: Consent | None
    """What stood under the same key."""

    def apply(self, answers: dict[str, Consent]) -> None:
        key = f"{self.topic}/{self.channel}"
        if self.now is None:
            del answers[key]
        else:
            answers[key] = self.now


class Joining(NamedTuple):
    """From a moment on what `younger` had said is what `older` had said."""

    at: Instant
    younger: int
    older: int


def answer(answers: Answers, topic: str, channel: str) -> Consent | None:
    """The customer's own latest answer that applies to this topic and channel."""
    if not answers:
        return None
    keys = (f"{topic}/{channel}", f"{topic}/{ALL}", f"{ALL}/{channel}", f"{ALL}/{ALL}")
    found = [answers[key] for key in keys if key in answers]
    return max(found, key=lambda one: (one.at, one.seq), default=None)


def state(answers: Answers, terms: Terms | None, topic: str, channel: str) -> str:
    """in, out or pending: the customer's answer, else the topic's default (out for an unknown topic)."""
    given = answer(answers, topic, channel)
    if given:
        return given.state
    return terms.default if terms else State.OUT.value


def change_by(event: Event, answers: Answers, terms: Mapping[str, Terms]) -> Change | None:
    """What the event changes, by the terms of each topic; one that cannot be read changes nothing."""
    read = _CHANGES.get(event.name)
    try:
        return read(event, answers, terms) if read else None
    except msgspec.DecodeError:
        return None


def told(
    events: Iterable[Event], joinings: Iterable[Joining], terms: Mapping[str, Terms]
) -> dict[str, Consent]:
    """All that one customer has said: by events, each under the number that it came to, and the joinings by
    which these numbers became one. A joining comes before the events of its own instant."""
    held: dict[int, dict[str, Consent]] = {}
    into: dict[int, int] = {}
    waiting = sorted(joinings, reverse=True)
    for event in sorted(events, key=lambda one: (one.instant, one.seq)):
        while waiting and waiting[-1].at <= event.instant:
            _join(held, into, waiting.pop())
        mine = held.setdefault(_root(into, event.subject), {})
        if change := change_by(event, mine, terms):
            change.apply(mine)
    for joining in reversed(waiting):
        _join(held, into, joining)
    return next(iter(held.values()), {})


def _join(held: dict[int, dict[str, Consent]], into: dict[int, int], joining: Joining) -> None:
    older = _root(into, joining.older)
    held[older] = joined(held.get(older, {}), held.pop(joining.younger, {}))
    into[joining.younger] = older


def _root(into: Mapping[int, int], number: int) -> int:
    while number in into:
        number = into[number]
    return number


def joined(one: Answers, other: Answers) -> dict[str, Consent]:
    """Two customers' answers as one's: about each topic and channel the more restrictive of what held."""
    found = {}
    for key in {**one, **other}:
        topic, _, channel = key.rpartition("/")
        both = [answer(answers, topic, channel) for answers in (one, other)]
        found[key] = reduce(_stricter, (given for given in both if given))
    return found


def _stricter(one: Consent, other: Consent) -> Consent:
    """The more restrictive answer, the later one of two that are alike."""
    return max(one, other, key=lambda given: (STRICTER.get(given.state, 2), given.at, given.seq))


def _unsubscribed(event: Event, answers: Answers, _terms: Mapping[str, Terms]) -> Change | None:
    """Out: of a topic on a channel, of a topic, or of everything, as far as something is named."""
    said = _said.decode(event.properties)
    return _given(event, said, answers, said.topic or ALL, said.channel or ALL, State.OUT)


def _requested(event: Event, answers: Answers, terms: Mapping[str, Terms]) -> Change | None:
    """In at once for single opt-in, else pending; of a channel alone it takes back that one was left."""
    said = _said.decode(event.properties)
    topic, channel = said.topic, said.channel or "email"
    if topic is None:
        return taken_back(answers, channel, event.source, event.at) if said.channel else None
    mine, before = terms.get(topic), answer(answers, topic, channel)
    if mine is None or state(answers, mine, topic, channel) == State.IN or not _newer(event, before):
        return None
    if mine.opt_in == "single":
        return _given(event, said, answers, topic, channel, State.IN)
    lately = before and before.state == State.PENDING and event.at - before.at < ASK_AGAIN_US
    return None if lately else _given(event, said, answers, topic, channel, State.PENDING)


def _confirmed(event: Event, answers: Answers, terms: Mapping[str, Terms]) -> Change | None:
    """In, if a request is pending or the customer's own page says so; else nobody had asked.

    An import may state it of anybody who has not left: nobody comes back by a file.
    """
    said = _said.decode(event.properties)
    topic, channel = said.topic, said.channel or "email"
    if topic is None:
        return None
    before = answer(answers, topic, channel)
    left = before is not None and before.state == State.OUT
    pending = state(answers, terms.get(topic), topic, channel) == State.PENDING
    if not (pending or said.asked or (event.imported and not left)):
        return None
    return _given(event, said, answers, topic, channel, State.IN)


def _suppressed(event: Event, answers: Answers, _terms: Mapping[str, Terms]) -> Change | None:
    """Somebody who reads this customer's address has left, so they have left too."""
    said = _listed.decode(event.properties)
    fact = event.kind == Kind.FACT and said.why == UNSUBSCRIBED
    return left(answers, said.topic, said.channel, said.since, said.source, said.detail) if fact else None


def _released(event: Event, answers: Answers, _terms: Mapping[str, Terms]) -> Change | None:
    """They have taken back that they left the whole channel."""
    said = _listed.decode(event.properties)
    fact = event.kind == Kind.FACT and said.why == UNSUBSCRIBED and not said.topic
    return taken_back(answers, said.channel, said.source, event.at) if fact else None


def left(
    answers: Answers, topic: str, channel: str, since: Instant, source: str, wording: str
) -> Change | None:
    """Out of the topic ("": of all) on the channel since a moment, unless the customer's own answer, under
    this key or one that goes further and cannot be taken back, is later."""
    topic = topic or ALL
    key = f"{topic}/{channel}"
    known = [answers[one] for one in (key, f"{topic}/{ALL}", f"{ALL}/{ALL}") if one in answers]
    if any((one.at, one.seq) >= (since, 0) for one in known):
        return None
    return Change(topic, channel, Consent(State.OUT.value, since, 0, source, wording), answers.get(key))


def taken_back(answers: Answers, channel: str, source: str, at: Instant) -> Change | None:
    """START after STOP: what was said of the whole channel by this source holds no more, and earlier answers
    do again. Nobody gets by it what they had not asked for, and no other source can say it."""
    given = answers.get(f"{ALL}/{channel}")
    if given is None or given.state != State.OUT or given.source != source or given.at > at:
        return None
    return Change(ALL, channel, None, given)


def _given(event: Event, said: Said, answers: Answers, topic: str, channel: str, now: State) -> Change | None:
    """The answer, unless a later one under the same key is known already."""
    before = answers.get(f"{topic}/{channel}")
    if not _newer(event, before):
        return None
    wording = said.wording[:LONGEST_WORDING] if isinstance(said.wording, str) else ""
    if now == State.IN and not wording and before is not None:
        wording = before.wording  # what was agreed to is what the request had said
    return Change(topic, channel, Consent(now.value, event.at, event.seq, event.source, wording), before)


def _newer(event: Event, before: Consent | None) -> bool:
    return before is None or (event.at, event.seq) > (before.at, before.seq)


_said = msgspec.json.Decoder(Said)
_listed = msgspec.json.Decoder(Listed)
_CHANGES: Mapping[str, Callable[[Event, Answers, Mapping[str, Terms]], Change | None]] = {
    ConsentName.UNSUBSCRIBED.value: _unsubscribed,
    ConsentName.REQUESTED.value: _requested,
    ConsentName.CONFIRMED.value: _confirmed,
    FactName.ADDRESS_SUPPRESSED.value: _suppressed,
    FactName.ADDRESS_RELEASED.value: _released,
}
