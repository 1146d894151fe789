"""How senders are written: an account at a provider, for one channel."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from hark.definitions.sending import LATER
from hark.definitions.shapes import NAME, Choice, Invalid, Number, Reading, Record, Text, Truth, Values
from hark.definitions.types import Sender
from hark.definitions.yaml import Node

_MAILBOX = re.compile(r"([^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@,]+@[^\s<>@,]+)")
_REPLIES_AT = r"([A-Za-z0-9._-]{1,20}@)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_FROM = re.compile(r"\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{1,11}|MG[0-9a-f]{32}")
_SECRET = Text("the name of an environment variable", "[A-Za-z_][A-Za-z0-9_]*")
COMMON = ("sender", "channel", "provider", "rate_per_s", "weight")


REPORTERS = ("brevo", "mailgun", "mailjet", "postmark", "resend", "sendgrid", "ses", "sparkpost")
"""Providers whose webhooks say what became of mail that was handed over by SMTP."""
INBOUND = ("mailgun", "mailjet", "postmark", "raw", "sendgrid", "ses", "sparkpost")
"""Who may bring us incoming mail; `raw`: a mail server of one's own, which posts each mail as it is."""
TOGETHER = (("reports", "reports_env"), ("replies", "inbound", "inbound_env"))
"""Keys of which none stands without the others."""


class Provider(Struct, frozen=True):
    """What a sender document for a provider must and may say besides the common keys."""

    channel: str
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


_REPLIES = ("replies", "inbound", "inbound_env")
_REPORTS = ("reports", "reports_env")
_SMTP = ("host", "port", "tls", "user", "password_env", *_REPORTS, *_REPLIES, "verp")
_MAIL_API = Provider("email", ("address", "secret_env"), ("url", *_REPORTS, *_REPLIES))
PROVIDERS: Mapping[str, Provider] = {
    "smtp": Provider("email", ("address",), _SMTP),
    **dict.fromkeys(("sendgrid", "mailgun", "postmark", "resend", "brevo"), _MAIL_API),
    "ses": Provider("email", ("address", "url", "secret_env"), ("account", *_REPORTS, *_REPLIES)),
    "twilio": Provider("sms", ("address", "account", "secret_env"), ("url",)),
    "web_push": Provider("web_push", ("address", "secret_env")),
    "fcm": Provider("push", ("secret_env",), ("url",)),
    "apns": Provider("push", ("account", "secret_env"), ("url",)),
    "slack": Provider("chat", ("secret_env",)),
    "webhook": Provider("webhook", ("url", "secret_env")),
}
"""By name; the first of a channel is the one meant where a sender names none."""


def _sender(values: Values, node: Node, reading: Reading) -> Sender | Invalid:
    assert isinstance(node.value, dict)
    channel = values.get("channel", "email")
    usual = next(name for name, one in PROVIDERS.items() if one.channel == channel)
    provider = values.get("provider", usual)
    if PROVIDERS[provider].channel != channel:
        return reading.refuse(node.value["provider"], f"{provider} is no provider for {channel}", usual)
    refused = _keys(values, provider, node, reading) or _address(values, channel, node, reading)
    if refused:
        return refused
    given = {key: value for key, value in values.items() if key not in ("sender", "provider")}
    return Sender(name=values["sender"], provider=provider, **given)


def _keys(values: Values, provider: str, node: Node, reading: Reading) -> Invalid | None:
    """Refuses keys of another provider's, and the lack of one's own."""
    assert isinstance(node.value, dict)
    one = PROVIDERS[provider]
    for key in one.needs:
        if key not in values:
            return reading.refuse(node, f'a sender for {provider} needs "{key}"')
    for key in values:
        if key not in (*COMMON, *one.needs, *one.takes):
            return reading.refuse(node.value[key], f'"{key}" is no key of a sender for {provider}')
    if "password_env" in values and "user" not in values:
        return reading.refuse(node.value["password_env"], "a password without a user", "user: ...")
    if values.get("verp") and "replies" not in values:
        return reading.refuse(node.value["verp"], "verp needs replies: where bounces come in", "replies: ...")
    return _together(values, node, reading)


def _together(values: Values, node: Node, reading: Reading) -> Invalid | None:
    assert isinstance(node.value, dict)
    for keys in TOGETHER:
        given = [key for key in keys if key in values]
        if given and len(given) < len(keys):
            words = f"{', '.join(keys[:-1])} and {keys[-1]} belong together"
            return reading.refuse(node.value[given[0]], words, "the variable holds what proves them")
    return None


def _address(values: Values, channel: str, node: Node, reading: Reading) -> Invalid | None:
    assert isinstance(node.value, dict)
    if "address" not in values:
        return None
    written, of_channel = values["address"], ADDRESSES[channel]
    if of_channel.pattern.fullmatch(written):
        return None
    return reading.refuse(
        node.value["address"], f'expected {of_channel.what}, found "{written}"', of_channel.hint
    )


class _Address(Struct, frozen=True):
    what: str
    pattern: re.Pattern[str]
    hint: str


ADDRESSES: Mapping[str, _Address] = {
    "web_push": _Address("a mail address", _MAILBOX, "whom a push service may ask"),
    "email": _Address("a mail address", _MAILBOX, 'for example "Shop <hello@shop.example>"'),
    "sms": _Address("a number, a name or a service's id", _FROM, 'for example "+15550100"'),
}

SENDER = Record(
    "sender",
    {
        "sender": NAME,
        "channel": Choice(tuple(dict.fromkeys(one.channel for one in PROVIDERS.values())), LATER),
        "provider": Choice(tuple(PROVIDERS)),
        "address": Text(),
        "host": Text("a host name", r"[A-Za-z0-9.:_-]+"),
        "port": Number(1, 65535, whole=True),
        "tls": Choice(("none", "starttls", "implicit")),
        "user": Text(),
        "password_env": _SECRET,
        "url": Text("an https URL", r"https?://[!-~]+", "for example https://crm.example/hark"),
        "reports": Choice(REPORTERS),
        "reports_env": _SECRET,
        "replies": Text("a domain or a mailbox", _REPLIES_AT, 'for example "reply.shop.example"'),
        "inbound": Choice(INBOUND),
        "inbound_env": _SECRET,
        "verp": Truth(),
        "account": Text("an account's id", r"[A-Za-z0-9._-]+"),
        "secret_env": _SECRET,
        "rate_per_s": Number(0.001, 100000),
        "weight": Number(0, 1000),
    },
    _sender,
    required=("sender",),
)
