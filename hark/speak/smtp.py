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

from hark.definitions.types import Sender
from hark.speak.contract import Letter, Lost, Reply
from hark.speak.email import address
from hark.speak.places import NOWHERE_ELSE, Allowed, BadPlaceError
from hark.speak.wire import Timeouts, connect

MESSAGES_PER_CONNECTION = 100


class _RefusedError(Exception):
    def __init__(self, verb: str, code: int, text: bytes) -> None:
        super().__init__(f"{verb}: {code}")
        self.reply = Reply(verb, code, text.decode("ascii", "replace"))


class Conversation:
    """Hands letters to one sender's server, one connection per thread, reused while it works."""

    def __init__(
        self, sender: Sender, timeouts: Timeouts | None = None, allowed: Allowed = NOWHERE_ELSE
    ) -> None:
        self.sender, self.allowed = sender, allowed
        self.timeouts = timeouts or Timeouts()
        self._local = threading.local()

    def post(self, letter: Letter) -> Reply | Lost:
        """Sends the letter once. Never raises for what a network or a server can do."""
        try:
            smtp = self._envelope(letter)
            _send_body(smtp, letter.data)
        except _RefusedError as refused:
            return self._refused(refused.reply)
        except (OSError, smtplib.SMTPException, BadPlaceError) as error:
            self.close()
            return Lost(_told(error), said=False, refused=isinstance(error, BadPlaceError))
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
        smtp = _open(self.sender, self.timeouts, self.allowed)
        try:
            _greet(smtp, self.sender)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _finish(self, smtp: smtplib.SMTP) -> Reply | Lost:
        try:
            _socket(smtp).settimeout(self.timeouts.final_s)
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
            _socket(smtp).settimeout(self.timeouts.command_s)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Lost(_told(error), said=True)
        reply = Reply("message", code, text.decode("ascii", "replace"))
        return reply if code == 250 else self._refused(reply)

    def _refused(self, reply: Reply) -> Reply:
        """Leaves the connection ready for the next letter, or closed."""
        self._reset(reply.code)
        return reply

    def _reset(self, code: int) -> None:
        smtp: smtplib.SMTP | None = getattr(self._local, "smtp", None)
        try:
            if smtp is not None and code != 421 and smtp.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self.close()


class _Plain(smtplib.SMTP):
    """smtplib's client over a connection of ours, which goes to checked addresses only."""

    allowed: Allowed = NOWHERE_ELSE

    def __init__(self, sender: Sender, timeouts: Timeouts, allowed: Allowed) -> None:
        self.allowed = allowed
        name = address(sender.address).domain
        super().__init__(sender.host, sender.port, name, timeout=timeouts.connect_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, timeout, self.allowed)


class _Tls(_Plain):
    """The same, encrypted from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(found, server_hostname=host)


def _open(sender: Sender, timeouts: Timeouts, allowed: Allowed) -> smtplib.SMTP:
    smtp = (_Tls if sender.tls == "implicit" else _Plain)(sender, timeouts, allowed)
    _socket(smtp).settimeout(timeouts.command_s)
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


def _socket(smtp: smtplib.SMTP) -> socket.socket:
    found = smtp.sock
    if found is None:
        raise smtplib.SMTPServerDisconnected("not connected")
    return found


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
