"""The nouns: what an event, an input, a fact and a customer's record are.

Instants are whole microseconds since 1970-01-01 UTC (`Instant`); spans of time are microseconds too
and their names end in `_us`. A text without a zone never becomes an instant (`clock.instant`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

from msgspec import Struct, field

from hark.facts import (
    CAMPAIGN_TRIGGERED,
    GROUP_MESSAGE,
    GROUP_TRAITS,
    ConsentName,
    FactName,
    ResponseName,
)

__all__ = (
    "CAMPAIGN_TRIGGERED",
    "GROUP_MESSAGE",
    "GROUP_TRAITS",
    "ConsentName",
    "FactName",
    "ResponseName",
)
"""Of `facts`: imported from here like all other nouns."""

Instant: TypeAlias = int
JSON: TypeAlias = Any

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

GROUPS = 1 << 40
"""Subjects from this number on are groups; those before it are customers."""

ROW_BITS, MEMBER_BITS, ORDINAL_BITS = 36, 12, 15


def sequence(row: int, member: int, ordinal: int = 0) -> int:
    """The place of an event in the order of arrival: (log row, member of the row, ordinal of the fact)."""
    return (row << (MEMBER_BITS + ORDINAL_BITS)) | (member << ORDINAL_BITS) | ordinal


def row_of(seq: int) -> int:
    """The log row of what stands at this place."""
    return seq >> (MEMBER_BITS + ORDINAL_BITS)


class Lane(IntEnum):
    """Which queue of the log a row waits in; a tick takes urgent first, bulk last."""

    URGENT = 0
    LIVE = 1
    BULK = 2


class Kind(IntEnum):
    """What sort of call an event came by; FACT is what Hark wrote about its own doing."""

    TRACK = 0
    IDENTIFY = 1
    PAGE = 2
    SCREEN = 3
    GROUP = 4
    ALIAS = 5
    FACT = 8


class Event(Struct, frozen=True, gc=False):
    """One thing that happened to one subject. Totally ordered within a subject by (at, seq)."""

    subject: int
    at: Instant
    """When it happened."""
    seq: int
    """Order of arrival, comparable only within a subject (`sequence`)."""
    name: str
    """The tracked event's name; "Identify", "Page" ... for the other calls; a FactName for facts."""
    kind: int
    source: str
    message_id: str
    received_at: Instant
    known_at: Instant
    """When Hark could know it: received_at if collected, `at` if imported."""
    instant: Instant
    """The engine's moment at which it is folded; never goes back for one subject."""
    active: bool = True
    """False: no activity (facts, `context.active: false`)."""
    properties: bytes = b"{}"
    """A JSON object, undecoded; for identify calls the traits."""
    context: bytes = b"{}"

    @property
    def imported(self) -> bool:
        """Imported and back-filled events update history and state, and never start a run."""
        return self.known_at < self.received_at


class TimerDue(Struct, frozen=True):
    """The subject's earliest armed moment has come."""

    subject: int
    instant: Instant


class MessageDue(Struct, frozen=True):
    """A wanted message may be handed off now, if it still may be sent at all."""

    subject: int
    instant: Instant
    message: str
    copy: str = ""
    """The message by which somebody else with the same address has just been told the same."""
    exited: str = ""
    """Of a group's run: why its steps ended, where what it wanted is not worth sending any more."""


class Ended(Struct, frozen=True):
    """An endpoint answered that it is over: nothing goes there until its URL changes or somebody opens it."""

    sender: str
    place: str
    """A hash of its URL (`hark.speak.endings.sign`)."""
    at: Instant
    said: str = ""
    opened_at: Instant = 0
    """Since when messages may go there again; 0: they may not."""


class Outcome(Struct, frozen=True):
    """What a provider said of a message: sent, failed or unknown."""

    subject: int
    instant: Instant
    message: str
    state: str
    detail: str = ""
    permanent: bool = False
    """failed for good for this address (it becomes suppressed)."""
    temporary: bool = False
    """failed, certainly not accepted by the provider, and may be tried again."""
    retry_after_us: int | None = None
    """temporary: no sooner than so long from now, as the provider says or our own pace."""
    counted: bool = True
    """It stands for an attempt; not, where the message only waited for its place at a sender's rate."""
    said: JSON = None
    """sent, by a channel that is our own (in the app): the words, which nobody else keeps."""
    ended: tuple[Ended, ...] = ()
    """The senders' endpoints of which this attempt learned that they are over."""


class Command(Struct, frozen=True):
    """What the team or the engine tells one subject's state, for example `backfill` of summaries."""

    subject: int
    instant: Instant
    name: str
    data: JSON = None


class MergedInto(Struct, frozen=True):
    """This subject turned out to be `older`; its state is emitted and emptied."""

    subject: int
    instant: Instant
    older: int
    cause: str


class Handover(Struct, frozen=True):
    """The state of a merged younger subject arrives at the older one."""

    subject: int
    instant: Instant
    younger: int
    record: Record
    imported: bool = False
    """An import brought the two together, so nothing starts by it."""


Input: TypeAlias = Event | TimerDue | MessageDue | Outcome | Command | MergedInto | Handover


class Trait(Struct, array_like=True):
    """A trait's latest value by (at, seq)."""

    value: JSON
    at: Instant
    seq: int


class Consent(Struct, array_like=True, gc=False):
    """A customer's answer for one topic and channel: in, out or pending."""

    state: str
    at: Instant
    seq: int
    source: str
    """Where it was said: the source whose call it was, `hark` for a signed link."""
    wording: str = ""
    """What the customer was told or wrote when saying it."""


class Exposure(Struct, array_like=True, gc=False):
    """The first entry into one version's comparison: it decides the arm for good."""

    campaign: str
    version: int
    arm: str
    at: Instant
    seq: int
    run: str
    entries: int = 1
    last_at: Instant = 0
    share: float = 0.0
    """The control's share at the draw."""
    propensity: float = 1.0
    """The probability, at the draw, of getting this arm (among people outside the global control)."""
    batch: int = 0
    """The number of the learning allocation's table at the draw; 0: none."""


class ProgrammeArm(Struct, array_like=True, gc=False):
    """What was drawn for a programme when its subject first qualified for any of its campaigns."""

    arm: str
    """control or treated."""
    version: int
    at: Instant
    share: float
    """The control's at the draw."""


class Entry(Struct, array_like=True, gc=False):
    """The latest entry into a campaign under one key: what the re-entry rule asks for."""

    at: Instant
    told: bool = False
    """A refusal to enter again has been written since, once is enough."""


class Start(Struct, array_like=True, gc=False):
    """When a campaign starts next for a customer by time alone."""

    nominal: Instant
    """The moment that the definition names."""
    at: Instant
    """When it comes for this customer: the nominal moment, spread."""
    late: bool = False
    """It came too late, and is let in all the same."""


class Run(Struct, array_like=True, gc=False):
    """One customer's way through one campaign. `arm` is the arm; `shadow` walks it without sending."""

    id: str
    campaign: str
    version: int
    key: str
    occurrence: str
    arm: str
    variant: str
    shadow: bool
    entered_at: Instant
    entered_seq: int
    goal_until: Instant
    step: int = 0
    """Index of the step the run stands at, within the variant's steps."""
    wake_at: Instant | None = None
    finished: bool = False
    """The steps are over; the run only watches for its goal."""
    goal_at: Instant | None = None
    trigger: bytes = b"{}"
    """The properties of the event that started it, for templates."""
    since_at: Instant = 0
    since_seq: int = 0
    """The current wait began after this (at, seq)."""
    exited: str = ""
    """Why its steps ended: finished, goal, left_segment, merged, arm_conflict ...; empty while they go on."""
    round: int = 0
    """How often the trigger came again and the steps began anew."""
    gathered: list[bytes] = field(default_factory=list)
    """The properties of the triggers that came since, for templates; the latest ones."""
    judging: list[tuple[Instant, int]] = field(default_factory=list)
    """When which of its goals that are conditions will be judged (0: the goal, from 1 on those of `also`)."""
    also_met: list[int] = field(default_factory=list)
    """Which goals of `also` were reached, counted from 1."""
    watched_until: Instant = 0
    """The end of the longest window of its goals."""
    walks: int = 0
    """The version to whose steps it was moved; 0: it walks the one it began with. Its goals, arm and
    comparison stay those of `version`."""
    left_us: int | None = None
    """What is left of its wait while its campaign is paused and keeps the timers; None: time goes on."""
    shifted: bool = False
    """It was moved, or stood still: its waits might end after its goal's window, which ends its steps."""
    done: list[str] = field(default_factory=list)
    """The steps by which something left, or would have; what is done is not done again after a move."""


class Sent(Struct, array_like=True, gc=False):
    """A message that takes a place in the caps; failed, withheld and expired ones are dropped."""

    message: str
    run: str
    campaign: str
    template: str
    topic: str
    channel: str
    wanted_at: Instant
    state: str
    """wanted, sending, sent or unknown."""
    due_at: Instant
    expires_at: Instant | None = None
    transactional: bool = False
    version: int = 0
    arm: str = ""
    step: str = ""
    sent_at: Instant | None = None
    """When it was handed off: from then on it takes its place in the rolling caps."""
    to: str = ""
    """The address it was handed off for."""
    attempts: int = 0
    """How many times a provider has refused it for now, or for good."""
    named: str = ""
    """The address that its caller named; "" for the customer's own."""
    doubts: int = 0
    """How many attempts ended without anybody knowing whether it was accepted."""
    stands: bool = False
    """It waits until its campaign goes on."""
    content: str = ""
    """The item of the catalogue that it brings."""
    of_group: int = 0
    """The group whose run it is of, and to a member of which it goes; 0: the run is the customer's own."""


class Balance(Struct, array_like=True, gc=False):
    """What is left of a customer's attention, in points (`policy: attention`, budget)."""

    left: float
    at: Instant
    """As of this moment."""
    open: list[Instant] = field(default_factory=list)
    """When messages were handed off after which nothing has been done yet, and whose day is not over."""
    hoped: list[Instant] = field(default_factory=list)
    """The same, after which nothing was done that tells of staying (`earned.strong`)."""


class Record(Struct, array_like=True):
    """All that decisions about one subject rest on. Opaque bytes to the store (`decide.record`)."""

    subject: int
    key: str = ""
    """The stable key for assignment, fixed when the subject is first seen; the older one's wins a merge."""
    first_seen: Instant = 0
    now: Instant = 0
    last_seq: int = 0
    traits: dict[str, Trait] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    """By "topic/channel"."""
    suppressed: dict[str, Instant] = field(default_factory=dict)
    """Addresses that must not be written to, and since when."""
    summaries: dict[str, JSON] = field(default_factory=dict)
    """By the key of the condition (hash of its canonical form); each kind's own plain data."""
    members: dict[str, Instant] = field(default_factory=dict)
    """Segments the subject is in, and since when."""
    exposures: list[Exposure] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    sends: list[Sent] = field(default_factory=list)
    due: Instant | None = None
    """The earliest moment at which something changes by time alone."""
    changes: dict[str, Instant] = field(default_factory=dict)
    """When each segment's answer may next change by time alone."""
    entries: dict[str, Entry] = field(default_factory=dict)
    """By "campaign/key"."""
    goals: dict[str, tuple[Instant, int]] = field(default_factory=dict)
    """The latest (at, seq) at which a campaign's goal event was seen, in a run or not."""
    global_arm: str = ""
    """The recorded draw of the global control: control, treated or not drawn yet."""
    barred: dict[str, str] = field(default_factory=dict)
    """By suppressed address why it is (`decide.reasons.Why`)."""
    starts: dict[str, Start] = field(default_factory=dict)
    """By campaign, the next start by time alone (`decide.timed`)."""
    global_period: int = 0
    """Between which redraws it was drawn; 0 where it is never redrawn."""
    programmes: dict[str, ProgrammeArm] = field(default_factory=dict)
    attention: Balance | None = None
    """None: never spent, so all of it is left."""
