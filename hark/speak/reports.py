"""What a provider behind a mail server calls our message in its reports: the header that carries our id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

NAME = "hark"
"""Under this name our id stands among a message's own data at the provider."""
_ID = re.compile(r"<?([0-9a-f]{32})@")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


HEADERS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "brevo": lambda message: ("X-Mailin-custom", _json({NAME: message})),
    "mailgun": lambda message: ("X-Mailgun-Variables", _json({NAME: message})),
    "mailjet": lambda message: ("X-MJ-EventPayload", _json({NAME: message})),
    "postmark": lambda message: (f"X-PM-Metadata-{NAME}", message),
    "resend": lambda message: ("X-Metadata", _json({NAME: message})),
    "sendgrid": lambda message: ("X-SMTPAPI", _json({"unique_args": {NAME: message}})),
    "ses": lambda message: ("X-Metadata", _json({NAME: message})),
    "sparkpost": lambda message: ("X-MSYS-API", _json({"metadata": {NAME: message}})),
}
"""By provider, from its reference for mail by SMTP; SES and Resend give letters' own headers back."""


def known_by(provider: str, message: str) -> dict[str, str]:
    """The header for a provider; none for "" (a mail server that reports nothing)."""
    return dict([HEADERS[provider](message)]) if provider else {}


def ours(data: Mapping[str, object], message_id: str) -> str:
    """The id of our message, by what a report says of it; "" for none of ours."""
    named = data.get(NAME)
    if isinstance(named, str) and re.fullmatch("[0-9a-f]{32}", named):
        return named
    found = _ID.match(message_id)
    return found[1] if found else ""
