"""What a mail that came in is: a person's answer, a machine's, or a report about a message of ours.

Told apart by what the standards say: RFC 3464 (delivery status), RFC 5965 (abuse reports), RFC 3834
(automatic responses), RFC 5321, 4.5.5 (the null sender). Quoted text is found by quotequail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import getaddresses, parseaddr
from typing import Literal, TypeAlias

from msgspec import Struct
from quotequail import quote, unwrap

from hark.speak.plain import plain

TEXT = 8_000
"""Characters of an answer that are kept; the whole mail stands beside it."""
TO_US = ("To", "Cc", "Delivered-To", "X-Original-To", "X-Forwarded-To", "Envelope-To")
WHAT: dict[str, Literal["bounced", "delivered"]] = {
    "failed": "bounced",
    "delivered": "delivered",
    "relayed": "delivered",
}
"""RFC 3464, 2.3.3; `delayed` says nothing for good."""
NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?![78]\b)\d{1,3}")
"""RFC 3463; 5.1.7 and 5.1.8 are about the sender's address."""


class Report(Struct, frozen=True):
    """What a mail server or a reader's provider says of our message."""

    what: Literal["delivered", "bounced", "complained"]
    detail: str = ""
    permanent: bool = False


class Reply(Struct, frozen=True):
    """An answer."""

    id: str
    """The mail's own Message-ID; "" if it has none."""
    source: str
    """The address it came from."""
    subject: str
    text: str
    """What was written, without what it quotes and without the signature."""
    whole: str
    """The same with both."""
    machine: str = ""
    """What tells that no person wrote it; "" for a person's."""
    wants_out: bool = False
    """The words ask to get nothing more."""


Came: TypeAlias = Report | Reply


def understood(raw: bytes, envelope_sender: str | None = None) -> Came | None:
    """What the mail is; None for a report that says nothing for good (a delay). Takes any bytes.

    `envelope_sender` is the SMTP sender where it is known; "" for the null sender.
    """
    mail = message_from_bytes(raw, policy=default)
    kind = str(mail.get_param("report-type") or "").lower()
    if mail.get_content_type() == "multipart/report" and kind in ("delivery-status", "feedback-report"):
        return _status(mail) if kind == "delivery-status" else _feedback(mail)
    return _reply(mail, envelope_sender)


def addresses(raw: bytes) -> list[str]:
    """All addresses that the mail says it is for."""
    mail = message_from_bytes(raw, policy=default)
    found = [str(one) for name in TO_US for one in mail.get_all(name, [])]
    return [address for _, address in getaddresses(found)]


def _status(mail: Message) -> Report | None:
    """Of its recipients the one that failed, if any: our letters have one."""
    said = [report for fields in _fields(mail, "message/delivery-status") if (report := _of_one(fields))]
    return min(said, key=lambda one: one.what, default=None)


def _of_one(fields: Message) -> Report | None:
    what = WHAT.get(_one(fields, "Action").lower())
    if what is None:
        return None
    status, diagnostic = _one(fields, "Status"), _one(fields, "Diagnostic-Code").partition(";")[2].strip()
    lasting = what == "bounced" and NO_SUCH_ADDRESS.match(status) is not None
    return Report(what, f"{status} {diagnostic}".strip()[:500], lasting)


def _feedback(mail: Message) -> Report | None:
    """An abuse report; other types (fraud, virus, not-spam) are for people to read."""
    kinds = [_one(fields, "Feedback-Type").lower() for fields in _fields(mail, "message/feedback-report")]
    return Report("complained", "feedback report: abuse") if "abuse" in kinds else None


def _fields(mail: Message, kind: str) -> Iterator[Message]:
    """The blocks of header fields in the parts of a type."""
    for part in mail.walk():
        if part.get_content_type() == kind:
            inner = part.get_payload()
            yield from (one for one in inner if isinstance(one, Message)) if isinstance(inner, list) else ()


def _one(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())


def _reply(mail: EmailMessage, envelope_sender: str | None) -> Reply:
    whole = _words(mail)
    text = without_quotes(whole)
    return Reply(
        id=_one(mail, "Message-ID"),
        source=parseaddr(_one(mail, "From"))[1][:320],
        subject=_one(mail, "Subject")[:300],
        text=text[:TEXT],
        whole=whole[:TEXT],
        machine=_machine(mail, envelope_sender),
        wants_out=wants_out(text),
    )


def _words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    raw = body.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else b""
    try:
        text = data.decode(body.get_content_charset("utf-8"), "replace")
    except LookupError:  # a charset that nobody knows
        text = data.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\x00", "")
    return (plain(text) if body.get_content_subtype() == "html" else text).strip()


def without_quotes(text: str) -> str:
    """What the writer added: above what is quoted, else below it. An answer written between the lines of what
    it quotes stays as it is."""
    found = unwrap(text)
    if found:
        kept = found.get("text_top") or found.get("text_bottom") or ""
    else:
        kept = "".join(part for shown, part in quote(text, quote_intro_line=True) if shown)
    # RFC 3676, 4.3: the signature's separator
    return re.split(r"(?m)^-- ?$", kept)[0].strip() or text


_AUTO_SUBJECT = re.compile(
    r"\s*(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office|automatische antwort"
    r"|abwesenheit|r[ée]ponse automatique|absence du bureau|respuesta autom[aá]tica|risposta automatica"
    r"|automatisch antwoord|resposta autom[aá]tica|automatyczna odpowied)",
    re.IGNORECASE,
)
_BY_HEADER = {
    "X-Autoreply": "x_autoreply",
    "X-Autorespond": "x_autorespond",
    "X-Auto-Response-Suppress": "x_auto_response_suppress",
    "List-Id": "list",
}


def _machine(mail: EmailMessage, envelope_sender: str | None) -> str:
    """What tells that it is automatic, the surest first."""
    if _one(mail, "Auto-Submitted").lower() not in ("", "no"):
        return "auto_submitted"
    if envelope_sender in ("", "<>") or _one(mail, "Return-Path") == "<>":
        return "null_sender"
    if _one(mail, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply"):
        return "precedence"
    if re.match(r"(mailer-daemon|postmaster|no-?reply)@", parseaddr(_one(mail, "From"))[1], re.IGNORECASE):
        return "daemon"
    told = next((name for header, name in _BY_HEADER.items() if header in mail), "")
    return told or ("subject" if _AUTO_SUBJECT.match(_one(mail, "Subject")) else "")


_OUT = re.compile(
    r"unsubscribe|opt[- ]?out|remove me|take me off|stop (e-?mail|mail|writ|send|contact)"
    r"|(no more|don'?t (send|want)( me)?( any)?( more)?) (e-?mails?|mails?|messages?|newsletters?)"
    r"|abmelden|abbestellen|keine (e-?mails?|mails?|newsletter)( mehr)?|d[ée]sabonn|d[ée]sinscri"
    r"|dar(me)? de baja|cancelar (la |mi )?suscripci|disiscriv|cancellami|afmelden|uitschrijven"
    r"|cancelar (a |minha )?(subscri|inscri)|remover? (meu|me)|wypis[az]|rezygnuj",
    re.IGNORECASE,
)
_ALONE = re.compile(r"\W*(stop|out|end|quit|cancel|no|basta|baja)\W*", re.IGNORECASE)
SHORT = 300
"""Characters of an answer that may be such a request; in a longer one the words may mean anything."""


def wants_out(text: str) -> bool:
    """Whether the words ask to be left alone. Only offered to a person, who reads it: never acted on."""
    return len(text) <= SHORT and bool(_ALONE.fullmatch(text) or _OUT.search(text))
