"""What a channel is: build, post, parse; only the middle touches the network (docs/adding-a-channel.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar

from msgspec import Struct, field

from hark.definitions.types import Sender
from hark.model import JSON, Instant
from hark.speak.attachments import Files
from hark.speak.render import Rendered

State: TypeAlias = Literal["sent", "failed", "unknown"]
Built = TypeVar("Built")
Answered = TypeVar("Answered")


class Verdict(Struct, frozen=True):
    """What became of one message."""

    state: State
    detail: str = ""
    temporary: bool = False
    """failed, certainly not accepted, and worth another try."""
    permanent: bool = False
    """failed, and the address does not exist: never write to it again."""
    retry_after_s: float | None = None
    """temporary: no sooner than this."""
    sender_gone: bool = False
    """The endpoint says that it is over (410): nothing goes there until its URL changes, or somebody opens it
    again."""
    counted: bool = True
    """It stands for an attempt; not, where the message only waits for its place at the sender's rate."""
    ours: bool = False
    """failed because of us or our account (key, set-up, network), which says nothing of the address."""
    said: JSON = None
    """sent, and the words are kept by nobody but us."""


class Envelope(Struct, frozen=True):
    """To whom one message goes, and under which name."""

    message: str
    """Our id of the message: the same on every attempt."""
    to: str
    """The address by this channel: mail address, E.164 number, device token; "" where the sender has it."""
    at: Instant
    unsubscribe: str | None = None
    """The one-click URL of what may be left."""
    expires_at: Instant | None = None
    files: Files = ()
    """What goes with a letter."""
    reply_token: str = ""
    """The letter's own part of a reply address (`reply_address`)."""
    base: str = ""
    """Our public address, for providers that are told with each message where to report; "" where none
    of them could reach it."""


class Job(Struct, frozen=True):
    """All that a request is built from."""

    said: Rendered
    envelope: Envelope
    sender: Sender
    secret: str = ""
    """The value of the sender's `secret_env`."""


class Request(Struct, frozen=True):
    """One HTTP request."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    http2: bool = False
    """The server speaks HTTP/2 alone."""


class Answer(Struct, frozen=True):
    """What an HTTP server answered; names of headers are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def words(self) -> str:
        """The status and the beginning of the answer, for people."""
        return f"{self.status} {self.body[:300].decode('utf-8', 'replace')}".strip()

    def retry_after_s(self) -> float | None:
        """Retry-After in seconds, at most a day (RFC 9110, 10.2.3; providers write no dates)."""
        text = self.headers.get("retry-after", "")
        return min(float(text), 86_400.0) if text.isascii() and text.isdigit() else None


class Letter(Struct, frozen=True):
    """What SMTP needs: the envelope and the message."""

    sender: str
    recipient: str
    message_id: str
    data: bytes


class Reply(Struct, frozen=True):
    """The answer that ended an SMTP conversation: to MAIL, RCPT, DATA, or to the whole "message"."""

    verb: str
    code: int
    text: str


class Lost(Struct, frozen=True):
    """No answer. `said`: some of the request had been handed to the network, so it may have been accepted."""

    detail: str
    said: bool
    refused: bool = False
    """We did not connect at all: the place is none that may be reached."""

    def verdict(self) -> Verdict:
        if self.said:
            return Verdict("unknown", f"no answer after the message was handed over: {self.detail}")
        return Verdict("failed", self.detail, temporary=not self.refused, ours=True)


class BadAddressError(ValueError):
    """The text is no address that a message could be sent to."""


class SetupError(ValueError):
    """The sender lacks something, for example the environment variable with its key."""


class Ways(Protocol):
    """The ways out for one sender, through `speak.wire`; they don't raise for what networks do."""

    def exchange(self, request: Request) -> Answer | Lost: ...

    def hand_over(self, letter: Letter) -> Reply | Lost: ...


class Channel(Generic[Built, Answered]):
    """One provider of one channel. Subclasses in `hark.speak.channels` are found by themselves."""

    provider: ClassVar[str]
    """As `provider:` of a sender document names it."""
    channel: ClassVar[str]
    example: ClassVar[str]
    """A sender document, for the docs and for the contract tests."""

    def build(self, job: Job) -> Built:
        """What is posted; pure. Raises BadAddressError, SetupError."""
        raise NotImplementedError

    def post(self, built: Built, ways: Ways) -> Answered | Lost:
        """Tries once."""
        raise NotImplementedError

    def parse(self, answer: Answered) -> Verdict:
        """What the provider's answer means; pure, and defined for every answer."""
        raise NotImplementedError


class HttpChannel(Channel[Request, Answer]):
    """A provider that is spoken to by one HTTP request for each message."""

    def post(self, built: Request, ways: Ways) -> Answer | Lost:
        return ways.exchange(built)


def by_status(answer: Answer, *, idempotent: bool) -> Verdict:
    """What a status means where the provider says nothing closer.

    2xx: sent. 408, 425, 429: certainly not processed. Other 5xx may come after the message was accepted, so
    they are *unknown* unless the receiver drops a repeated id (`idempotent`). 401 and 403 are our key's
    fault, the rest of 4xx the message's. Redirects are not followed.
    """
    words, status = answer.words(), answer.status
    if 200 <= status < 300:
        return Verdict("sent", words)
    if status in (408, 425, 429) or (status >= 500 and idempotent):
        return Verdict("failed", words, temporary=True, retry_after_s=answer.retry_after_s())
    if status >= 500:
        return Verdict("unknown", words)
    ours = status in (401, 402, 403, 404) or status < 400
    return Verdict("failed", words, temporary=ours, ours=ours)
