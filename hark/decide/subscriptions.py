"""The reducer of consents: requests, confirmations, unsubscribing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from hark.decide.consents import ALL, State, answer, state
from hark.decide.messages import ask_to_confirm
from hark.decide.plan import Watch
from hark.decide.work import Work
from hark.model import DAY, Consent, ConsentName, Event

ASK_AGAIN_US = DAY
"""A request repeated while one is pending sends no second confirmation within this time."""


class Said(Struct, frozen=True):
    """What is read of a consent event's properties."""

    topic: str | None = None
    channel: str | None = None


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
    """Out: of a topic on a channel, of a topic, or of everything, as far as something is named."""
    _keep(work, event, said.topic or ALL, said.channel or ALL, State.OUT)


def _requested(work: Work, event: Event, said: Said) -> None:
    """In at once for single opt-in, else pending, with a message that asks for confirmation."""
    topic, channel = said.topic, said.channel or "email"
    known = work.plan.topics.get(topic or "")
    if topic is None or known is None:
        return
    before = answer(work.record, topic, channel)
    if state(work.record, work.plan, topic, channel) == State.IN or not _newer(event, before):
        return
    if known.opt_in == "single":
        _keep(work, event, topic, channel, State.IN)
        return
    asked_lately = before and before.state == State.PENDING and event.at - before.at < ASK_AGAIN_US
    if asked_lately:
        return
    _keep(work, event, topic, channel, State.PENDING)
    if not event.imported:
        ask_to_confirm(work, event, topic, channel)


def _confirmed(work: Work, event: Event, said: Said) -> None:
    """In, if a request is pending; an import may state it of anybody. Otherwise nobody had asked."""
    topic, channel = said.topic, said.channel or "email"
    if topic is None:
        return
    pending = state(work.record, work.plan, topic, channel) == State.PENDING
    if pending or event.imported:
        _keep(work, event, topic, channel, State.IN)


def _newer(event: Event, before: Consent | None) -> bool:
    return before is None or (event.at, event.seq) > (before.at, before.seq)


def _keep(work: Work, event: Event, topic: str, channel: str, said: State) -> None:
    """The answer, unless a later one under the same key is known already."""
    key = f"{topic}/{channel}"
    if _newer(event, work.record.consents.get(key)):
        work.record.consents[key] = Consent(said.value, event.at, event.seq, event.source)


_CHANGES: Mapping[str, Callable[[Work, Event, Said], None]] = {
    ConsentName.UNSUBSCRIBED.value: _unsubscribed,
    ConsentName.REQUESTED.value: _requested,
    ConsentName.CONFIRMED.value: _confirmed,
}
