"""A mail server on loopback that keeps what it gets, for the demo and for tests; it misbehaves on command."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Literal, TypeAlias

from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import Struct

from hark.definitions.types import Sender

Verb: TypeAlias = Literal["CONNECT", "MAIL", "RCPT", "DATA"]


class Caught(Struct, frozen=True):
    """A message as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes

    def message(self) -> EmailMessage:
        return BytesParser(policy=default).parsebytes(self.data)

    @property
    def message_id(self) -> str:
        return str(self.message()["Message-ID"])


class Misbehaviour(Struct, frozen=True):
    """What goes wrong at a verb. At DATA the message has arrived whole, and `keep` says if it counts."""

    verb: Verb
    reply: str | None = None
    """The answer instead of the usual one, for example "451 4.3.0 try later"."""
    cut: bool = False
    """The connection is cut without an answer."""
    slow_s: float = 0
    """Seconds before answering (or cutting)."""
    recipient: str | None = None
    """Only for this recipient (at CONNECT and MAIL it is not known yet: None)."""
    keep: bool = True


class Catcher:
    """`with Catcher() as catcher:` listens on 127.0.0.1; `caught` grows, in order of arrival."""

    def __init__(self, on_message: Callable[[Caught], None] | None = None) -> None:
        self.caught: list[Caught] = []
        self.connections = 0
        self.port = 0
        self._on_message = on_message
        self._rules: list[Misbehaviour] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="catcher", daemon=True)

    def start(self) -> Catcher:
        listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = listening.getsockname()[1]
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(listening), self._loop).result()
        return self

    def stop(self) -> None:
        """Closes the port and every connection, and ends the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Catcher:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def sender(self, name: str = "catcher", address: str = "Hark <hark@hark.example>") -> Sender:
        """The definition of a sender whose server is this catcher."""
        return Sender(name=name, address=address, host="127.0.0.1", port=self.port)

    def misbehave(self, *rules: Misbehaviour) -> None:
        """From now on the first rule that fits each command applies; without rules all is well."""
        self._rules = list(rules)

    def hang_up(self) -> None:
        """Closes every open connection, as servers do with idle ones; the port stays open."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()

    async def _hang_up(self) -> None:
        conversations = asyncio.all_tasks() - {asyncio.current_task()}
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    async def _serve(self, listening: socket.socket) -> None:
        self._server = await self._loop.create_server(self._protocol, sock=listening)

    def _protocol(self) -> SMTP:
        self.connections += 1
        return _Conversation(
            _Handler(self), hostname="catcher.example", enable_SMTPUTF8=True, loop=self._loop
        )

    async def _end(self) -> None:
        self._server.close()
        await self._hang_up()

    def rule(self, verb: Verb, recipient: str | None = None) -> Misbehaviour | None:
        fitting = (r for r in self._rules if r.verb == verb and r.recipient in (None, recipient))
        return next(fitting, None)

    def keep(self, caught: Caught) -> None:
        self.caught.append(caught)
        if self._on_message is not None:
            self._on_message(caught)


class _Conversation(SMTP):
    """aiosmtpd's protocol, which can be refused before the first word."""

    event_handler: _Handler

    async def _handle_client(self) -> None:
        rule = self.event_handler.catcher.rule("CONNECT")
        if rule is None:
            await super()._handle_client()
            return
        answer = await _misbehave(rule, self)
        if answer is not None:
            await self.push(answer)
        self.transport.close()


class _Handler:
    """The hooks aiosmtpd calls, by its names."""

    def __init__(self, catcher: Catcher) -> None:
        self.catcher = catcher

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer("MAIL", None, server)
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = await self._answer("RCPT", address, server)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        rule = self.catcher.rule("DATA", envelope.rcpt_tos[0])
        if rule is None or rule.keep:
            content = envelope.original_content or b""
            self.catcher.keep(Caught(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        answer = await _misbehave(rule, server) if rule else None
        return answer or "250 2.0.0 kept"

    async def _answer(self, verb: Verb, recipient: str | None, server: SMTP) -> str | None:
        rule = self.catcher.rule(verb, recipient)
        return await _misbehave(rule, server) if rule else None


async def _misbehave(rule: Misbehaviour, server: SMTP) -> str | None:
    await asyncio.sleep(rule.slow_s)
    if rule.cut and server.transport is not None:
        server.transport.abort()
    return rule.reply
