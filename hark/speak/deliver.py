"""One message from the outbox to its outcome: render, build, post, report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from hark.clock import Clock, moment
from hark.definitions.mapping import Source
from hark.definitions.parse import definition
from hark.definitions.types import Definition, Document, Policy, Sender, Template, Topic
from hark.model import JSON, Instant, Outcome
from hark.speak.confirm import CONFIRM
from hark.speak.email import BadAddressError, Letter, address, letter
from hark.speak.footer import WayOut, with_way_out
from hark.speak.links import Confirm, Links, Preferences, Report, Unsubscribe
from hark.speak.render import Withheld, render
from hark.speak.tracking import tracked
from hark.speak.wire import Timeouts, Verdict, Wire
from hark.speak.words import language
from hark.store.contracts import OutboxRow

NO_SENDER = Verdict("failed", "no sender for email: apply a document of kind sender", temporary=True)
KINDS = frozenset({"sender", "template", "topic", "source", "policy"})


class Book(Struct, frozen=True):
    """The definitions a deliverer needs, in force at one moment."""

    sender: Sender | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    tracking: Policy = Policy("tracking")
    links: Mapping[str, str] = field(default_factory=dict)
    """Links to places elsewhere, by name: the source whose document has them."""

    @staticmethod
    def of(definitions: Iterable[Definition]) -> Book:
        """The book of these definitions; of several senders for e-mail the first by name."""
        given = list(definitions)
        senders = sorted((d for d in given if isinstance(d, Sender)), key=lambda sender: sender.name)
        return Book(
            next(iter(senders), None),
            {d.name: d for d in given if isinstance(d, Template)},
            {d.name: d for d in given if isinstance(d, Topic)},
            next((d for d in given if isinstance(d, Policy) and d.name == "tracking"), Policy("tracking")),
            {name: d.name for d in given if isinstance(d, Source) for name in d.links},
        )


class Shelf:
    """The book of the documents in force, read anew only when one of them has a new version."""

    def __init__(self, documents: Callable[[], Iterable[Document]], sender: Sender | None = None) -> None:
        self._documents, self._sender = documents, sender
        self._last: tuple[frozenset[tuple[str, str, int]], Book] = (frozenset(), Book(sender))

    def book(self) -> Book:
        """Raises DefinitionError for a stored document that is none any more."""
        ours = [document for document in self._documents() if document.kind in KINDS]
        versions = frozenset((document.kind, document.name, document.version) for document in ours)
        known, book = self._last
        if versions != known:
            book = Book.of(map(definition, ours))
            book = replace(book, sender=book.sender or self._sender)
            self._last = versions, book
        return book


class Deliverer:
    """Called by the engine's threads with a row marked *sending*; answers with the next input."""

    def __init__(
        self,
        documents: Callable[[], Iterable[Document]],
        links: Links,
        clock: Clock,
        *,
        sender: Sender | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`documents` gives those in force; `sender` is used while none of them is a sender (the demo's)."""
        self._shelf = Shelf(documents, sender)
        self._links, self._clock, self._timeouts = links, clock, timeouts
        self._wires: dict[Sender, Wire] = {}
        self._lock = threading.Lock()

    def __call__(self, row: OutboxRow) -> Outcome:
        """Tries once; never raises. What is known not to have left is *failed*, never *unknown*."""
        verdict = self._deliver(row)
        return Outcome(
            subject=row.subject,
            instant=self._clock.now(),
            message=row.message,
            state=verdict.state,
            detail=verdict.detail[:500],
            permanent=verdict.permanent,
            temporary=verdict.temporary,
        )

    def _deliver(self, row: OutboxRow) -> Verdict:
        try:
            book = self._shelf.book()
            if book.sender is None:
                return NO_SENDER
            made = compose(row, book, self._links, self._clock.now())
        except Exception as error:  # nothing has left yet, and what broke on our side may be mended
            return Verdict("failed", f"{type(error).__name__}: {error}", temporary=True)
        return made if isinstance(made, Verdict) else self._post(book.sender, made)

    def _post(self, sender: Sender, made: Letter) -> Verdict:
        try:
            return self._wire(sender).post(made)
        except Exception as error:  # it may have left: saying so is the only safe answer
            return Verdict("unknown", f"{type(error).__name__}: {error}")

    def _wire(self, sender: Sender) -> Wire:
        with self._lock:
            return self._wires.setdefault(sender, Wire(sender, self._timeouts))


def compose(row: OutboxRow, book: Book, links: Links, at: Instant) -> Letter | Verdict:
    """The letter of a row, or why there is none (always *failed*, with the reason's name first)."""
    template = CONFIRM if row.template == CONFIRM.name else book.templates.get(row.template)
    if template is None or book.sender is None:
        return Verdict("failed", f"no_template: there is no template {row.template!r}")
    try:
        target = address(str(row.content.get("to") or ""))
    except BadAddressError as error:
        return Verdict("failed", f"bad_address: {error}", permanent=True)
    content = render(template, template_data(row, book, links, at))
    if isinstance(content, Withheld):
        return Verdict("failed", f"{content.reason}: {content.detail}")
    out, source = _unsubscribe(row, links), address(book.sender.address)
    said = with_way_out(content, WayOut(out, _preferences(row, links), _language(row)) if out else None)
    if not row.content.get("transactional"):
        about = book.tracking
        said = tracked(said, links, row.subject, row.message, opens=about.opens, clicks=about.clicks)
    return letter(said, message=row.message, source=source, target=target, at=at, unsubscribe=out)


def template_data(row: OutboxRow, book: Book, links: Links, at: Instant) -> dict[str, JSON]:
    """What a template may read: customer, event, events, data, campaign, topic, links, now."""
    content = row.content
    topic = content.get("topic")
    says = book.topics[topic].words(_language(row)) if topic in book.topics else None
    return {
        "customer": content.get("customer") or {},
        "event": content.get("event") or {},
        "events": content.get("events") or [],
        "data": content.get("data") or {},
        "campaign": {"name": row.campaign, "version": content.get("version"), "arm": content.get("arm")},
        "topic": {"name": topic, "says": says},
        "links": {
            **_elsewhere(row, book, links),
            "unsubscribe": _unsubscribe(row, links),
            "preferences": _preferences(row, links),
            "confirm": _confirm(row, links),
        },
        "now": moment(at).isoformat(),
    }


def _elsewhere(row: OutboxRow, book: Book, links: Links) -> dict[str, JSON]:
    """By name, the links at which people may tell us what they did in a place elsewhere."""
    return {name: links.url(Report(row.subject, one, name, row.message)) for name, one in book.links.items()}


def _unsubscribe(row: OutboxRow, links: Links) -> str | None:
    """None for what a person's own action called for: transactional messages and the confirmation."""
    topic = row.content.get("topic")
    if not topic or row.content.get("transactional") or row.template == CONFIRM.name:
        return None
    return links.url(Unsubscribe(row.subject, topic, row.channel, row.message))


def _preferences(row: OutboxRow, links: Links) -> str:
    return links.url(Preferences(row.subject, row.channel, row.message))


def _language(row: OutboxRow) -> str:
    return language(row.content.get("customer") or {})


def _confirm(row: OutboxRow, links: Links) -> str | None:
    if row.template != CONFIRM.name:
        return None
    return links.url(Confirm(row.subject, str(row.content.get("topic") or ""), row.channel, row.message))
