"""What is wrong with a document that says well what cannot work, asked before it is in force."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hark.definitions.shared import Layout, Snippet
from hark.definitions.types import Definition, Sender, Template
from hark.speak.parts import FORMS, parts_of, uses
from hark.speak.places import Allowed, BadPlaceError, all_reachable, place_of
from hark.speak.render import problem
from hark.speak.wire import Resolve, resolve_soon


class Checking(Struct, frozen=True):
    """Callable with a definition: templates must be readable, senders lead to where we may connect."""

    allowed: Allowed
    by: Resolve = resolve_soon

    def __call__(self, one: Definition, known: Sequence[Definition]) -> str | None:
        """What is wrong; None if nothing is. A layout or snippet is wrong where a template breaks by it."""
        if isinstance(one, Template):
            return problem(one, parts_of(known))
        if isinstance(one, Layout | Snippet):
            return _breaks(one, known)
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


def _breaks(one: Layout | Snippet, known: Sequence[Definition]) -> str | None:
    templates = {other.name: other for other in known if isinstance(other, Template)}
    parts = parts_of(known)
    for name, template in templates.items():
        if _may_use(template, one) and (found := problem(template, parts)):
            return f"template {name} would break: {found}"
    return None


def _may_use(template: Template, one: Layout | Snippet) -> bool:
    """Whether the template has this layout, or any snippet: those stand within others."""
    if isinstance(one, Layout):
        return template.layout == one.name or any(_may_use(x, one) for x in template.languages.values())
    return any(uses(getattr(template, form) or "") for form in FORMS) or bool(
        template.layout or template.languages
    )
