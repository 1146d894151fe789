"""The SMTP conversation: the only place that talks to a mail server.

What matters most is to know when a message *may* have been accepted: from the moment the final dot is
handed to the network until its answer is read. A failure before it is certain, one after it is unknown.
"""

from __future__ import annotations

import os
import re
import smtplib
import socket
import ssl
import threading
from typing import Literal, TypeAlias

from msgspec import Struct

from hark.definitions.types import Sender
from hark.speak.email import Letter, address

State: TypeAlias = Literal["sent", "failed", "unknown"]

MESSAGES_PER_CONNECTION = 100
NO_SUCH_MAILBOX = frozenset({550, 551, 553})
OUR_FAULT = ("5.1.7", "5.1.8")
"""RFC 3463: addressing problems of the *sender's* address, which say nothing about the recipient's."""


class Timeouts(Struct, frozen=True):
    connect_s: float = 10
    command_s: float = 30
    final_s: float = 120
    """For the answer after the final dot, where the server may still scan the message."""


class Verdict(Struct, frozen=True):
    """What became of one letter."""

    state: State
    detail: str = ""
    temporary: bool = False
    """failed, certainly not accepted, and worth another try."""
    permanent: bool = False
    """failed, and the address does not exist: never write to it again."""


class _RefusedError(Exception):
    def __init__(self, verb: str, code: int, text: bytes) -> None:
        super().__init__(f"{verb}: {code} {text.decode('ascii', 'replace')}")
        self.verb, self.code, self.text = verb, code, text.decode("ascii", "replace")


class Wire:
    """Hands letters to one sender's server, one connection per thread, reused while it works."""

    def __init__(self, sender: Sender, timeouts: Timeouts | None = None) -> None:
        self.sender = sender
        self.timeouts = timeouts or Timeouts()
        self._local = threading.local()

    def post(self, letter: Letter) -> Verdict:
        """Sends the letter once. Never raises for what a network or a server can do."""
        try:
            smtp = self._envelope(letter)
            _send_body(smtp, letter.data)
        except _RefusedError as refused:
            return self._refusal(refused)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Verdict("failed", _told(error), temporary=True)
        return self._finish(smtp)

    def close(self) -> None:
        """Drops this thread's connection."""
        smtp: smtplib.SMTP | None = getattr(self._local, "smtp", None)
        if smtp is not None:
            self._local.smtp = None
            smtp.close()

    def _envelope(self, letter: Letter) -> smtplib.SMTP:
        smtp, fresh = self._connection()
        try:
            _command(smtp, "MAIL", f"FROM:<{letter.sender}>")
        except (OSError, smtplib.SMTPServerDisconnected):
            if fresh:
                raise
            # Servers close idle connections; nothing of this letter had been said on it.
            self.close()
            smtp, _ = self._connection()
            _command(smtp, "MAIL", f"FROM:<{letter.sender}>")
        _command(smtp, "RCPT", f"TO:<{letter.recipient}>")
        _command(smtp, "DATA", "", 354)
        return smtp

    def _connection(self) -> tuple[smtplib.SMTP, bool]:
        smtp: smtplib.SMTP | None = getattr(self._local, "smtp", None)
        if smtp is not None and self._local.posted < MESSAGES_PER_CONNECTION:
            self._local.posted += 1
            return smtp, False
        self.close()
        self._local.smtp, self._local.posted = self._connect(), 1
        return self._local.smtp, True

    def _connect(self) -> smtplib.SMTP:
        smtp = _open(self.sender, self.timeouts)
        try:
            _greet(smtp, self.sender)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _finish(self, smtp: smtplib.SMTP) -> Verdict:
        try:
            _socket(smtp).settimeout(self.timeouts.final_s)
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
            _socket(smtp).settimeout(self.timeouts.command_s)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Verdict("unknown", f"no answer after the message was handed over: {_told(error)}")
        if code == 250:
            return Verdict("sent", text.decode("ascii", "replace"))
        return self._refusal(_RefusedError("message", code, text))

    def _refusal(self, refused: _RefusedError) -> Verdict:
        self._reset(refused.code)
        gone = refused.verb == "RCPT" and _no_such_mailbox(refused.code, refused.text)
        return Verdict("failed", str(refused), temporary=refused.code < 500, permanent=gone)

    def _reset(self, code: int) -> None:
        smtp: smtplib.SMTP | None = getattr(self._local, "smtp", None)
        try:
            if smtp is not None and code != 421 and smtp.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self.close()


def _open(sender: Sender, timeouts: Timeouts) -> smtplib.SMTP:
    name = address(sender.address).domain
    if sender.tls == "implicit":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            sender.host, sender.port, name, timeout=timeouts.connect_s, context=context
        )
    else:
        smtp = smtplib.SMTP(sender.host, sender.port, name, timeout=timeouts.connect_s)
    _socket(smtp).settimeout(timeouts.command_s)
    # The final dot is a small packet of its own; Nagle's algorithm would hold it back.
    _socket(smtp).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _greet(smtp: smtplib.SMTP, sender: Sender) -> None:
    smtp.ehlo_or_helo_if_needed()
    if sender.tls == "starttls":
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
    if sender.user is not None:
        smtp.login(sender.user, _password(sender))


def _password(sender: Sender) -> str:
    name = sender.password_env or ""
    if name not in os.environ:
        raise smtplib.SMTPException(f"the password's environment variable {name!r} is not set")
    return os.environ[name]


def _command(smtp: smtplib.SMTP, verb: str, argument: str, wanted: int = 250) -> None:
    code, text = smtp.docmd(verb, argument)
    if code != wanted and not (verb == "RCPT" and code == 251):
        raise _RefusedError(verb, code, text)


def _send_body(smtp: smtplib.SMTP, data: bytes) -> None:
    """All but the final dot: a loss in here is certain, since a message without it is not accepted."""
    body = re.sub(rb"(?m)^\.", b"..", data)
    smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")


def _no_such_mailbox(code: int, text: str) -> bool:
    enhanced = re.match(r"5\.\d{1,3}\.\d{1,3}", text)
    if enhanced is None:
        return code in NO_SUCH_MAILBOX
    return enhanced[0].startswith("5.1.") and enhanced[0] not in OUR_FAULT


def _socket(smtp: smtplib.SMTP) -> socket.socket:
    found = smtp.sock
    if found is None:
        raise smtplib.SMTPServerDisconnected("not connected")
    return found


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
