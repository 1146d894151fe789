"""An e-mail as bytes: headers and parts, the same bytes for the same message."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from msgspec import Struct

from hark.clock import derived_id, moment
from hark.model import Instant
from hark.speak.render import Rendered

FORM = re.compile(r'(?:"?(?P<name>[^"<>]*?)"?\s*<(?P<angled>[^<>\s]+)>|(?P<bare>\S+))')
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
USER = re.compile(rf"(?=.{{1,64}}$){ATOM}(\.{ATOM})*")
"""RFC 5321's Dot-string: quoted local parts are legal, unused, and a way to smuggle."""
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
ONE_CLICK = "List-Unsubscribe=One-Click"
"""RFC 8058, section 3.1."""


WHOLE = ("list-unsubscribe", "list-unsubscribe-post", "message-id")
"""Headers that the library would break or encode when long, which mail programs then don't understand."""


class _Policy(EmailPolicy):
    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}\r\n" if name.lower() in WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if name.lower() in WHOLE else super().fold_binary(name, value)


_POLICY = _Policy() + SMTP


class BadAddressError(ValueError):
    """The text is no address that a message could be sent to."""


class Letter(Struct, frozen=True):
    """What SMTP needs: the envelope and the message."""

    sender: str
    recipient: str
    message_id: str
    data: bytes


def address(text: str) -> Address:
    """ "Shop <hello@shop.example>" or "hello@shop.example"; a domain outside ASCII becomes IDNA.

    Raises BadAddressError for anything else, above all for what smuggles in a header or a recipient.
    """
    form = FORM.fullmatch(text)
    user, _, domain = (form["angled"] or form["bare"]).rpartition("@") if form else ("", "", "")
    try:
        host = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not text.isprintable() or not USER.fullmatch(user) or not HOST.fullmatch(host):
        raise BadAddressError(f"not an e-mail address: {text[:100]!r}")
    return Address(display_name=(form["name"] or "") if form else "", addr_spec=f"{user}@{host}")


def letter(
    content: Rendered, *, message: str, source: Address, target: Address, at: Instant, unsubscribe: str | None
) -> Letter:
    """The letter dated `at` with our id `message` as its Message-ID; `unsubscribe` is the one-click URL."""
    mail = EmailMessage(policy=_POLICY)
    message_id = f"<{message}@{source.domain}>"
    mail["From"], mail["To"], mail["Subject"] = source, target, content.subject
    mail["Date"], mail["Message-ID"] = format_datetime(moment(at)), message_id
    if unsubscribe is not None:
        mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"] = f"<{unsubscribe}>", ONE_CLICK
    _add_parts(mail, content, message)
    return Letter(source.addr_spec, target.addr_spec, message_id, mail.as_bytes())


def _add_parts(mail: EmailMessage, content: Rendered, message: str) -> None:
    mail.set_content(content.text)
    if content.html is not None:
        mail.add_alternative(content.html, subtype="html")
        # The library would draw the boundary by chance.
        mail.set_boundary("=_" + derived_id("boundary", message))
