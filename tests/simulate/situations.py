"""The reference's part on situations: traits, consent, segments, levels of engagement."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.simulate.conditions import at_least
from tests.simulate.letters import Letters
from tests.simulate.nouns import Doc, Heard, Person
from tests.simulate.plainly import ceil_ms


class Situations(Letters):
    """What somebody's history means for them at a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.age, self.imported = 0, False
        self.begun: list[Heard] = []
        """Facts that are not followed up yet."""
        self.situations: dict[bool, dict[str, tuple[Doc, str]]] = {}
        """What is asked of customers, and of groups; also as written, to see which events it is about."""

    def learn(self, person: Person, traits: Doc, at: int, seq: int) -> bool:
        before = dict(person.traits)
        for name, value in traits.items():
            if (at, seq) >= person.traits.get(name, (0, 0))[:2]:
                person.traits[name] = (at, seq, value)
        return {n: v[2] for n, v in before.items()} != {n: v[2] for n, v in person.traits.items()}

    def consent(self, person: Person, heard: Heard) -> None:
        topic, channel = heard.says.get("topic", ""), heard.says.get("channel", "email")
        before = person.answers.get((topic, channel))
        newer = before is None or (heard.at, heard.seq) > before[:2]
        if heard.name == "Unsubscribed" and newer:
            person.answers[topic, channel] = (heard.at, heard.seq, "out")
            self.listed(person, "Address Suppressed", topic, channel)
        elif heard.name == "Subscription Requested" and newer and not self.agreed(person, topic, channel):
            person.answers[topic, channel] = (heard.at, heard.seq, "in")
            if before:
                self.listed(person, "Address Released", topic, channel)

    def listed(self, person: Person, name: str, topic: str, channel: str) -> None:
        if found := person.address(channel):
            self.fact(person, name, address=found, why="unsubscribed", topic=topic)

    def told(self, person: Person, name: str, **says: Any) -> None:
        """A fact that may lead to more."""
        seq = self.fact(person, name, **says)
        self.begun.append(Heard(person.now, seq, name, says, "", self.imported))

    def defined(self) -> None:
        """Finds by name the segments in force, then the levels as DEFINITION.LEVEL; those of groups apart."""
        segments = {name: docs[-1] for (kind, name), docs in self.docs.items() if kind == "segment"}
        found = {name: body["where"] for name, body in segments.items()}
        for (kind, name), docs in self.docs.items():
            for place, level in enumerate(docs[-1]["levels"]) if kind == "engagement" else ():
                found[f"{name}.{level['name']}"] = at_least(docs[-1], place)
        order = sorted(found, key=lambda one: ("." in one, one.partition(".")[0]))
        for of_groups in (False, True):
            mine = [one for one in order if ("subject" in segments.get(one, {})) is of_groups]
            self.situations[of_groups] = {one: (found[one], json.dumps(found[one])) for one in mine}

    def ask(self, person: Person, first: bool, changed: bool, heard: str | None) -> list[str]:
        """Asks what an event may change; None: everything. The segments left now."""
        asked = [
            name
            for name, (_, text) in self.situations[person.is_group].items()
            if heard is None or first or f'"{heard}"' in text or (changed and "trait" in text)
        ]
        return self.asked(person, asked)

    def asked(self, person: Person, situations: Iterable[str]) -> list[str]:
        """Sets memberships to what holds now and notes when they may change by time alone."""
        left, before = [], dict[str, str | None]()
        for name in situations:
            ladder = name.rpartition(".")[0]
            if ladder:
                before.setdefault(ladder, self.level(person, ladder))
            where = self.situations[person.is_group][name][0]
            moments = [at for at in self.moments(person, where) if at > person.now]
            person.changes.pop(name, None)
            if moments:
                person.changes[name] = ceil_ms(min(moments))
            inside, was = self.holds(person, where), name in person.inside
            if inside and not was:
                person.inside[name] = person.now
                if not ladder:
                    self.told(person, "Segment Entered", segment=name)
            elif was and not inside:
                since = person.inside.pop(name)
                if not ladder:
                    self.fact(person, "Segment Left", segment=name, since=since)
                    left.append(name)
        for ladder, level in before.items():
            if (now := self.level(person, ladder)) != level:
                self.told(person, "Level Changed", engagement=ladder, **{"from": level, "to": now})
        return left

    def level(self, person: Person, ladder: str) -> str | None:
        """The strongest that was reached; None below all."""
        names = [one["name"] for one in self.docs["engagement", ladder][-1]["levels"]]
        return next((name for name in reversed(names) if f"{ladder}.{name}" in person.inside), None)
