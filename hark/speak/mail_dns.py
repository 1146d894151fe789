"""Whether a domain's DNS lets mail of ours arrive: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), and
where answers come in (MX). Pure but for the lookups, which are given."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

Lookup: TypeAlias = Callable[[str, str], list[str]]
"""(name, type) to the records' texts, [] where there is none. Raises OSError where nobody answers."""
State: TypeAlias = Literal["good", "warn", "bad", "unknown"]

MOST_LOOKUPS = 10
"""RFC 7208, 4.6.4: a record that takes more is an error to whoever checks it."""
USUAL = ("default", "mail", "dkim", "selector1", "selector2", "google", "k1", "k2", "s1", "s2")
SELECTORS = {
    "brevo": ("brevo1", "brevo2", "mail"),
    "mailgun": ("mailo", "smtp", "k1", "pdk1", "pdk2", "email", "mx"),
    "mailjet": ("mailjet",),
    "postmark": ("pm",),
    "resend": ("resend",),
    "sendgrid": ("s1", "s2"),
    "sparkpost": ("scph0124",),
}
"""By provider, the names under which its keys usually stand."""


class Check(Struct, frozen=True):
    """What one of them says."""

    name: str
    state: State
    says: str
    record: str = ""
    """The record that was found."""


def checked(
    domain: str, bounces: str, replies: str, selectors: Sequence[str], ask: Lookup
) -> tuple[Check, ...]:
    """All checks of a sender: `domain` of its address, `bounces` of its envelope's sender, `replies` where
    answers come in ("" for none)."""
    asked: list[tuple[str, Callable[[], Check]]] = [
        ("SPF", lambda: spf(bounces, ask)),
        ("DKIM", lambda: dkim(domain, selectors, ask)),
        ("DMARC", lambda: dmarc(domain, ask)),
    ]
    if replies:
        asked.append(("MX", lambda: incoming(replies, ask)))
    return tuple(_one(name, check) for name, check in asked)


def _one(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except OSError as error:
        return Check(
            name, "unknown", f"DNS did not answer ({error or type(error).__name__}): try again later"
        )


def spf(domain: str, ask: Lookup) -> Check:
    """One record, which allows not everybody, within ten lookups."""
    found = _spf_of(domain, ask)
    if not found:
        return Check("SPF", "bad", f"{domain} has no SPF record: say which servers send for it")
    if len(found) > 1:
        words = f"{domain} has {len(found)} SPF records: only one may stand there"
        return Check("SPF", "bad", words, found[0])
    record, taken = found[0], _lookups(found[0], ask, MOST_LOOKUPS + 1)
    if taken > MOST_LOOKUPS:
        return Check("SPF", "bad", f"it takes over {MOST_LOOKUPS} lookups, so that nobody accepts it", record)
    if re.search(r"(?<!\S)\+?all(?!\S)", record):
        return Check("SPF", "bad", "it allows everybody to send for the domain: end it with ~all", record)
    if not re.search(r"(?<!\S)([-~]all|redirect=\S+)(?!\S)", record):
        return Check("SPF", "warn", "it does not say what of other servers: end it with ~all", record)
    return Check("SPF", "good", f"found, {taken} of {MOST_LOOKUPS} lookups", record)


def _spf_of(domain: str, ask: Lookup) -> list[str]:
    return [one for one in ask(domain, "TXT") if re.match(r"v=spf1( |$)", one, re.IGNORECASE)]


def _lookups(record: str, ask: Lookup, left: int) -> int:
    """Lookups that a record takes, those of what it includes too; stops counting at `left`."""
    taken = 0
    for term in record.split()[1:]:
        if taken >= left:
            break
        within = re.match(r"(?:[-+~?]?include:|redirect=)(\S+)", term, re.IGNORECASE)
        if within or re.match(r"[-+~?]?(a|mx|ptr|exists)([:/]|$)", term, re.IGNORECASE):
            taken += 1
        if within and "%" not in within[1]:
            for inner in _spf_of(within[1], ask)[:1]:
                taken += _lookups(inner, ask, left - taken)
    return taken


def dkim(domain: str, selectors: Sequence[str], ask: Lookup) -> Check:
    """A key that is there, in force, and long enough, under one of the names."""
    for selector in dict.fromkeys(selectors):
        name = f"{selector}._domainkey.{domain}"
        for record in ask(name, "TXT"):
            if (tags := _tags(record)) and "p" in tags:
                return _key(selector, tags, record)
    words = "none under the usual names: give the selector that your provider names"
    return Check("DKIM", "warn", words)


def _key(selector: str, tags: dict[str, str], record: str) -> Check:
    if not tags["p"]:
        return Check("DKIM", "bad", f"the key {selector} was revoked (p is empty)", record)
    if tags.get("k", "rsa") != "rsa":
        return Check("DKIM", "good", f"{selector}: a key of kind {tags['k']}", record)
    try:
        key = load_der_public_key(b64decode(tags["p"]))
    except ValueError:
        return Check("DKIM", "bad", f"the key {selector} cannot be read", record)
    bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    if bits < 1024:
        return Check("DKIM", "bad", f"{selector} has {bits} bits: under 1,024 nobody accepts it", record)
    return Check("DKIM", "good" if bits >= 2048 else "warn", f"{selector}: a key of {bits:,} bits", record)


def dmarc(domain: str, ask: Lookup) -> Check:
    """The domain's own policy, or that of a domain above it."""
    for above in _upwards(domain):
        found = [one for one in ask(f"_dmarc.{above}", "TXT") if one.lower().startswith("v=dmarc1")]
        if len(found) > 1:
            words = f"{above} has {len(found)} DMARC records: none of them counts"
            return Check("DMARC", "bad", words, found[0])
        if found:
            return _policy(above, _tags(found[0]), found[0], above != domain)
    return Check("DMARC", "bad", 'there is none: Gmail and Yahoo ask for one, at least "v=DMARC1; p=none"')


def _policy(above: str, tags: dict[str, str], record: str, inherited: bool) -> Check:
    says = tags.get("sp" if inherited and "sp" in tags else "p", "")
    if says not in ("none", "quarantine", "reject"):
        return Check("DMARC", "bad", f"p={says or '(missing)'} is no policy", record)
    whose = f", from {above}" if inherited else ""
    if says == "none":
        return Check("DMARC", "warn", f"policy none: others may still write in your name{whose}", record)
    return Check("DMARC", "good", f"policy {says}{whose}", record)


def incoming(domain: str, ask: Lookup) -> Check:
    """A server that takes the answers."""
    found = [one for one in ask(domain, "MX") if one.split()[-1] != "."]
    if not found:
        return Check("MX", "bad", f"{domain} takes no mail: answers would come back to the customer")
    return Check("MX", "good", "answers come in there", ", ".join(found))


def _upwards(domain: str) -> Iterable[str]:
    """The domain and those above it, but no top level."""
    parts = domain.split(".")
    return (".".join(parts[place:]) for place in range(max(1, len(parts) - 1)))


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs if name.strip()}
