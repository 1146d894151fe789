"""The definitions in force, as the engine's plan; new versions by the `define` command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from hark.decide.plan import Plan
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.plan import as_kept, as_worded
from hark.definitions.rewrite import rewritten, says
from hark.definitions.types import Definition, Sender
from hark.errors import HarkError
from hark.model import JSON, Instant

DEFAULT_RATE_PER_S = 50.0


class Written(Struct, frozen=True):
    """A definition as somebody wrote it, not numbered yet."""

    kind: str
    name: str
    body: JSON
    text: str = ""
    """The YAML that somebody wrote, if that is known."""


class Definitions:
    """Every version of every document, and the plan of the newest."""

    def __init__(self, documents: Iterable[Document], zone: str = "UTC") -> None:
        """`documents` are all versions, in any order."""
        self._zone = zone
        self.new: list[Document] = []
        """Defined since the last commit."""
        self._versions: dict[tuple[str, str], list[Document]] = {}
        for document in sorted(documents, key=lambda one: one.version):
            self._versions.setdefault((document.kind, document.name), []).append(document)
        self.plan = self._compile()
        self.rate_per_s = self._rate()
        """The pace of the sender in use."""

    def define(self, written: Sequence[Written], author: str, note: str, at: Instant) -> list[Document]:
        """Takes these as the newest versions, all or none; gives those that differ from what was in force.

        Raises HarkError (from `definition`) if one is wrong; then nothing has changed.
        """
        new = [
            Document(one.kind, one.name, self._next(one), one.body, author, note, at, self._text(one))
            for one in written
            if self._differs(one)
        ]
        for document in new:
            definition(document, self._zone)
        before = {key: list(versions) for key, versions in self._versions.items()}
        for document in new:
            self._versions.setdefault((document.kind, document.name), []).append(document)
        try:
            self.plan = self._compile()
        except Exception as error:
            self._versions = before
            raise HarkError(
                f"the definitions don't fit together: {error}", id="definition.refused"
            ) from error
        self.rate_per_s = self._rate()
        self.new += new + self._reworded(written)
        return new

    def _text(self, one: Written) -> str:
        """As it was written; what nobody wrote by hand, such as a pause, keeps the words that stood there."""
        versions = self._versions.get((one.kind, one.name))
        if one.text and says(one.text, one.body):
            return one.text
        return rewritten(versions[-1].text, one.body) if versions and versions[-1].text else ""

    def _reworded(self, written: Sequence[Written]) -> list[Document]:
        """Versions in force that now have other words: the text is no part of what a version means."""
        found = []
        for one in written:
            versions = self._versions[one.kind, one.name]
            text = as_worded(versions[-1].body, one.body, one.text)
            if text != versions[-1].text and says(text, versions[-1].body):
                versions[-1] = replace(versions[-1], text=text)
                found.append(versions[-1])
        return found

    def newest(self) -> list[Document]:
        """What is in force, by kind and name: what an input sets off comes in the same order in every engine,
        whenever it was started."""
        return [versions[-1] for _, versions in sorted(self._versions.items())]

    def definitions(self) -> list[Definition]:
        """What is in force, typed."""
        return [definition(document, self._zone) for document in self.newest()]

    def _rate(self) -> float:
        """What all senders take together; how much each of them takes is the deliverer's to keep."""
        rates = [one.rate_per_s for one in self.definitions() if isinstance(one, Sender)]
        return sum(rates) if rates else DEFAULT_RATE_PER_S

    def _compile(self) -> Plan:
        older = [old for versions in self._versions.values() for old in versions[:-1]]
        return Plan.compile(self.newest(), older, self._zone)

    def _differs(self, one: Written) -> bool:
        versions = self._versions.get((one.kind, one.name))
        return not versions or versions[-1].body != as_kept(versions[-1].body, one.body)

    def _next(self, one: Written) -> int:
        versions = self._versions.get((one.kind, one.name))
        return versions[-1].version + 1 if versions else 1
