"""An e-mail as bytes: headers and parts, the same bytes for the same message."""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Mapping
from email.encoders import encode_base64
from email.header import Header
from email.headerregistry import Address
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr
from typing import TypeAlias

from hark.clock import derived_id, moment
from hark.model import Instant
from hark.speak.attachments import Attachment, Files
from hark.speak.contract import BadAddressError, Letter
from hark.speak.render import Rendered

FORM = re.compile(r'(?:"?(?P<name>[^"<>]*?)"?\s*<(?P<angled>[^<>\s]+)>|(?P<bare>\S+))')
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
USER = re.compile(rf"(?=.{{1,64}}$){ATOM}(\.{ATOM})*")
"""RFC 5321's Dot-string: quoted local parts are legal, unused, and a way to smuggle."""
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
ONE_CLICK = "List-Unsubscribe=One-Click"
"""RFC 8058, section 3.1."""


Part: TypeAlias = MIMENonMultipart | MIMEMultipart

LINE = 76
"""Characters in a line of Subject: RFC 2047 allows no more where there are encoded words."""


# The modern policy parses every header it is given, which made a letter five times slower; and it breaks
# or encodes a long List-Unsubscribe, which mail programs then cannot read. Nothing here needs folding but
# the subject, and that is done below.
class _AsWritten(Compat32):
    """Headers as they are made here: plain ASCII, folded where they have to be."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """The header's lines. Raises ValueError for what would begin another header or the body."""
        lines = value.split("\n")
        if "\r" in value or not all(one[:1] in (" ", "\t") and one.strip() for one in lines[1:]):
            raise ValueError(f"the header {name} would end before its end")
        return self.linesep.join((f"{name}: {lines[0]}", *lines[1:], "")).encode("ascii")


_POLICY = _AsWritten(linesep="\r\n", max_line_length=998)


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
    content: Rendered,
    *,
    message: str,
    source: Address,
    target: Address,
    at: Instant,
    unsubscribe: str | None,
    files: Files = (),
    reply_to: str = "",
    bounces_to: str = "",
    more: Mapping[str, str] | None = None,
) -> Letter:
    """The letter dated `at` with our id `message` as its Message-ID; `unsubscribe` is the one-click URL;
    `reply_to` and `bounces_to`: where answers and bounces go, if not to `source`."""
    mail = _with(files, _body(content, message), message)
    message_id = f"<{message}@{source.domain}>"
    mail["From"] = formataddr((source.display_name, source.addr_spec))
    mail["To"] = target.addr_spec
    mail["Subject"] = _subject(content.subject)
    mail["Date"], mail["Message-ID"] = format_datetime(moment(at)), message_id
    if unsubscribe is not None:
        mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"] = f"<{unsubscribe}>", ONE_CLICK
    if reply_to:
        mail["Reply-To"] = reply_to
    for name, value in (more or {}).items():
        mail[name] = value
    return Letter(bounces_to or source.addr_spec, target.addr_spec, message_id, mail.as_bytes(policy=_POLICY))


def _subject(text: str) -> str:
    return Header(text, maxlinelen=LINE, header_name="Subject").encode()


def _with(files: Files, body: Part, message: str) -> Part:
    if not files:
        return body
    whole = MIMEMultipart("mixed", boundary="=_" + derived_id("files", message), policy=_POLICY)
    whole.attach(body)
    for one in files:
        whole.attach(_attached(one))
    return whole


def _attached(one: Attachment) -> MIMEBase:
    part = MIMEBase(*one.type.split("/", 1), policy=_POLICY)
    part.set_payload(one.content)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=one.name)
    return part


def _body(content: Rendered, message: str) -> Part:
    if content.html is None:
        return _part(content.text, "plain")
    # The library would draw the boundary by chance.
    whole = MIMEMultipart("alternative", boundary="=_" + derived_id("boundary", message), policy=_POLICY)
    whole.attach(_part(content.text, "plain"))
    whole.attach(_part(content.html, "html"))
    return whole


def _part(text: str, subtype: str) -> MIMENonMultipart:
    """Quoted-printable by the interpreter's own C: the library's is written in Python, and took longer than
    everything else of a letter."""
    part = MIMENonMultipart("text", subtype, policy=_POLICY, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = "\n".join(text.splitlines()) + "\n" * text.endswith("\n")
    part.set_payload(b2a_qp(lines.encode(), istext=True).decode("ascii"))
    return part
