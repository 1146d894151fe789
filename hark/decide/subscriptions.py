"""The reducer of consents: requests, confirmations, unsubscribing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from hark.decide.consents import ALL, State, answer, state
from hark.decide.messages import ask_to_confirm
from hark.decide.plan import Watch
from hark.decide.reasons import Why
from hark.decide.suppressions import TRAITS, own_address, tell, tell_release
from hark.decide.work import Work
from hark.model import DAY, JSON, Consent, ConsentName, Event, Instant, Record

ASK_AGAIN_US = DAY
"""A request repeated while one is pending sends no second confirmation within this time."""


LONGEST_WORDING = 1_000


class Said(Struct, frozen=True):
    """What is read of a consent event's properties."""

    topic: str | None = None
    channel: str | None = None
    wording: JSON = None
    """What the customer was told or wrote, where it is a text."""
    asked: bool = False
    """Of a confirmation: said on a page to which the customer's own address led, so nothing need be pending.
    Nobody but Hark can write a confirmation."""


_decoder = msgspec.json.Decoder(Said)


def subscriptions(work: Work, event: Event, _watch: Watch) -> None:
    """Keeps the answer that the event gives; an unreadable one says nothing."""
    change = _CHANGES.get(event.name)
    if change is None:
        return
    try:
        said = _decoder.decode(event.properties)
    except msgspec.DecodeError:
        return
    change(work, event, said)


def _unsubscribed(work: Work, event: Event, said: Said) -> None:
    """Out: of a topic on a channel, of a topic, or of everything, as far as something is named.

    It is the reader of the address who left, so whoever shares it has left too.
    """
    channel = said.channel or ALL
    if _keep(work, event, said, said.topic or ALL, channel, State.OUT):
        for one in TRAITS if channel == ALL else (channel,):
            if found := own_address(work.record, one):
                why, wording = Why.UNSUBSCRIBED, _wording(said)
                tell(work, found, why, said.topic or "", event.source, wording, event.at)


def _requested(work: Work, event: Event, said: Said) -> None:
    """In at once for single opt-in, else pending, with a message that asks for confirmation."""
    topic, channel = said.topic, said.channel or "email"
    if topic is None and said.channel:
        returned(work, channel, event.source, event.at)
    known = work.plan.topics.get(topic or "")
    if topic is None or known is None:
        return
    before = answer(work.record, topic, channel)
    if state(work.record, work.plan, topic, channel) == State.IN or not _newer(event, before):
        return
    if known.opt_in == "single":
        _join(work, event, said, topic, channel)
        return
    asked_lately = before and before.state == State.PENDING and event.at - before.at < ASK_AGAIN_US
    if asked_lately:
        return
    _keep(work, event, said, topic, channel, State.PENDING)
    if not event.imported:
        ask_to_confirm(work, event, topic, channel)


def _confirmed(work: Work, event: Event, said: Said) -> None:
    """In, if a request is pending or the customer's own page says so; else nobody had asked.

    An import may state it of anybody who has not left: nobody comes back by a file.
    """
    topic, channel = said.topic, said.channel or "email"
    if topic is None:
        return
    before = answer(work.record, topic, channel)
    left = before is not None and before.state == State.OUT
    pending = state(work.record, work.plan, topic, channel) == State.PENDING
    if pending or said.asked or (event.imported and not left):
        _join(work, event, said, topic, channel)


def _join(work: Work, event: Event, said: Said, topic: str, channel: str) -> None:
    """In; the list forgets that the reader of this address had left the topic."""
    before, found = work.record.consents.get(f"{topic}/{channel}"), own_address(work.record, channel)
    if _keep(work, event, said, topic, channel, State.IN) and found and before and before.state == State.OUT:
        tell_release(work, found, Why.UNSUBSCRIBED, topic)


def leave(record: Record, topic: str, channel: str, at: Instant, source: str, wording: str) -> bool:
    """The answer of somebody else who reads this customer's address: out, unless a later one is known."""
    key = f"{topic or ALL}/{channel}"
    before = record.consents.get(key)
    if before is not None and (before.at, before.seq) >= (at, 0):
        return False
    record.consents[key] = Consent(State.OUT.value, at, 0, source, wording)
    return True


def returned(work: Work, channel: str, source: str, at: Instant) -> None:
    """START after STOP: what was said of the whole channel by this source is taken back, so that earlier
    answers hold again. Nobody gets by it what they had not asked for, and no other source can say it."""
    given = work.record.consents.get(f"{ALL}/{channel}")
    if given is None or given.state != State.OUT or given.source != source or given.at > at:
        return
    del work.record.consents[f"{ALL}/{channel}"]
    if found := own_address(work.record, channel):
        tell_release(work, found, Why.UNSUBSCRIBED, source=source)


def _newer(event: Event, before: Consent | None) -> bool:
    return before is None or (event.at, event.seq) > (before.at, before.seq)


def _keep(work: Work, event: Event, said: Said, topic: str, channel: str, state: State) -> bool:
    """The answer, unless a later one under the same key is known already; whether it is kept."""
    key = f"{topic}/{channel}"
    before = work.record.consents.get(key)
    if not _newer(event, before):
        return False
    wording = _wording(said)
    if state == State.IN and not wording and before is not None:
        wording = before.wording  # what was agreed to is what the request had said
    work.record.consents[key] = Consent(state.value, event.at, event.seq, event.source, wording)
    return True


def _wording(said: Said) -> str:
    return said.wording[:LONGEST_WORDING] if isinstance(said.wording, str) else ""


_CHANGES: Mapping[str, Callable[[Work, Event, Said], None]] = {
    ConsentName.UNSUBSCRIBED.value: _unsubscribed,
    ConsentName.REQUESTED.value: _requested,
    ConsentName.CONFIRMED.value: _confirmed,
}
