"""What the reference model keeps of people, and what it is told. No code of `hark` is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from tests.simulate.plainly import span

Doc: TypeAlias = dict[str, Any]
GROUPS = 1 << 40
"""Groups are numbered from here on."""


class Fact(NamedTuple):
    """What the engine must write: of its properties those that are stated."""

    subject: int
    name: str
    at: int
    says: Doc


class Moved(NamedTuple):
    """A report of a provider, or the answer to a call of it."""

    message: str
    state: str
    permanent: bool = False
    temporary: bool = False
    after: int = 0


@dataclass
class Row:
    """A row of the log as it was taken in; `instants`: when the engine folded its events that count."""

    seq: int
    received: int
    kind: str
    body: Doc
    instants: list[int] = field(default_factory=list)

    def place(self, member: int) -> int:
        """In the order of arrival, with room for the facts that follow (docs/architecture.md)."""
        return (self.seq << 12 | member) << 15


@dataclass
class Heard:
    """Something that happened."""

    at: int
    seq: int
    name: str
    says: Doc
    id: str = ""
    imported: bool = False


@dataclass(eq=False)
class Run:
    id: str
    campaign: str
    version: int
    doc: Doc
    key: str
    arm: str
    variant: str
    person: Person
    entered: tuple[int, int] = (0, 0)
    way: Iterator[tuple[int, Doc | None]] | None = None
    wakes: int | None = None
    until: Doc | None = None
    since: tuple[int, int] = (0, 0)
    over: str = ""
    goal_at: int | None = None
    judged: dict[int, int] = field(default_factory=dict)
    """By place of the goal, when it is to be judged."""
    also: set[int] = field(default_factory=set)
    """What was reached beside the goal."""
    round: int = 0

    @property
    def window(self) -> int:
        """The last instant at which its goal counts."""
        return self.entered[0] + span(self.doc["goal"]["within"])

    @property
    def about(self) -> Doc:
        return {"campaign": self.campaign, "version": self.version, "run": self.id, "arm": self.arm}


@dataclass(eq=False)
class Letter:
    """One message: `about` is what every fact says of it."""

    about: Doc
    run: Run
    wanted: int
    due: int
    expires: int | None
    number: int
    state: str = "wanted"
    sent_at: int | None = None
    to: str = ""
    attempts: int = 0
    doubts: int = 0
    turn: int = 0
    """The tick in which anything came of it last."""
    reported: int = 0
    by: int = 0
    """Who got it, as they were numbered then, and when it was handed over last."""
    handed: int = 0

    @property
    def final(self) -> str:
        """Its state in the outbox: what was reported of it stands over what was answered."""
        return ("", "delivered", "bounced", "complained")[self.reported] or self.state

    @property
    def what(self) -> tuple[str, str]:
        return str(self.about["campaign"]), str(self.about["template"])

    @property
    def campaign(self) -> str:
        return str(self.about["campaign"])

    @property
    def message(self) -> str:
        return str(self.about["message"])

    @property
    def channel(self) -> str:
        return str(self.about["channel"])


class Start(NamedTuple):
    """That a campaign starts by time alone: the moment meant, and that at which it does."""

    nominal: int
    at: int
    late: bool = False


@dataclass
class Exposure:
    campaign: str
    version: int
    arm: str
    at: int
    seq: int
    run: str
    share: float
    propensity: float


@dataclass(eq=False)
class Person:
    number: int
    key: str
    into: int | None = None
    """Whom a merge made them."""
    now: int = 0
    seq: int = 0
    heard: list[Heard] = field(default_factory=list)
    traits: dict[str, tuple[int, int, Any]] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[int, int, str]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    inside: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    gone: list[Letter] = field(default_factory=list)
    """Those that were ever handed off."""
    entries: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)
    """When last, and whether a refusal to enter again was written since."""
    exposures: list[Exposure] = field(default_factory=list)
    left_alone: tuple[int, bool] | None = None
    """In which period the global control was drawn, and how."""
    programmes: dict[str, tuple[int, str, float]] = field(default_factory=dict)
    """When, which arm, by which share."""
    starts: dict[str, Start] = field(default_factory=dict)
    balance: tuple[float, int] | None = None
    """Of attention, and as of when."""
    unanswered: list[int] = field(default_factory=list)
    """When messages went that nothing was done after yet."""

    @property
    def is_group(self) -> bool:
        return self.number > GROUPS

    def trait(self, name: str) -> Any:
        return self.traits[name][2] if name in self.traits else None

    def address(self, channel: str) -> str:
        return str(self.trait({"email": "email", "sms": "phone"}[channel]) or "")
