"""Addresses that must not be written to, and why: the record's part of the suppression list.

The list itself is the engine's (`engine.suppressions`): it holds for an address whoever has it, and outlives
the customer. Facts tell it what happened to one customer; its commands tell the others with the address.
"""

from __future__ import annotations

from hark.decide.profile import text
from hark.decide.reasons import Why
from hark.decide.work import Work
from hark.model import JSON, FactName, Instant, Record
from hark.store.contracts import address as in_one_form

EVERYTHING = "*"
"""A suppression of the customer, whatever the address."""
TRAITS = {"email": "email", "sms": "phone"}
"""By channel the trait with the address; channels without one have no address that could be shared."""
DEVICES = frozenset({"push", "web_push"})
"""Channels whose addresses are one customer's device: no list of addresses has to know them."""
LONGEST_PHONE = 40
CHANNELS = {trait: channel for channel, trait in TRAITS.items()}


def form(address: str) -> str:
    """The one form in which an address is kept: small letters, or a phone number's digits; a device's as it
    is."""
    if len(address) > LONGEST_PHONE and "@" not in address:
        return address.strip()
    return in_one_form("email", address) or in_one_form("phone", address) or address.strip().lower()


def own_address(record: Record, channel: str) -> str:
    """The address that the customer's traits give for the channel, in its one form; "" for none."""
    trait = TRAITS.get(channel)
    found = text(record.traits, trait) if trait else ""
    return in_one_form(trait, found) if trait and found else ""


def bar(work: Work, address: str, why: str, source: str = "", detail: str = "") -> None:
    """Nobody writes to the address from now on; a fact says so, once."""
    address = form(address)
    if address in work.record.suppressed:
        return
    work.record.suppressed[address] = work.now
    work.record.barred[address] = why
    if address != EVERYTHING and source not in DEVICES:
        tell(work, address, why, source=source, detail=detail)


def lift(work: Work, address: str) -> None:
    """The address may be written to again, whatever the reason was."""
    address = form(address)
    why = work.record.barred.pop(address, Why.TEAM.value)
    if work.record.suppressed.pop(address, None) is not None and address != EVERYTHING:
        tell_release(work, address, why)


def tell(
    work: Work, address: str, why: str, topic: str = "", source: str = "", detail: str = "", at: Instant = 0
) -> None:
    """The fact by which the list, and everybody else with the address, hears of it; so since `at`."""
    facts: dict[str, JSON] = {"address": address, "why": why, "topic": topic, "since": at or work.now}
    work.emit(FactName.ADDRESS_SUPPRESSED, facts | {"source": source, "detail": detail[:500]})


def tell_release(work: Work, address: str, why: str, topic: str = "", source: str = "") -> None:
    """The fact by which the list hears that an address is good again."""
    facts = {"address": address, "why": why, "topic": topic, "source": source}
    work.emit(FactName.ADDRESS_RELEASED, facts)
