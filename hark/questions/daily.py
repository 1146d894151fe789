"""What a running server does once a day by itself: the next batch of campaigns that learn, the tables of how
long people take from one event to another, the grades of events, and what follows from several histories (who
brought friends)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from hark.clock import moment
from hark.collect.derived import DerivedName
from hark.definitions.document import Document
from hark.errors import HarkError
from hark.model import JSON, Instant
from hark.questions import ask

if TYPE_CHECKING:
    from hark.app import Workspace

EVERY_S = 300.0
"""How often it is looked whether the day's work is due."""
HOUR = 3
"""From this hour of the workspace's day on it is."""

_log = logging.getLogger("hark.questions")


def next_batch(workspace: Workspace) -> Mapping[str, Any]:
    """Puts the next batch of each campaign with `allocation: learn` into force: {campaign: what was learned}.

    A campaign of which no window is complete keeps its shares. Raises HarkError, as asking and commands do.
    """
    found: Mapping[str, Any] = ask(workspace.data, {"allocation": {}}, workspace.clock)
    documents = [_document(name, one) for name, one in found.items() if sum(one["complete"].values())]
    if documents:
        workspace.command({"name": "define", "documents": documents, "author": "hark", "note": "learned"})
    return found


def _document(name: str, one: Mapping[str, Any]) -> JSON:
    body = {"allocation": name, "of": one["version"], "shares": one["shares"]}
    return {"kind": "allocation", "name": name, "body": body}


def keep_paces(workspace: Workspace) -> Sequence[JSON]:
    """Puts today's table of every passage that a definition asks about into force: [{"says", "body"}]."""
    found: Sequence[JSON] = ask(workspace.data, {"paces": {}}, workspace.clock)
    documents = [{"kind": "pace", "name": one["body"]["pace"], "body": one["body"]} for one in found]
    if documents:
        workspace.command({"name": "define", "documents": documents, "author": "hark", "note": "of the day"})
    return found


def tell_referrals(workspace: Workspace) -> Sequence[JSON]:
    """Writes `Referral Joined` and `Referral Stayed` into the histories of referrers, each once."""
    found: Sequence[JSON] = ask(workspace.data, {"referrals": {}}, workspace.clock)
    workspace.derive(found)
    return found


def tell_estimates(workspace: Workspace) -> Mapping[str, Any]:
    """Tells histories what the models say of their customers, where that has changed: {trait: the answer}."""
    found: Mapping[str, Any] = ask(workspace.data, {"estimates": {}}, workspace.clock)
    now = workspace.clock.now()
    workspace.derive([_estimated(name, now, *one) for name in found for one in found[name]["told"]])
    return found


def _estimated(trait: str, now: Instant, subject: int, value: float) -> JSON:
    properties = {"trait": trait, "value": value}
    return {"name": DerivedName.ESTIMATED.value, "subject": subject, "at": now, "properties": properties}


def keep_effects(workspace: Workspace) -> Mapping[str, Any]:
    """Puts what each campaign was found to change into force: {campaign: what was learned}."""
    found: Mapping[str, Any] = ask(workspace.data, {"effects": {}}, workspace.clock)
    bodies = [
        {"effect": name, "of": one["of"], "mean": one["mean"], "spread": one["spread"]}
        for name, one in found.items()
    ]
    documents = [{"kind": "effect", "name": one["effect"], "body": one} for one in bodies]
    if documents:
        workspace.command({"name": "define", "documents": documents, "author": "hark", "note": "learned"})
    return found


def keep_grades(workspace: Workspace) -> JSON:
    """Puts today's grades of events into force: the document's body, or None where none can be judged yet."""
    body: JSON = ask(workspace.data, {"grades": {}}, workspace.clock)
    if body:
        document = {"kind": "signals", "name": body["signals"], "body": body}
        note = {"author": "hark", "note": "of the day"}
        workspace.command({"name": "define", "documents": [document], **note})
    return body


class Work(NamedTuple):
    """One thing that is done every day."""

    kind: str
    """Of the documents that it writes; if it writes none, a name of its own."""
    due: Callable[[Sequence[Document], str], bool]
    """Whether a definition in force (in the workspace's zone) asks for it."""
    do: Callable[[Workspace], object]


def _learns(documents: Sequence[Document], _zone: str) -> bool:
    return any(one.kind == "campaign" and one.body.get("allocation") == "learn" for one in documents)


def _compares(documents: Sequence[Document], zone: str) -> bool:
    # Late: what reads definitions takes a while to load, which `hark allocate` need not wait for.
    from hark.questions.pace import passages

    return bool(passages(documents, zone))


def _estimates(documents: Sequence[Document], _zone: str) -> bool:
    return any(
        one.kind == "computed" and bool({"worth", "subscription"} & one.body.keys()) for one in documents
    )


def _always(_documents: Sequence[Document], _zone: str) -> bool:
    return True


def _competes(documents: Sequence[Document], _zone: str) -> bool:
    """Whether there are several campaigns which leave some people alone, so that one may outrank another."""
    campaigns = [one.body for one in documents if one.kind == "campaign"]
    return len([one for one in campaigns if "goal" in one and one.get("control") != "none"]) > 1


WORKS = (
    Work("allocation", _learns, next_batch),
    Work("effect", _competes, keep_effects),
    Work("pace", _compares, keep_paces),
    Work("referrals", _always, tell_referrals),
    Work("signals", _always, keep_grades),
    Work("estimates", _estimates, tell_estimates),
)


class Daily:
    """Does each work on each day of the workspace's zone; one done by hand on that day is as good."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._done: dict[str, str] = {}
        """By kind, the day on which this process has done it."""

    def run(self, stop: threading.Event) -> None:
        """Go on until stopped. What cannot be done now is tried again."""
        while not stop.wait(EVERY_S):
            try:
                self.once()
            except HarkError as error:
                _log.warning("the day's work is not done yet: %s", error)

    def once(self) -> bool:
        """Whether anything was done now."""
        documents = self._workspace.state().documents()
        done = [self._one(work, documents) for work in WORKS]
        return any(done)

    def _one(self, work: Work, documents: Sequence[Document]) -> bool:
        today = self._day(self._workspace.clock.now())
        last = max((self._day(one.applied_at) for one in documents if one.kind == work.kind), default="")
        if not today or today <= max(last, self._done.get(work.kind, "")):
            return False
        if not work.due(documents, self._workspace.settings.zone):
            return False
        found = work.do(self._workspace)
        self._done[work.kind] = today
        return bool(found)

    def _day(self, at: Instant) -> str:
        """The day of an instant, "" in its first hours."""
        local = moment(at).astimezone(ZoneInfo(self._workspace.settings.zone))
        return f"{local:%Y-%m-%d}" if local.hour >= HOUR else ""
