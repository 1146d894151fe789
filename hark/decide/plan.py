"""Everything the definitions ask for, indexed by what can set it off.

`Plan.watch` is the dispatch: for an event's name it gives the summaries, segments, triggers, goals and
waits that the event can change, or None, and then the event costs no record at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TypeVar

import msgspec

from hark.decide.course import Course, Match, learned, sends_content
from hark.decide.holdouts import Holdouts
from hark.decide.levels import CHANGES, Levels
from hark.decide.subjects import Defined, about, as_own, kind_of, kinds
from hark.decide.watch import (
    ALWAYS,
    PARTS,
    STATING,
    Asked,
    Leaves,
    Table,
    Watch,
    either,
    grouped,
    holds_for_nobody,
    is_activity,
    narrowed,
)
from hark.decide.weights import Weights, weights
from hark.definitions.contents import Content
from hark.definitions.document import Document
from hark.definitions.group_campaigns import asked_of_members, sends
from hark.definitions.learned import Allocation, Effect, Signals
from hark.definitions.levels import Ladder
from hark.definitions.nominal import OnDate
from hark.definitions.parse import definition
from hark.definitions.resolve import resolved
from hark.definitions.stages import built_in, with_stages
from hark.definitions.types import (
    Campaign,
    Computed,
    Definition,
    Policy,
    Programme,
    Segment,
    Topic,
)
from hark.model import GROUPS, Event, FactName, Kind, Record, Run
from hark.understand.conditions import ACTIVITY, TRAITS, Condition, Leaf

T = TypeVar("T")


def _on_stage(one: Definition) -> bool:
    """Whether it is a campaign that a stage of the decision to buy starts, or that chooses by it."""
    level = one.trigger.level if isinstance(one, Campaign) else None
    return (level is not None and level.kind == "stage") or _chooses(one)


def _chooses(one: Definition) -> bool:
    return isinstance(one, Campaign) and sends_content(one)


class Plan:
    """What the record of a customer, or of a group of one type (`OfGroups`), rests on.

    All definitions in force, and the older versions of campaigns that live runs still walk. Immutable."""

    always: Sequence[str] = ALWAYS
    """The names of events that touch a record whatever is defined."""

    def __init__(self, documents: Defined, older: Defined = ()):
        """`older`: versions of campaigns that are not in force any more."""
        self.groups: Mapping[str, OfGroups] = {
            kind: OfGroups(about(kind, documents), about(kind, older)) for kind in kinds(documents, older)
        }
        """By type what is defined for groups of it."""
        documents, older = about("", documents), about("", older)
        things = [thing for _, thing in documents]
        self.segments = {one.name: one for one in things if isinstance(one, Segment)}
        self.topics = {thing.name: thing for thing in things if isinstance(thing, Topic)}
        self.computed = {thing.name: thing.trait for thing in things if isinstance(thing, Computed)}
        self.contents = {thing.name: thing for thing in things if isinstance(thing, Content)}
        """The catalogue of what is published."""
        self._go_by({thing.name: thing for thing in things if isinstance(thing, Policy)})
        self.current = {
            thing.name: Course(thing, document.version)
            for document, thing in documents
            if isinstance(thing, Campaign)
        }
        self.levels = Levels([one for one in things if isinstance(one, Ladder)], self.current.values())
        self.segments |= {one.name: one for one in self.levels.segments()}
        self._hold_out(documents)
        self.weights = self._weigh(things)
        past = (Course(one, document.version) for document, one in older if isinstance(one, Campaign))
        self._courses = {course.key: course for course in (*past, *self.current.values())}
        self.leaves = {leaf.key: leaf for leaf in self._all_leaves()}
        self.leaf_keys = frozenset(self.leaves)
        self.absences = tuple(one for one in self.segments.values() if holds_for_nobody(one.where))
        """Segments for which a subject need have done nothing: its first event is folded, whatever it is,
        so that they are asked as soon as the subject is known."""
        self.timed = timed = tuple(one for one in self.current.values() if one.campaign.trigger.timed)
        """The campaigns that start at a time."""
        self.greets = bool(self.absences) or any(not isinstance(_timed(one), OnDate) for one in timed)
        """A subject's first event changes its record, whatever it is."""
        self._look_up()
        self._watches = {name: self._watch(name) for name in sorted(self._names())}
        self.names = frozenset(self._watches)
        """The names of all events that can set anything off by themselves."""
        active = (False, True) if self.any_activity else (False,)
        self._tables = {how: self._table(*how) for how in product((False, True), (False, True), active)}

    def _go_by(self, policies: Mapping[str, Policy]) -> None:
        self.attention = policies.get("attention", Policy("attention"))
        hours = self.attention.quiet_hours
        self.fallback_zone = hours.fallback_zone if hours else "UTC"
        """The zone of customers whose own is not known."""
        self.internal = policies["internal"].where if "internal" in policies else None

    def _weigh(self, things: Sequence[Definition]) -> Weights:
        """The attention policy beside the campaigns in force, with what was learned of both."""
        effects = {thing.name: thing for thing in things if isinstance(thing, Effect)}
        signals = next((thing for thing in things if isinstance(thing, Signals)), None)
        others = (one.campaign for plan in self.groups.values() for one in plan.current.values())
        mine = [*(one.campaign for one in self.current.values()), *filter(sends, others)]
        return weights(self.attention, mine, effects, signals)

    def _look_up(self) -> None:
        """Who watches what, by name: so that a plan of many segments is compiled without searching."""
        self._places = {name: place for place, name in enumerate(self.segments)}
        self._entering = grouped(
            (course.campaign.trigger.enters, course)
            for course in self.current.values()
            if course.campaign.trigger.enters
        )
        self._watching = grouped(
            (name, segment)
            for segment in self.segments.values()
            for name in frozenset[str]().union(*(leaf.watches() for leaf in segment.where.leaves()))
        )
        self._folding = grouped(
            (name, (key, leaf)) for key, leaf in self.leaves.items() for name in leaf.watches()
        )
        self.ordered = {key: leaf for key, leaf in self.leaves.items() if leaf.ordered}
        """Of `leaves` those whose summary may need to be folded anew."""
        self._active: Leaves = tuple(self._folding.get(ACTIVITY, ()))
        self.any_activity = bool(self._active) or self.weights.budget is not None
        """Every activity changes its subject's record, whatever it is called."""

    def _hold_out(self, documents: Defined) -> None:
        """Who is left alone by several campaigns, whose a campaign is, and what the learning ones learned."""
        for document, thing in documents:
            if isinstance(thing, Allocation) and thing.name in self.current:
                learned(self.current[thing.name], thing, document.version)
        self.holdouts = Holdouts(
            self.attention.global_control,
            self.attention.redraw_us,
            {one.name: (one, document.version) for document, one in documents if isinstance(one, Programme)},
        )
        self.exclusive = grouped(
            (course.campaign.exclusive, course)
            for course in self.current.values()
            if course.campaign.exclusive
        )
        """The campaigns of each exclusive group."""

    @classmethod
    def compile(
        cls, documents: Sequence[Document], versions_in_use: Sequence[Document] = (), zone: str = "UTC"
    ) -> Plan:
        """The plan of the newest versions of all definitions, in the workspace's zone.

        `versions_in_use` are documents of older versions which runs still walk; it may hold more.
        Raises DefinitionError for a document that has not passed the language's checks.
        """
        typed = [definition(document, zone) for document in documents]
        older = [definition(document, zone) for document in versions_in_use]
        if any(map(_on_stage, typed)) or any(map(_chooses, older)):
            stands = typed
            typed = with_stages(typed, zone)
            documents = [*documents, *([built_in(zone)[0]] if len(typed) > len(stands) else [])]
        known = with_stages(typed, zone)
        return cls(
            list(zip(documents, resolved(typed, known), strict=True)),
            list(zip(versions_in_use, resolved(older, known), strict=True)),
        )

    def watch(self, name: str) -> Watch | None:
        """What an event of this name can set off; None: nothing, so its record need not be loaded."""
        return self._watches.get(name)

    def touches(self, event: Asked) -> bool:
        """Whether the event can change its subject's record: something watches for such a one, or it states
        traits.

        Where the plan `greets` a subject's first event changes it too, whatever it is.
        """
        watch = self._watches.get(event.name)
        if watch is not None and (watch.test is None or watch.test(event.properties)):
            return True
        return self.states(event) or (self.any_activity and is_activity(event))

    def states(self, event: Asked) -> bool:
        """Whether the event may state traits of its subject."""
        return STATING in event.context

    def of_group(self, key: str) -> Plan:
        """What the record of a group rests on, by its stable key."""
        return self.groups.get(kind_of(key), _UNASKED)

    def of(self, record: Record) -> Plan:
        """What this record rests on."""
        return self if record.subject < GROUPS else self.of_group(record.key)

    def plans(self) -> Iterator[Plan]:
        """Itself, and what is defined for groups of each type."""
        yield self
        yield from self.groups.values()

    @property
    def writes(self) -> bool:
        """Whether campaigns of groups write to members."""
        return any(sends(one.campaign) for plan in self.groups.values() for one in plan.current.values())

    def owner(self, campaign: str) -> Plan:
        """What the records rest on whom this campaign is about."""
        return next((one for one in self.groups.values() if campaign in one.current), self)

    def touches_groups(self, event: Asked) -> bool:
        """Whether the event can change the record of a group of any type."""
        plans = self.groups.values()
        return _UNASKED.touches(event) or any(one.greets or one.touches(event) for one in plans)

    def watch_of(self, event: Event, first: bool) -> Watch | None:
        """What this event can set off; `first`: none was folded into its subject's record before."""
        traits, active = self.states(event), self.any_activity and is_activity(event)
        if not (first or traits or active):
            return self._watches.get(event.name)
        table = self._tables[first, traits, active]
        return table.named.get(event.name, table.other)

    def course(self, campaign: str, version: int) -> Course | None:
        """The version of a campaign that a run walks, also of a group's that writes to members; None if it is
        no longer kept."""
        found = self._courses.get((campaign, version))
        return found or next(
            (one for plan in self.groups.values() if (one := plan.course(campaign, version))), None
        )

    def walked(self, run: Run) -> Course | None:
        """The version of its campaign whose steps the run walks; None if it is no longer kept."""
        return self._courses.get((run.campaign, run.walks or run.version))

    def stands_still(self, campaign: str) -> bool:
        """Whether it is paused and keeps the timers of its runs."""
        course = self.owner(campaign).current.get(campaign)
        return course is not None and course.campaign.keeps_timers

    def entering(self, segment: str) -> Sequence[Course]:
        """The campaigns that an entry into the segment starts."""
        return self._entering.get(segment, ())

    def conditions(self) -> Iterator[Condition]:
        """All that it rests on."""
        yield from (segment.where for segment in self.segments.values())
        yield from (course.campaign.audience for course in self.current.values() if course.campaign.audience)
        for course in self._courses.values():
            yield from course.conditions()
        yield from self.weights.conditions()
        for plan in self.groups.values():
            yield from (asked for one in plan._courses.values() for asked in asked_of_members(one.campaign))
        if self.internal:
            yield self.internal

    def _all_leaves(self) -> Iterator[Leaf]:
        for condition in self.conditions():
            yield from (leaf for leaf in condition.leaves() if leaf.keeps_summary)
        yield from self.computed.values()

    def _segments_watching(self, *names: str) -> tuple[Segment, ...]:
        return self._in_order(*(segment for name in names for segment in self._watching.get(name, ())))

    def _names(self) -> set[str]:
        names: set[str] = {*self.always, *self.weights.earning}
        if self._entering:
            names.add(FactName.SEGMENT_ENTERED.value)
        if self.levels.start_campaigns:
            names |= CHANGES
        for condition in self.conditions():
            for leaf in condition.leaves():
                names |= leaf.watches() - {TRAITS, ACTIVITY}
        names = names.union(*(leaf.watches() for leaf in self.computed.values()))
        for course in self._courses.values():
            names = names.union(*(match.names for match in course.matches()))
        return names

    def _table(self, first: bool, traits: bool, active: bool) -> Table:
        """What is set off by events that state traits or don't, the first of their subjects or later ones,
        activity or not."""
        more = self.absences if first else ()
        leaves: Leaves = ()
        if active:
            more, leaves = (*more, *self._segments_watching(ACTIVITY)), self._active
        if not (more or traits or active):
            return Table(self._watches, None)
        nothing = Watch(parts=(), with_traits=self._segments_watching(TRAITS))
        named = {
            name: self._widened(watch, more, leaves, traits, active) for name, watch in self._watches.items()
        }
        return Table(named, self._widened(nothing, more, leaves, traits, active))

    def _widened(
        self, watch: Watch, more: Sequence[Segment], leaves: Leaves, traits: bool, active: bool
    ) -> Watch:
        """The watch which folds these leaves and asks these segments too; none of its parts is lacking for an
        event that states traits."""
        parts = {
            *watch.parts,
            *(("membership",) if more else ()),
            *(("summaries", "exits") if leaves else ()),
            *(("attention",) if active and self.weights.budget else ()),
        }
        return msgspec.structs.replace(
            watch,
            parts=PARTS if traits else tuple(part for part in PARTS if part in parts),
            leaves=tuple(dict([*watch.leaves, *leaves]).items()),
            segments=self._in_order(*watch.segments, *more),
            with_traits=self._in_order(*watch.with_traits, *more),
        )

    def _in_order(self, *segments: Segment) -> tuple[Segment, ...]:
        """Each once, in the order of the definitions."""
        different = {segment.name: segment for segment in segments}
        return tuple(different[name] for name in sorted(different, key=self._places.__getitem__))

    def _watch(self, name: str) -> Watch:
        courses = self._courses.values()
        leaves: Leaves = tuple(self._folding.get(name, ()))
        return narrowed(
            name,
            leaves=leaves,
            segments=self._segments_watching(name),
            with_traits=self._segments_watching(name, TRAITS),
            triggers=tuple(
                course
                for course in self.current.values()
                if course.starts_when and name in course.starts_when.names
            ),
            enters=name == FactName.SEGMENT_ENTERED and bool(self._entering),
            levels=name in CHANGES and self.levels.start_campaigns,
            goals=tuple(
                course for course in courses if any(name in one.match.names for one in course.pursued)
            ),
            waits=frozenset(
                course.key
                for course in courses
                if any(name in until.names for until in course.untils.values())
            ),
            earns=name in self.weights.earning,
            test=None
            if name in ALWAYS or name in self.weights.earning
            else either([leaf for _, leaf in leaves], self._matches_of(name)),
        )

    def _matches_of(self, name: str) -> Iterator[Match]:
        """The goals, triggers and waits which events of this name may be for."""
        for course in self._courses.values():
            yield from (match for match in course.matches() if name in match.names)


class OfGroups(Plan):
    """What is defined for groups of one type. A group call states the group's traits; whatever its members'
    calls say of themselves states none of the group's."""

    always = ()

    def __init__(self, documents: Defined = (), older: Defined = ()) -> None:
        super().__init__(as_own(documents), as_own(older))

    def states(self, event: Asked) -> bool:
        return event.kind == Kind.GROUP

    def _watch(self, name: str) -> Watch:
        """What members subscribe to is theirs, whatever asks for the event."""
        watch = super()._watch(name)
        parts = tuple(part for part in watch.parts if part != "subscriptions")
        return msgspec.structs.replace(watch, parts=parts)


def _timed(course: Course) -> object:
    return course.campaign.trigger.timed


_UNASKED = OfGroups()
"""Of groups for which nothing is defined: traits are kept before anybody asks."""
