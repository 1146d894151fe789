"""Where pages get their data: the engine's state, the history, long questions, and collect's control door."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from django.conf import settings

from hark.clock import Clock
from hark.collect.readiness import Red, reds
from hark.collect.source_changes import Change
from hark.collect.sources import Made
from hark.errors import HarkError
from hark.loopback import Caller
from hark.model import JSON, Instant, Lane
from hark.questions import Answer, Progress, ask, begin, cancel, look
from hark.settings import read
from hark.speak.keyfile import open_keys
from hark.speak.links import Links
from hark.store.standing import Observer
from hark.store.state import StateReader, open_reader

if TYPE_CHECKING:
    from hark.history.reader import Snapshot

PATIENCE_S = 10.0
NAME_CHUNKS = 100
"""Latest ticks in which event names are looked for."""


class Source:
    """One data directory, as the console reads it. Shared by all threads."""

    def __init__(self, data: Path, clock: Clock, url: str) -> None:
        self.data, self.clock, self.url = data, clock, url
        self.state: StateReader = open_reader(data)

    def now(self) -> Instant:
        return self.clock.now()

    def snapshot(self, only: int | None = None) -> Snapshot:
        """The history as it stands now; with `only`, of one subject alone."""
        # Late: the history's libraries are heavy, and the sign-in page must not wait for them.
        from hark.history.reader import open_snapshot

        return open_snapshot(self.data, self.state, only=only)

    def reds(self) -> tuple[Red, ...]:
        """What is wrong with the server now. An engine that was never heard of is only just starting."""
        with closing(Observer(self.data)) as observer:
            standing = observer.look()
        watched_s = math.inf if standing.vitals else 0.0
        return tuple(reds(standing, read(self.data), self.now(), watched_s))

    def ask(self, question: JSON) -> JSON:
        """A long question, answered by the questions process where one runs (`hark.questions`)."""
        return ask(self.data, question, self.clock)

    def begin(self, question: JSON, patience_s: float = 0.0) -> Answer | Progress:
        """The same, waiting no longer than `patience_s` where the process runs: `look` again by its id."""
        return begin(self.data, question, self.clock, patience_s)

    def answer_or_progress(self, question: JSON, patience_s: float) -> JSON | Progress:
        """The answer within `patience_s`, else how far it is; with `math.inf` always the answer."""
        if patience_s == math.inf:
            return self.ask(question)
        found = self.begin(question, patience_s)
        return found.answer if isinstance(found, Answer) else found

    def look(self, id: str, patience_s: float = 0.0) -> Answer | Progress:
        """The answer to a question that was begun, or how far it is. Raises HarkError `question.gone`."""
        return look(self.data, id, patience_s)

    def cancel(self, id: str) -> None:
        """End a question."""
        cancel(self.data, id)

    def names(self) -> tuple[str, ...]:
        """Event names of customers' latest events, the most frequent first, to choose from."""
        from hark.history import columns

        found: Counter[str] = Counter()
        for chunk in self.state.newest(NAME_CHUNKS):
            rows = columns.table(chunk)
            found.update(rows.filter(rows["active"])["name"].to_pylist())
        return tuple(name for name, _ in found.most_common())

    @cached_property
    def links(self) -> Links:
        return Links(self.url, open_keys(self.data))

    def consent(self, *bodies: JSON) -> None:
        """Append consents to the urgent lane; all are on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.URGENT), "kind": "consent", "source": "hark"}
        self._control("/control/append", {"rows": [row | {"body": body} for body in bodies]})

    def responses(self, bodies: list[JSON]) -> None:
        """Append what became of messages; it is on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.LIVE), "kind": "response", "source": "hark"}
        self._control("/control/append", {"rows": [row | {"body": body} for body in bodies]})

    def receipts(self, bodies: list[JSON]) -> None:
        """Append what providers reported of messages to the urgent lane, as `consent` does."""
        row = {"lane": int(Lane.URGENT), "kind": "receipt", "source": "hark"}
        self._control("/control/append", {"rows": [row | {"body": body} for body in bodies]})

    def ended(self, response: JSON, receipt: JSON) -> None:
        """Append what came of a task, and that it is over: both or neither, on disk when this returns."""
        rows = [
            {"lane": int(Lane.LIVE), "kind": "response", "source": "hark", "body": response},
            {"lane": int(Lane.URGENT), "kind": "receipt", "source": "hark", "body": receipt},
        ]
        self._control("/control/append", {"rows": rows})

    def message(self, source: str, body: JSON) -> None:
        """Append a message that a product asked for; on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.LIVE), "kind": "message", "source": source, "body": body}
        self._control("/control/append", {"rows": [row]})

    def track(self, source: str, body: JSON) -> None:
        """Append an event of a customer's; it is on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.LIVE), "kind": "track", "source": source, "body": body}
        self._control("/control/append", {"rows": [row]})

    def identify(self, body: JSON) -> None:
        """Append what is known of a customer; it is on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.LIVE), "kind": "identify", "source": "hark", "body": body}
        self._control("/control/append", {"rows": [row]})

    def command(self, body: JSON) -> None:
        """Append a command to the urgent lane; it is on disk when this returns, or HarkError is raised."""
        row = {"lane": int(Lane.URGENT), "kind": "command", "source": "hark", "body": body}
        self._control("/control/append", {"rows": [row]})

    def change_source(self, change: Change) -> Made:
        """Change a source, in force for its next request. Raises HarkError: refused, or no collector."""
        return msgspec.convert(self._control("/control/sources", msgspec.to_builtins(change)), Made)

    def _control(self, path: str, body: JSON) -> JSON:
        try:
            where = msgspec.json.decode((self.data / "run" / "serve.json").read_bytes())
            headers = {"Authorization": f"Bearer {where['token']}"}
            with Caller(where["url"], PATIENCE_S) as caller:
                status, answer = caller.ask("POST", path, msgspec.json.encode(body), headers)
        except OSError as error:
            raise HarkError(f"the collector did not answer: {error}", "try again", "collect.gone") from None
        if status != 200:
            raise _refusal(status, answer)
        return msgspec.json.decode(answer)


def _refusal(status: int, answer: bytes) -> HarkError:
    """What the collector said was wrong, under its own code."""
    try:
        said = msgspec.json.decode(answer)
        return HarkError(said["message"], id=said["code"])
    except (ValueError, KeyError, TypeError):
        return HarkError(f"the collector answered {status}", "try again", "collect.refused")


def source() -> Source:
    """The data directory this process serves."""
    found: Source = settings.HARK_SOURCE
    return found
