"""Previews and test sends over a data directory, for the commands and the console alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hark.definitions.parse import definition
from hark.definitions.types import Definition
from hark.errors import HarkError
from hark.model import JSON
from hark.speak.book import KINDS, Book
from hark.speak.contract import Envelope, Verdict
from hark.speak.deliver import Deliverer
from hark.speak.places import Allowed
from hark.speak.preview import NOWHERE, SAMPLE, About, Preview, preview, row
from hark.speak.render import Rendered

if TYPE_CHECKING:
    from hark.clock import Clock
    from hark.definitions.document import Document
    from hark.store.state import StateReader


def book_of(documents: Sequence[Document], drafts: Sequence[Definition] = ()) -> Book:
    """The definitions in force that rendering needs, and drafts in their place."""
    return Book.of((*(definition(one) for one in documents if one.kind in KINDS), *drafts))


def traits_of(state: StateReader, customer: str) -> dict[str, JSON]:
    """A customer's traits as templates see them; the sample's for "". Raises HarkError `customer.unknown`."""
    if not customer:
        return dict(SAMPLE)
    subject = state.find(customer)
    record = None if subject is None else state.record(subject)
    if record is None:
        raise HarkError(
            f"nobody is known as {customer}", "give a userId, an e-mail or #number", "customer.unknown"
        )
    return {name: one.value for name, one in record.traits.items()} | {"id": customer}


def shown(state: StateReader, template: str, about: About, clock: Clock) -> Preview:
    """The preview. Raises HarkError `template.unknown`."""
    return shown_of(template, book_of(state.documents()), about, clock)


def shown_of(template: str, book: Book, about: About, clock: Clock) -> Preview:
    """The same of a book that may hold drafts."""
    if template not in book.templates and template not in book.broken:
        known = ", ".join(sorted(book.templates)) or "there is none yet"
        raise HarkError(f"there is no template {template}", f"known: {known}", "template.unknown")
    return preview(template, book, about, clock.now())


def team_post(
    state: StateReader, allowed: Sequence[str], clock: Clock
) -> Callable[[Rendered, Envelope], Verdict]:
    """What hands one letter to the team over, by the mail senders in force."""
    deliverer = Deliverer(state.documents, NOWHERE, clock, secrets=os.environ, allowed=Allowed.of(allowed))
    return lambda said, envelope: deliverer.say("email", said, envelope)


def send_test(
    state: StateReader, template: str, about: About, to: str, allowed: Sequence[str], clock: Clock
) -> str:
    """Sends the message to an address of the team, with links that do nothing; what the provider said. It is
    in no history, and counts nowhere. Raises HarkError `template.unknown`, `test.failed`."""
    shown(state, template, about, clock)
    documents = state.documents()
    deliverer = Deliverer(lambda: documents, NOWHERE, clock, secrets=os.environ, allowed=Allowed.of(allowed))
    outcome = deliverer(row(template, book_of(documents), about, clock.now(), to))
    if outcome.state != "sent":
        hint = "nothing was written into any history"
        raise HarkError(f"the test was not sent: {outcome.detail or outcome.state}", hint, "test.failed")
    return outcome.detail
