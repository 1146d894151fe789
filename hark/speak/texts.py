"""What Twilio reports of a text: where it is asked to, and what its words mean (its guide *Track the message
status of outbound messages*)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from hark.speak.places import PLAIN, is_global, literal_of

MESSAGE = "message"
"""The part of the address's query that says our id; Twilio's signature covers it."""
_NOWHERE = ("invalid", "localhost", "local", "internal")
"""Ends of names that mean nothing to anybody else (RFC 6761, RFC 6762)."""
NO_SUCH_NUMBER = frozenset({21211, 21214, 21217, 21401, 21421, 21614})
"""Twilio's codes, when it is asked, for a number that is none, or none that gets texts."""
SAID_STOP = 21610
UNKNOWN_HANDSET, LANDLINE = 30005, 30006
"""Its codes, later, for a number that is nobody's any more, and for one whose carrier takes no texts."""
LASTING = NO_SUCH_NUMBER | {SAID_STOP, UNKNOWN_HANDSET, LANDLINE}

What: TypeAlias = Literal["delivered", "bounced"]
SAYS: Mapping[str, What] = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "bounced",
    "failed": "bounced",
}
"""Its statuses that are a message's life; the others (queued, sending, sent ...) only lead to one of them."""


class Reported(Struct, frozen=True):
    """What became of a text."""

    what: What
    detail: str = ""
    permanent: bool = False
    """The number gets no texts: never write to it again."""


def reachable(base: str) -> str:
    """The public address, where a provider on the internet could call it; "" for this machine's or a
    private network's, and for a name that Twilio takes for none (one with an underscore)."""
    if not PLAIN.fullmatch(base) or not base.startswith(("https://", "http://")):
        return ""
    try:
        host = urlsplit(base).hostname or ""
        literal = literal_of(host)
    except ValueError:
        return ""
    if literal is not None:
        return base if is_global(literal) else ""
    _, dot, last = host.rpartition(".")
    return base if dot and last not in _NOWHERE and "_" not in host else ""


def callback(base: str, sender: str, message: str) -> str:
    """Where what becomes of the message is reported."""
    return f"{base.rstrip('/')}/reports/{sender}?{urlencode({MESSAGE: message})}"


def reported(form: Mapping[str, str]) -> Reported | None:
    """What a status callback's fields say; None for a status that is no end."""
    what = SAYS.get(form.get("MessageStatus") or form.get("SmsStatus", ""))
    if what != "bounced":
        return Reported(what) if what else None
    code = form.get("ErrorCode", "")
    words = " ".join(one for one in (code, form.get("ErrorMessage", "")) if one)
    lasting = code.isascii() and code.isdigit() and int(code[:9]) in LASTING
    return Reported(what, words or "not delivered", permanent=lasting)
