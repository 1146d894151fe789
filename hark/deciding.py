"""The Python interface to campaigns: what they did and why, what is to come, and how far they are live.

`hark.open(...)` has all of this; a running server is told through its log, as the commands tell it.
"""

from __future__ import annotations

import getpass
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hark.app import Workspace
from hark.collect.formats import TRIGGER
from hark.collect.triggers import event
from hark.decide.arms import Arms, arms_of
from hark.decide.plan import Plan
from hark.decide.record import fresh
from hark.decide.standing import Journey
from hark.decide.why import Line, explain
from hark.decide.why_not import Standing, why_not
from hark.definitions import yaml
from hark.definitions.document import Document
from hark.definitions.parse import Parsed, definition, read
from hark.definitions.plan import Change, command, plan
from hark.definitions.turns import NOTES, ramped, turned
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.learn.backtest.answer import Backtest
from hark.learn.calendar import DAYS, Calendar
from hark.learn.interactions import Interaction
from hark.learn.programmes import ProgrammeReport
from hark.learn.report import Report
from hark.model import JSON, Instant, Lane, Record, row_of
from hark.questions.proposals import with_controls
from hark.speak.checking import Checking
from hark.speak.places import Allowed

SOURCE = "hark"


class Deciding(ABC):
    """What a workspace says of its campaigns, and is told about them. Raises HarkError `campaign.unknown` for
    a campaign that is not there, `customer.unknown` and `customer.several` for a customer."""

    _workspace: Workspace

    @abstractmethod
    def ask(self, question: JSON) -> Any:
        """The answer to any question as plain data."""

    # -- what they did --------------------------------------------------------------------------------

    def report(
        self, campaign: str, version: int | None = None, *, by_segment: bool = False, by_level: str = ""
    ) -> Report:
        """Did it change what people do, and how sure is that? `by_level`: of an engagement definition."""
        asked = {"campaign": campaign, "version": version, "by_segment": by_segment, "by_level": by_level}
        return msgspec.convert(self.ask({"report": asked}), Report)

    def reports(self) -> dict[str, Report]:
        """All campaigns beside each other, corrected for their number."""
        return msgspec.convert(self.ask({"reports": {}}), dict[str, Report])

    def interactions(self) -> dict[str, tuple[Interaction, ...]]:
        """By campaign, how its lift differs where another treats the same people."""
        return {name: one.interactions for name, one in self.reports().items() if one.interactions}

    def programme(self, name: str = "", goal: JSON = None, *, by_level: str = "") -> ProgrammeReport:
        """What a programme changes, or ("") all messaging, by its control. `goal` as in a document:
        {"event": "Order Completed", "within": "28d", "value": "revenue"}. Raises HarkError
        `programme.unknown`, `programme.goal`, `programme.no_control`."""
        asked = {"programme": name, "goal": goal, "by_level": by_level}
        return msgspec.convert(self.ask({"programme": asked}), ProgrammeReport)

    def journey(self, campaign: str, version: int | None = None) -> Journey:
        """Where a campaign's runs are now."""
        asked = {"campaign": campaign, "version": version}
        return msgspec.convert(self.ask({"journey": asked}), Journey)

    # -- why, and why not -----------------------------------------------------------------------------

    def why(self, customer: str, campaign: str | None = None) -> list[Line]:
        """Every decision about a customer with its reason, in the order of time."""
        self._workspace.settle()
        if campaign is not None:
            self._document(campaign)
        return explain(self._workspace.snapshot().subject_events(self._workspace.subject(customer)), campaign)

    def why_not(self, customer: str, campaign: str) -> list[Standing]:
        """What stands between a customer, or a group, and a campaign now; nothing is decided by asking.
        Raises HarkError `campaign.subject` where it is about others."""
        self._document(campaign)
        record = self._record(customer)
        plan = self._plan().of(record)
        if campaign not in plan.current:
            message = f"{campaign} is not about such as {customer}"
            hint = "a campaign is about customers, or by its subject about groups of one type"
            raise HarkError(message, hint, "campaign.subject")
        return why_not(record, plan, campaign, self._workspace.clock.now())

    def arms(self, customer: str) -> Arms:
        """A customer's arms in everything that is in force, for other senders: whom to leave alone."""
        record = self._record(customer)
        return arms_of(record, self._plan().of(record), self._workspace.clock.now())

    # -- what is to come ------------------------------------------------------------------------------

    def backtest(
        self, campaign: str, documents: str = "", *, since: str | None = None, until: str | None = None
    ) -> Backtest:
        """What a campaign would have done; nobody is written to. `documents`: YAML that stands in for what is
        in force, or beside it. Raises HarkError `campaign.unknown`, `backtest.empty`, DefinitionError."""
        zone = self._workspace.settings.zone
        given = read([("documents", documents)], self._workspace.state().documents(), zone)
        asked: JSON = {"campaign": campaign, "since": since, "until": until}
        asked["documents"] = [{"kind": one.kind, "name": one.name, "body": one.body} for one in given]
        return msgspec.convert(self.ask({"backtest": asked}), Backtest)

    def calendar(self, days: int = DAYS) -> Calendar:
        """The messages of the next days, known and expected, and those that come too close together."""
        return msgspec.convert(self.ask({"calendar": {"days": days}}), Calendar)

    # -- what is told to them -------------------------------------------------------------------------

    def apply(self, documents: str, note: str = "") -> list[Change]:
        """Puts YAML documents into force, all or none; what changed. Raises DefinitionError."""
        self._workspace.settle()
        return self._apply(lambda _now: [("documents", documents)], note)

    def trigger(
        self, campaign: str, customer: str, data: Mapping[str, JSON] | None = None, id: str = ""
    ) -> list[Line]:
        """Starts a campaign with `trigger: {api: yes}` for a customer (a userId); what came of it. The same
        `id` again counts once. Raises HarkError `trigger.other` for a campaign that calls don't start."""
        found = self._campaign(campaign)
        if not found.trigger.api:
            hint = "write trigger: {api: yes}"
            raise HarkError(f"{campaign} is not started by calls; nothing was done", hint, "trigger.other")
        self._workspace.settle()
        body = event(campaign, customer, None, id or None, msgspec.json.encode(data or {}))
        with self._workspace.appending() as log:
            row = log.append(Lane.LIVE, TRIGGER, SOURCE, body)
        self._workspace.settle(row)
        subject = self._workspace.state().find(customer)
        told = explain(self._workspace.snapshot().subject_events(subject), campaign) if subject else []
        return [line for line in told if line.campaign == campaign and row_of(line.seq) == row]

    def start(self, campaign: str, ramp: str = "") -> list[Change]:
        """Lets people in, also after a pause: everybody, or first a share of them, such as "5%"."""
        if not ramp:
            return self._turn(campaign, "start")
        return self._apply(lambda _now: [self._text(ramped(self._document(campaign).body, ramp))], ramp)

    def rehearse(self, campaign: str) -> list[Change]:
        """Live in everything but the hand-off."""
        return self._turn(campaign, "rehearse")

    def pause(self, campaign: str, *, keep_timers: bool = False) -> list[Change]:
        """Nobody enters, and nothing is sent, until it is started again; waits go on, or stand still."""
        return self._turn(campaign, "hold" if keep_timers else "pause")

    def migration(self, campaign: str, to: int | None = None, steps: dict[str, str] | None = None) -> JSON:
        """{"moves", "stays", "groups", ...}: what `migrate` would do now; nothing is changed. `to` None: the
        newest version; `steps`: the new ids of waits, by the old."""
        return self.ask({"migration": {"campaign": campaign, "to": to, "steps": steps or {}}})

    def migrate(self, campaign: str, to: int | None = None, steps: dict[str, str] | None = None) -> JSON:
        """Moves the campaign's live runs that can be moved; the answer is `migration` as of just before."""
        found = self.migration(campaign, to, steps)
        said = {"campaign": campaign, "to": found["to"], "steps": steps or {}}
        self._workspace.command({"name": "migrate", "author": "python", **said})
        return found

    def end(self, campaign: str) -> list[Change]:
        """Nobody enters any more; who is in it walks to the end."""
        return self._turn(campaign, "end")

    def _turn(self, campaign: str, how: str) -> list[Change]:
        body = self._document(campaign).body
        return self._apply(lambda now: [self._text(turned(body, how, now))], NOTES[how])

    @staticmethod
    def _text(body: JSON) -> tuple[str, str]:
        return "documents", yaml.write([body])

    def _apply(self, texts: Callable[[Instant], Sequence[tuple[str, str]]], note: str) -> list[Change]:
        workspace = self._workspace
        current, zone = workspace.state().documents(), workspace.settings.zone
        checking = Checking(Allowed.of(workspace.settings.outbound_allow))
        wanted: list[Parsed] = read(texts(workspace.clock.now()), current, zone, checking)
        changes = plan(current, wanted)
        if any(one.what != "same" for one in changes):
            kept = with_controls(workspace.data, wanted, changes)
            workspace.command(command(kept, author=getpass.getuser(), note=note))
        return changes

    # -- whom and what it is about --------------------------------------------------------------------

    def _document(self, campaign: str) -> Document:
        self._workspace.settle()
        documents = [one for one in self._workspace.state().documents() if one.kind == "campaign"]
        found = next((one for one in documents if one.name == campaign), None)
        if found is None:
            hint = f"there are: {', '.join(one.name for one in documents) or 'none'}"
            raise HarkError(f"no campaign {campaign}", hint, "campaign.unknown")
        return found

    def _campaign(self, name: str) -> Campaign:
        found = definition(self._document(name), self._workspace.settings.zone)
        assert isinstance(found, Campaign)
        return found

    def _plan(self) -> Plan:
        state = self._workspace.state()
        return Plan.compile(state.documents(), zone=self._workspace.settings.zone)

    def _record(self, customer: str) -> Record:
        self._workspace.settle()
        subject, state = self._workspace.subject(customer), self._workspace.state()
        known = state.key(subject)
        return state.record(subject) or fresh(subject, *(known or (str(subject), 0)))
