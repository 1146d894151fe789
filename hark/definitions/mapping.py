"""What a `source:` document says: how the payload of an inbound webhook becomes calls, and how it is signed.

Expressions are texts here (`definitions.expressions` compiles them), so that a mapping can be handed to the
collecting process as plain data.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from hark.model import MINUTE

Expressions: TypeAlias = dict[str, str] | str
"""By name one expression each; or one that gives an object."""


class Rule(Struct, frozen=True, omit_defaults=True):
    """One sort of payload and the call it becomes. "" stands for "not given"."""

    when: str = ""
    """The rule is for payloads of which this is true; without it, for all."""
    each: str = ""
    """An expression that gives a list: a call for each item."""
    event: str = ""
    """The event's name as it is; without it and `event_from` the call only says traits (identify)."""
    event_from: str = ""
    user: str = ""
    anonymous: str = ""
    email: str = ""
    phone: str = ""
    time: str = ""
    id: str = ""
    """What the provider calls this event, the same at each delivery of it."""
    properties: Expressions = {}
    traits: Expressions = {}
    active: bool = True
    goes_on: bool = False
    """The rules after this one are asked as well."""
    ignore: bool = False
    """Such payloads are no events, and nothing is noted of them."""


class Signature(Struct, frozen=True, omit_defaults=True):
    """How a provider signs. The last four are for `hmac`: a signature of the body alone in one header."""

    scheme: str
    tolerance_us: int = 5 * MINUTE
    """How far the signature's time may be from ours, either way."""
    header: str = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class SocialLink(Struct, frozen=True, omit_defaults=True):
    """A place elsewhere that a message leads to, and what people may tell us they did there."""

    event: str
    network: str
    url: str
    says: str = ""


class Source(Struct, frozen=True, omit_defaults=True, tag="source"):
    """A source's mapping, with the rules of the ready mapping it uses behind its own."""

    name: str
    use: str = ""
    signature: Signature | None = None
    """None: payloads are not signed, so a key of the source is needed."""
    mapping: tuple[Rule, ...] = ()
    zone: str = "UTC"
    """Of times without one."""
    links: dict[str, SocialLink] = {}
