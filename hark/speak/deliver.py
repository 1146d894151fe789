"""One message from the outbox to its outcome: compose, build, post, parse, report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hark.clock import Clock, moment
from hark.definitions.document import Document
from hark.definitions.types import Sender
from hark.model import JSON, Ended, Outcome
from hark.speak.attachments import Files
from hark.speak.book import Book, Shelf
from hark.speak.channels import CHANNELS
from hark.speak.compose import Composed, compose
from hark.speak.contract import (
    Answer,
    BadAddressError,
    Channel,
    Envelope,
    Job,
    Letter,
    Lost,
    Reply,
    Request,
    SetupError,
    Verdict,
)
from hark.speak.endings import Endings, Over, sign
from hark.speak.links import Links
from hark.speak.places import NOWHERE_ELSE, Allowed
from hark.speak.render import Rendered
from hark.speak.senders import Desk
from hark.speak.smtp import Conversation
from hark.speak.surveys import in_app
from hark.speak.wire import Timeouts, Wire
from hark.speak.words import language
from hark.store.contracts import OutboxRow

INWARD = frozenset({"task", "in_app"})
"""Channels of our own, by which nothing leaves: what the team does waits on the page Tasks, what customers
are told in the product waits in their inbox."""


def no_files(_message: str) -> Files:
    """Nothing goes with any message."""
    return ()


class Way:
    """The ways out for one sender."""

    def __init__(self, wire: Wire, conversation: Conversation) -> None:
        self.exchange: Callable[[Request], Answer | Lost] = wire.exchange
        self.hand_over: Callable[[Letter], Reply | Lost] = conversation.post


class Outward:
    """The ways out of all senders: one HTTP client, and for each an SMTP conversation."""

    def __init__(self, allowed: Allowed, timeouts: Timeouts | None) -> None:
        self._allowed, self._timeouts = allowed, timeouts
        self._wire = Wire(allowed, timeouts)
        self._ways: dict[Sender, Way] = {}
        self._lock = threading.Lock()

    def of(self, sender: Sender) -> Way:
        with self._lock:
            new = Way(self._wire, Conversation(sender, self._timeouts, self._allowed))
            return self._ways.setdefault(sender, new)


class Deliverer:
    """Called by the engine's threads with a row marked *sending*; answers with the next input."""

    def __init__(
        self,
        documents: Callable[[], Iterable[Document]],
        links: Links,
        clock: Clock,
        *,
        secrets: Mapping[str, str] | None = None,
        sender: Sender | None = None,
        timeouts: Timeouts | None = None,
        allowed: Allowed = NOWHERE_ELSE,
        files: Callable[[str], Files] = no_files,
        ended: Callable[[], Iterable[Ended]] = tuple,
    ) -> None:
        """`documents` gives those in force; `secrets` are the environment's variables; `sender` is used while
        none of the documents is one for its channel; `allowed` may be reached besides the open internet;
        `files` gives what goes with a message that says it has attachments, `ended` the endpoints that are
        known to be over."""
        self._files = files
        self._shelf = Shelf(documents, sender)
        self._links, self._clock, self._secrets = links, clock, secrets or {}
        self._ways = Outward(allowed, timeouts)
        self._desk = Desk()
        self._endings = Endings(ended)

    def __call__(self, row: OutboxRow) -> Outcome:
        """Tries once at each sender that certainly did not take it; never raises. What is known not to have
        left is *failed*, never *unknown*."""
        ended: list[Ended] = []
        verdict = self._deliver(row, ended)
        after_s = verdict.retry_after_s
        return Outcome(
            subject=row.subject,
            instant=self._clock.now(),
            message=row.message,
            state=verdict.state,
            detail=verdict.detail[:500],
            permanent=verdict.permanent,
            temporary=verdict.temporary,
            retry_after_us=None if after_s is None else int(after_s * 1_000_000),
            counted=verdict.counted,
            said=verdict.said,
            ended=tuple(ended),
        )

    def say(self, channel: str, said: Rendered, envelope: Envelope) -> Verdict:
        """A message to the team, which is in no outbox; tried as a row is."""
        senders = self._shelf.book().senders.get(channel, ())
        if not senders:
            detail = f"no sender for {channel}: apply a document of kind sender"
            return Verdict("failed", detail, temporary=True)
        over = self._endings.now()
        return self._by_turns(envelope.message, (said, envelope), senders, over, [])

    def _deliver(self, row: OutboxRow, ended: list[Ended]) -> Verdict:
        try:
            book = self._shelf.book()
            senders = named(row, book.senders.get(row.channel, ()))
            if not senders and row.channel not in INWARD:
                return _no_sender(row)
            over = self._endings.now()
            files = self._files(row.message) if row.content.get("attachments") else ()
            made = compose(row, book, self._links, self._clock.now(), files)
        except Exception as error:  # nothing has left yet, and what broke on our side may be mended
            return Verdict("failed", f"{type(error).__name__}: {error}", temporary=True)
        if isinstance(made, Verdict):
            return made
        if row.channel in INWARD:
            return kept(row, book, made)
        return self._by_turns(row.message, made, senders, over, ended)

    def _by_turns(
        self, message: str, made: Composed, senders: Sequence[Sender], over: Over, ended: list[Ended]
    ) -> Verdict:
        last: Verdict | None = None
        open_ = [one for one in senders if self._place(one) not in over]
        if not open_:
            return _all_over(senders[0].name, over[self._place(senders[0])])
        for sender in self._desk.ready(message, open_, self._seconds()):
            if isinstance(sender, Verdict):
                return last or sender
            last = self._by(sender, made)
            self._desk.heard(sender, last, self._seconds())
            if last.sender_gone:
                ended.append(self._gone(sender, last))
            if last.state != "failed" or not (last.temporary or last.ours):
                break
        assert last is not None
        return last

    def _place(self, sender: Sender) -> tuple[str, str]:
        return sender.name, sign(sender, self._secrets.get(sender.secret_env, ""))

    def _gone(self, sender: Sender, verdict: Verdict) -> Ended:
        found = Ended(*self._place(sender), self._clock.now(), verdict.detail[:300])
        self._endings.heard(found)
        return found

    def _seconds(self) -> float:
        return self._clock.now() / 1_000_000

    def _by(self, sender: Sender, made: Composed) -> Verdict:
        channel = CHANNELS[sender.provider]
        try:
            built = channel.build(Job(*made, sender, self._secret(sender)))
        except BadAddressError as error:
            return Verdict("failed", f"bad_address: {error}", permanent=True)
        except Exception as error:  # nothing has left
            return Verdict("failed", f"{type(error).__name__}: {error}", temporary=True, ours=True)
        return posted(channel, built, self._ways.of(sender))

    def _secret(self, sender: Sender) -> str:
        name = sender.secret_env
        if name and not self._secrets.get(name):
            raise SetupError(f"the environment variable {name!r} of sender {sender.name} is not set")
        return self._secrets[name] if name else ""


def posted(channel: Channel[Any, Any], built: Any, way: Way) -> Verdict:
    """Posts once and reads the answer. Never raises: whatever broke, it may have left."""
    try:
        answer = channel.post(built, way)
        return answer.verdict() if isinstance(answer, Lost) else channel.parse(answer)
    except Exception as error:
        return Verdict("unknown", f"{type(error).__name__}: {error}")


def kept(row: OutboxRow, book: Book, made: Composed) -> Verdict:
    """What stays with us: a task's words, or a message of somebody's inbox with all that shows it."""
    said = made[0]
    if row.channel == "task":
        return Verdict("sent", said.text.strip())
    template = book.templates.get(row.template)
    asks = template.survey if template else ""
    spoken = language(row.content.get("customer") or {})
    shown: JSON = {
        "title": said.subject,
        "text": said.text.strip(),
        "url": said.url,
        "action": said.action,
        "show": template.show if template else "inbox",
        "survey": in_app(book.surveys.get(asks), spoken),
    }
    return Verdict("sent", "in the inbox", said=shown)


def named(row: OutboxRow, senders: Sequence[Sender]) -> Sequence[Sender]:
    """The channel's senders, or only the one that the step names."""
    wanted = row.content.get("sender")
    return [sender for sender in senders if wanted in (None, "", sender.name)]


def _all_over(name: str, ended: Ended) -> Verdict:
    """Nothing was posted, and waiting would not help."""
    since = moment(ended.at).date().isoformat()
    detail = f"the endpoint of sender {name} is over since {since}: {ended.said}"
    return Verdict("failed", detail, ours=True)


def _no_sender(row: OutboxRow) -> Verdict:
    wanted = row.content.get("sender")
    which = f"sender {wanted!r}" if wanted else "sender"
    detail = f"no {which} for {row.channel}: apply a document of kind sender"
    return Verdict("failed", detail, temporary=True)
