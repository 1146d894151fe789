"""The typed documents of the language. What YAML says is checked and turned into these (`parse`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from hark.definitions.beliefs import Hypothesis
from hark.definitions.contents import Content, Picking
from hark.definitions.event_plan import Event
from hark.definitions.learned import Allocation, Effect, Prospect, Renewing, Signals
from hark.definitions.levels import Levelled, Reaching
from hark.definitions.manners import Arbitration, Budget, Cap, QuietHours
from hark.definitions.mapping import Source
from hark.definitions.nominal import Broadcast, OnDate, OnSchedule
from hark.definitions.shared import Block, Brand, Layout, Snippet
from hark.definitions.survey import Survey
from hark.model import DAY, JSON, Instant
from hark.understand.conditions.base import Condition
from hark.understand.conditions.computed import ComputedTrait
from hark.understand.conditions.pace import Passage, Reference

if TYPE_CHECKING:
    from hark.definitions.asked import Asked


class EventMatch(Struct, frozen=True):
    """An event, or any of several, with an optional predicate on its properties."""

    names: tuple[str, ...]
    where: JSON = None
    """The predicate ({property: operators}), asked once its references ({ref: event.id}) are replaced."""


class Segment(Struct, frozen=True, tag="segment"):
    name: str
    where: Condition
    level_of: str = ""
    """The definition of which it is a level, named DEFINITION.LEVEL: nobody writes those."""
    group: str = ""
    """The type of the groups that it is of (account, household ...); "": it is of customers."""


class Computed(Struct, frozen=True, tag="computed"):
    """A trait computed from history, for conditions and templates."""

    name: str
    trait: ComputedTrait
    says: str = ""
    prospect: Prospect | Renewing | None = None
    """Of `worth` and `subscription`: estimated daily; `trait` reads the latest from the history."""


class Trigger(Struct, frozen=True):
    """Exactly one of `event`, `enters`, `timed`, `api` and `level`."""

    event: EventMatch | None = None
    enters: str | None = None
    existing: bool = False
    timed: OnDate | OnSchedule | Broadcast | None = None
    api: bool = False
    level: Reaching | None = None


class Goal(Struct, frozen=True):
    """An event within a time after the entry, or a condition (`when`) that is judged at that time's end."""

    event: EventMatch
    """Of no names, where the goal is a condition."""
    within_us: int
    value: str | None = None
    """The property that is summed."""
    when: Condition | None = None
    response: bool = False
    """Only the message makes it possible (an answer, a code): a rate of its own, never a lift."""


GUARDRAILS = ("Unsubscribed", "Message Complained")
"""What is watched of a campaign that names no guardrails."""


class Send(Struct, frozen=True, tag="send"):
    template: str
    channel: str = "email"
    id: str = ""
    """Stable name of the step; its path ("0", "1", ...) where the author gave none."""
    expires_us: int | None = None
    data: JSON = None
    """`with:` of the document."""
    others: tuple[tuple[str, str], ...] = ()
    """(channel, template) for those who don't accept the first channel or can't be reached by it, in
    order."""
    sender: str = ""
    """The one sender by which it goes; "": any of the channel's."""
    content: Picking | None = None
    """Of the catalogue, an item for whoever gets it."""
    members: bool = False
    """It goes to members of the group that the campaign is about,"""
    to: Condition | None = None
    """to those for whom this holds; None: to all."""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """(channel, template), the preferred first."""
        return ((self.channel, self.template), *self.others)


class Webhook(Struct, frozen=True, tag="webhook"):
    """Tells another system: `body`, in which values may be references, else who and what started it."""

    sender: str
    body: JSON = None
    id: str = ""


class Task(Struct, frozen=True, tag="task"):
    """Asks people of ours to do something; `says` is Liquid. Whole days of `due_us` are those of `zone`."""

    team: str
    says: str
    id: str = ""
    assignee: str = ""
    """Whose it is: an account's e-mail, or a reference that finds one; "": anybody's of the team."""
    due_us: int | None = None
    zone: str = "UTC"


class Wait(Struct, frozen=True, tag="wait"):
    """One of four: `for`, a span; `until`, the event or the span, the first of the two; `at`, the next local
    time of day; `to`, a moment that the run refers to, or an offset from it."""

    id: str = ""
    for_us: int | None = None
    until: EventMatch | None = None
    at: str | None = None
    zone: str = "customer"
    days: tuple[str, ...] = ()
    to: str | None = None
    """A reference, e.g. `event.starts_at`."""
    offset_us: int = 0
    if_past: Literal["skip", "continue", "exit"] = "skip"
    """`skip` leaves out the steps up to the next wait beside this one."""


class Way(Struct, frozen=True):
    """One way of a branch (`when`; None: otherwise) or of a split (`name`, `weight`)."""

    steps: tuple[Step, ...]
    when: Condition | None = None
    name: str = ""
    weight: float = 1.0


class Branch(Struct, frozen=True, tag="branch"):
    """The first way whose condition holds; none: the run goes on after it."""

    ways: tuple[Way, ...]
    id: str = ""


class Split(Struct, frozen=True, tag="split"):
    """A test inside a journey: the way is drawn by weight, from the stable key."""

    ways: tuple[Way, ...]
    id: str = ""


class Update(Struct, frozen=True, tag="update"):
    """Sets traits of the customer: values, `now`, or references."""

    traits: Mapping[str, JSON]
    id: str = ""


class Leave(Struct, frozen=True, tag="exit"):
    """Ends the steps, for a reason in the author's words."""

    reason: str
    id: str = ""


Step: TypeAlias = Send | Webhook | Task | Wait | Branch | Split | Update | Leave


class Variant(Struct, frozen=True):
    name: str
    steps: tuple[Step, ...]
    weight: float = 1.0


class Campaign(Struct, frozen=True, tag="campaign"):
    name: str
    trigger: Trigger
    goal: Goal | None
    """None only where transactional."""
    variants: tuple[Variant, ...]
    control: float
    """Share left alone, 0..1; `auto` without history is 0.2."""
    control_auto: bool = False
    control_why: str = ""
    """Why nobody is left alone, where control is none."""
    hypothesis: str = ""
    intent: str = "tell"
    expects: float | None = None
    key: str | None = None
    """Property path of the trigger's event, e.g. `basket_id` for `event.basket_id`."""
    audience: Condition | None = None
    also: tuple[Goal, ...] = ()
    """Goals that are followed and reported, and never decide."""
    guardrails: tuple[str, ...] = GUARDRAILS
    """Events of which the campaign must not bring about more."""
    situations: tuple[str, ...] = ()
    """Segments for which its effect is asked, named before it starts."""
    reenter_us: int | None = None
    """None: never; 0: always; else the time from the last entry."""
    on_retrigger: Literal["ignore", "restart", "gather"] = "ignore"
    """What a trigger does that comes while a run of its key is live."""
    exit_on_goal: bool = False
    exit_leaves: str | None = None
    topic: str | None = None
    transactional: bool = False
    why: str = ""
    fresh_us: int = DAY
    starts: Instant | None = None
    ends: Instant | None = None
    decide_at: Instant | None = None
    """`decide_by` a date: looked at weekly, and decided then at the latest."""
    decide_people: int | None = None
    """`decide_by` a number: decided once so many people count."""
    paused: bool = False
    keeps_timers: bool = False
    """Of a pause: runs stand still, and go on with what was left of their waits."""
    rehearsal: bool = False
    """Live in everything but the hand-off: nothing leaves."""
    ramp: float = 1.0
    """The share of people, by hash, who may enter."""
    programme: str | None = None
    exclusive: str | None = None
    """The group of campaigns of which only one may be a customer's."""
    group: str = ""
    """The type of the groups that it is about; "" for customers."""
    assign_by: str | None = None
    """The type of group (account, household) by whose key arms are drawn: everybody of one has one arm."""
    per_entry: bool = False
    """Each entry is drawn anew."""
    learns: bool = False
    """The variants' shares follow what was learned, batch by batch."""
    worth: float = 1.0
    """Of one goal reached, for arbitration."""


class Programme(Struct, frozen=True, tag="programme"):
    """Campaigns judged together: one control for all of them, and one goal."""

    name: str
    control: float
    goal: Goal
    says: str = ""


class Paced(Struct, frozen=True, tag="pace"):
    """How long people took from one event to another, as of the beginning of a day."""

    name: str
    """That of the way (`Passage.name`)."""
    passage: Passage
    reference: Reference


class Template(Struct, frozen=True, tag="template"):
    """mjml, html or blocks are the source, or text alone; text beside them is the plain part."""

    name: str
    channel: str
    subject: str
    """"" where the channel has none."""
    mjml: str | None = None
    html: str | None = None
    text: str | None = None
    layout: str | None = None
    blocks: tuple[Block, ...] = ()
    url: str = ""
    """Where a message in the app or a push leads; Liquid too."""
    action: str = ""
    """What its button says."""
    show: Literal["banner", "inbox"] = "banner"
    """A message in the app: shown by itself and kept in the inbox, or in the inbox alone."""
    survey: str = ""
    """The survey that it asks, in the app; "" for none."""
    languages: Mapping[str, Template] = {}
    """By two letters, for customers of these languages; each whole, without languages of its own."""


class Topic(Struct, frozen=True, tag="topic"):
    name: str
    says: str = ""
    default: Literal["in", "out"] = "out"
    opt_in: Literal["single", "double"] = "double"
    says_in: Mapping[str, str] = {}
    """By language (two letters), where it is said in several; `says` is the first of them."""

    def words(self, language: str) -> str:
        """What the topic is, for a reader of this language."""
        return self.says_in.get(language) or self.says


class Policy(Struct, frozen=True, tag="policy"):
    """`attention` holds quiet hours, caps and the global control; `internal` names our own people;
    `tracking` says whether opens and clicks are heard of."""

    name: str
    quiet_hours: QuietHours | None = None
    caps: tuple[Cap, ...] = ()
    global_control: float = 0.0
    redraw_us: int | None = None
    """After this time the global control is drawn anew; None: never."""
    budget: Budget | None = None
    arbitration: Arbitration | None = None
    ask_gap_us: int = 7 * DAY
    """Between two messages of campaigns with `intent: ask`."""
    ask_after: Condition | None = None
    """Who may be asked at all: those who had something of us first."""
    tickets: Condition | None = None
    """Who has an open ticket with support; None: as is usual."""
    holds_tickets: bool = True
    """Who has an open ticket gets only help."""
    where: Condition | None = None
    opens: bool = False
    """Of `tracking`: opens are heard of, by a picture."""
    clicks: bool = False


class Sender(Struct, frozen=True, tag="sender"):
    """An account at a provider. What is secret comes from the environment variables named."""

    name: str
    address: str = ""
    """For e-mail the From header, "Shop <hello@shop.example>"; for SMS the number or name it comes from."""
    channel: str = "email"
    host: str = "localhost"
    port: int = 25
    tls: Literal["none", "starttls", "implicit"] = "none"
    user: str | None = None
    password_env: str | None = None
    rate_per_s: float = 50.0
    provider: str = "smtp"
    url: str = ""
    """The endpoint, or the base of the provider's API."""
    account: str = ""
    """The account's id at the provider."""
    secret_env: str = ""
    reports: str = ""
    """The provider behind the mail server that reports what became of messages, by its webhooks."""
    reports_env: str = ""
    replies: str = ""
    """Where answers come in: a domain of its own, or a mailbox that takes a plus; "": nobody reads them."""
    inbound: str = ""
    """Who brings incoming mail to us, by a webhook or as it is."""
    inbound_env: str = ""
    verp: bool = False
    """Letters leave with their own reply address as the envelope's sender, so that bounces come in there."""
    weight: float = 1.0
    """The share of the channel's messages, against the other senders'; 0: only where the others fail."""


class Question(Struct, frozen=True, tag="question"):
    """A question with a name, saved in versions like every definition."""

    name: str
    asks: Asked
    says: str = ""


Definition: TypeAlias = (
    Computed
    | Levelled
    | Hypothesis
    | Segment
    | Campaign
    | Programme
    | Allocation
    | Effect
    | Paced
    | Signals
    | Template
    | Layout
    | Brand
    | Snippet
    | Topic
    | Policy
    | Sender
    | Question
    | Source
    | Event
    | Survey
    | Content
)
