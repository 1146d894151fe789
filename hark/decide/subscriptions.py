"""The reducer of consents: what an event changes of the answers, and who must hear of it."""

from __future__ import annotations

from hark.decide.messages import ask_to_confirm
from hark.decide.reasons import Why
from hark.decide.suppressions import TRAITS, own_address, tell, tell_release
from hark.decide.watch import Watch
from hark.decide.work import Work
from hark.model import Event, Kind
from hark.understand.conditions.answers import ALL, Change, State, change_by


def subscriptions(work: Work, event: Event, _watch: Watch) -> None:
    """Keeps the answer that the event gives. Of a fact the list has heard before."""
    change = change_by(event, work.record.consents, work.plan.topics)
    if change is None:
        return
    change.apply(work.record.consents)
    if event.kind != Kind.FACT:
        _pass_on(work, event, change)


def _pass_on(work: Work, event: Event, change: Change) -> None:
    if change.now is None:
        _released(work, change, "", event.source)
    elif change.now.state == State.OUT:
        _left(work, event, change)
    elif change.now.state == State.PENDING and not event.imported:
        ask_to_confirm(work, event, change.topic, change.channel)
    elif change.now.state == State.IN and change.before and change.before.state == State.OUT:
        _released(work, change, change.topic, "")


def _left(work: Work, event: Event, change: Change) -> None:
    """It is the reader of the address who left, so whoever shares it has left too."""
    assert change.now is not None
    topic = "" if change.topic == ALL else change.topic
    for channel in TRAITS if change.channel == ALL else (change.channel,):
        if found := own_address(work.record, channel):
            tell(work, found, Why.UNSUBSCRIBED, topic, event.source, change.now.wording, event.at)


def _released(work: Work, change: Change, topic: str, source: str) -> None:
    """The list forgets that the reader of this address had left."""
    if found := own_address(work.record, change.channel):
        tell_release(work, found, Why.UNSUBSCRIBED, topic, source)
