"""What is wrong with a document that says well what cannot work, asked before it is in force."""

from __future__ import annotations

from msgspec import Struct

from hark.definitions.types import Definition, Sender, Template
from hark.speak.places import Allowed, BadPlaceError, all_reachable, place_of
from hark.speak.render import problem
from hark.speak.wire import Resolve, resolve


class Checking(Struct, frozen=True):
    """Callable with a definition: templates must be readable, senders lead to where we may connect."""

    allowed: Allowed
    by: Resolve = resolve

    def __call__(self, one: Definition) -> str | None:
        """What is wrong; None if nothing is."""
        if isinstance(one, Template):
            return problem(one)
        return self._sender(one) if isinstance(one, Sender) else None

    def _sender(self, sender: Sender) -> str | None:
        """A name that nobody can resolve now is let pass: it is asked again at each connection."""
        try:
            host, port = self._place(sender)
            if host:
                all_reachable(host, self.by(host, port), self.allowed)
        except BadPlaceError as error:
            return str(error)
        except OSError:
            pass
        return None

    def _place(self, sender: Sender) -> tuple[str, int]:
        """Host and port; "" where only the environment says."""
        if sender.url:
            place = place_of(sender.url, self.allowed)
            return place.host, place.port
        if sender.provider != "smtp":
            return "", 0
        self.allowed.refuse_literal(sender.host)
        return sender.host, sender.port
