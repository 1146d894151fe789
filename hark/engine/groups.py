"""Groups: events that carry a group's id go to the group's subject too, and its members are told what it is.

Who joins is told at once; of a change all members are told, some hundreds a tick, so that no tick waits for
a large group. Whoever has an input of their own before that is told first: so records do not depend on where
ticks are cut. Until all are told the engine's time stays before the change, as before an unread row.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from hark.clock import derived_id
from hark.collect.calls import Call
from hark.engine.folder import Folder
from hark.history.identity import Resolver
from hark.model import GROUP_MESSAGE, GROUP_TRAITS, GROUPS, Event, Instant, Kind, Trait, row_of
from hark.store.changes import Member, Telling
from hark.store.state import StateStore

AT_ONCE = 500
"""Members told in one tick, at most."""
MOST_GROUPS = 256
"""A customer belongs to so many groups at most; the rest is named among the problems."""
REMEMBERED = 200_000
TYPE = "account"
"""Of groups of which nobody said what they are."""
_SAID = 1 << 13
"""The same of a message, behind tellings of traits."""
_TOLD = 1 << 14
"""A telling's place behind the facts of the event that it follows, within the member of the row."""


class News(Struct, array_like=True, frozen=True):
    """What all members of a group are told, and when it came in."""

    at: Instant
    seq: int
    received_at: Instant
    known_at: Instant
    properties: bytes
    name: str = GROUP_TRAITS


class Groups:
    """Routes to groups, keeps who belongs to them, and tells the members."""

    def __init__(self, state: StateStore, resolver: Resolver, folder: Folder) -> None:
        self._state, self._resolver, self._folder = state, resolver, folder
        self._young: set[tuple[int, int]] = set()
        self._old: set[tuple[int, int]] = set()
        self._tellings = state.tellings()
        self._number = state.number("news")
        self._members: dict[tuple[int, int], int] = {}
        """By (group, home), the number of the latest news they have, of those that this tick changed."""
        self._changed: dict[int, Telling | None] = {}
        self._said: list[tuple[Event, bytes]] = []
        """What groups have to say to members, and no news yet."""
        folder.addressed = self._say
        self._watch()

    def happened(self, event: Event, call: Call, home: int) -> None:
        """An event of a customer that carries groups: it is theirs too, and whose it is joins them."""
        for place, name in enumerate(dict.fromkeys(_named(call))):
            group = self._resolver.group(name, event.received_at)
            self._route(event, group, name, place)
            self._join(event, group, name, home, place)

    def alone(self, event: Event, call: Call) -> None:
        """A group call that names no customer."""
        [name] = _named(call)
        self._route(event, self._resolver.group(name, event.received_at), name, 0)

    def advance(self, most: int = AT_ONCE) -> int:
        """Tells members what they have not been told yet, in the order of the news; how many."""
        self.announce()
        count = 0
        for number, telling in sorted(self._tellings.items()):
            for home, since in self._untold(telling, most - count):
                count += 1
                telling = msgspec.structs.replace(telling, told=home)  # noqa: PLW2901
                self._keep(number, telling)
                if since < number:
                    self._tell(telling.group, home, number, _news.decode(telling.news))
            if count >= most:
                return count
            self._keep(number, None)
        return count

    def announce(self, before: Instant | None = None) -> None:
        """Makes news of what groups have said (before a moment), in the order of its moments: before anything
        happens to a member, and so after all that the same event brought about."""
        said = [one for one in self._said if before is None or one[0].instant < before]
        self._said = [one for one in self._said if one not in said]
        for fact, properties in sorted(said, key=lambda one: (one[0].instant, one[0].subject, one[0].seq)):
            self._number += 1
            news = news_of_message(fact, properties)
            self._keep(self._number, Telling(fact.subject, fact.seq, _encode(news)))

    def _say(self, fact: Event, properties: bytes) -> None:
        self._said.append((fact, properties))
        self._watch()

    def until(self, until: Instant) -> Instant:
        """The moment up to which timers may fire: before what members are still to be told."""
        waiting = [_news.decode(telling.news).received_at for telling in self._tellings.values()]
        return min([until, *(at - 1 for at in waiting)])

    def take(self) -> tuple[list[Member], dict[int, Telling | None], int | None]:
        """(members, tellings, number of the latest news) that changed since the last `take`."""
        members = [Member(group, home, since) for (group, home), since in self._members.items()]
        changed, self._members, self._changed = self._changed, {}, {}
        return members, changed, self._number if members or changed else None

    def _route(self, event: Event, group: int, name: str, place: int) -> None:
        """The event as the group's; of what it changes the members are told."""
        stated = event.kind == Kind.GROUP
        before = dict(self._folder.records.get(group).record.traits) if stated else {}
        self._folder.event(msgspec.structs.replace(event, subject=group))
        if stated:
            after = self._folder.records.get(group).record.traits
            changed = {
                key: trait
                for key, trait in after.items()
                if key not in before or before[key].value != trait.value
            }
            if changed:
                self._announce(event, group, name, changed, place)

    def _announce(self, event: Event, group: int, name: str, changed: dict[str, Trait], place: int) -> None:
        if not self._untold(Telling(group, 0, b""), 1):
            return
        self._number += 1
        news = _news_of(event, name, changed, place)
        self._keep(self._number, Telling(group, event.seq, _encode(news)))

    def _join(self, event: Event, group: int, name: str, home: int, place: int) -> None:
        if self._belongs(group, home):
            return
        if self._state.count_groups(home) + sum(one == home for _, one in self._members) >= MOST_GROUPS:
            detail = f"subject {home} belongs to {MOST_GROUPS} groups, and so not to {name}"
            row = row_of(event.seq)
            self._folder.problem(event.received_at, row, 0, "groups.too_many", detail)
            return
        self._remember(group, home)
        self.announce(event.received_at)
        traits = self._folder.records.get(group).record.traits
        self._number += 1
        self._tell(group, home, self._number, _news_of(event, name, traits, place))

    def _tell(self, group: int, home: int, number: int, news: News) -> None:
        self._members[group, home] = number
        if news.name == GROUP_MESSAGE and not self._stands_for(group, home):
            return
        self._folder.ahead = None
        self._folder.event(as_event(self._resolver.today(home), home, news), home=home)
        self._watch()

    def _stands_for(self, group: int, home: int) -> bool:
        """Whether nobody else of those who are one customer by now belongs to the group before them: who is
        one person gets one message."""
        tree = self._resolver.tree(self._resolver.today(home))
        return home == min(one for one in tree if self._since(group, one) is not None)

    def _tell_first(self, subject: int) -> None:
        """Whoever has an input of their own is told before it what they were still to be told. Groups are
        told nothing, and what several of them say at a time is put in order first."""
        if subject >= GROUPS:
            return
        self.announce()
        for home in self._resolver.tree(subject):
            for number, telling in sorted(self._tellings.items()):
                since = self._since(telling.group, home)
                if since is not None and since < number and home > telling.told:
                    self._tell(telling.group, home, number, _news.decode(telling.news))

    def _untold(self, telling: Telling, most: int) -> list[tuple[int, int]]:
        """(home, latest news) of members after those who were told, ascending; also those of this tick."""
        known = dict(self._state.members(telling.group, telling.told, most))
        for (group, home), since in self._members.items():
            if group == telling.group and home > telling.told:
                known[home] = since
        return sorted(known.items())[:most]

    def _belongs(self, group: int, home: int) -> bool:
        one = (group, home)
        if one in self._young:
            return True
        if one in self._old or self._since(group, home) is not None:
            self._remember(group, home)
            return True
        return False

    def _since(self, group: int, home: int) -> int | None:
        changed = self._members.get((group, home))
        return self._state.member(group, home) if changed is None else changed

    def _remember(self, group: int, home: int) -> None:
        if len(self._young) >= REMEMBERED // 2:
            self._old, self._young = self._young, set()
        self._young.add((group, home))

    def _keep(self, number: int, telling: Telling | None) -> None:
        self._changed[number] = telling
        if telling is None:
            del self._tellings[number]
        else:
            self._tellings[number] = telling
        self._watch()

    def _watch(self) -> None:
        self._folder.ahead = self._tell_first if self._tellings or self._said else None


def news_of_message(fact: Event, properties: bytes) -> News:
    """What members are told after a group's `Members Addressed`."""
    seq = fact.seq + _TOLD + _SAID
    return News(fact.at, seq, fact.received_at, fact.known_at, properties, GROUP_MESSAGE)


def as_event(subject: int, home: int, news: News) -> Event:
    """What is told as an event of the member (whose id is at home there)."""
    return Event(
        *(subject, news.at, news.seq, news.name, int(Kind.GROUP), "hark", derived_id(home, news.seq)),
        *(news.received_at, news.known_at, news.received_at),
        active=False,
        properties=news.properties,
    )


def _news_of(event: Event, name: str, traits: dict[str, Trait], place: int) -> News:
    kind, _, value = name.partition(":")
    said = msgspec.json.encode({"type": kind, "id": value, "traits": traits})
    return News(event.at, event.seq + _TOLD + place, event.received_at, event.known_at, said)


def _named(call: Call) -> Iterator[str]:
    """ "type:id" of the groups that a call carries; a group call says something of its own group only."""
    if call.group_id:
        yield _name(call.group_type, call.group_id)
    if call.kind != Kind.GROUP:
        yield from (_name(kind, value) for kind, value in call.groups if value)


def _name(kind: str, value: str) -> str:
    return f"{kind.replace(':', '_') or TYPE}:{value}"


_encode = msgspec.msgpack.Encoder().encode
_news = msgspec.msgpack.Decoder(News)
