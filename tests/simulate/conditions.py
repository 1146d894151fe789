"""The reference's part on conditions: what a history means at a moment, asked anew each time."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.nouns import Doc, Person
from tests.simulate.plainly import span


class Conditions:
    """Every version of every document, and what conditions in them say of somebody."""

    def __init__(self) -> None:
        self.docs: dict[tuple[str, str], list[Doc]] = {}

    def holds(self, person: Person, where: Doc, at: int | None = None) -> bool:
        """Now, or as it was at an earlier moment by all that is known today."""
        now = person.now if at is None else at
        ((kind, asked),) = where.items()
        if kind in ("all", "any"):
            return (all if kind == "all" else any)(self.holds(person, one, at) for one in asked)
        if kind == "held":
            return self.held_for(person, asked, now)
        if kind == "engagement":
            names = [one["name"] for one in self.docs["engagement", asked["definition"]][-1]["levels"]]
            place = names.index(asked["level"]["at_least"])
            return self.holds(person, at_least(self.docs["engagement", asked["definition"]][-1], place), at)
        if kind == "trait":
            return all(person.trait(name) == value for name, value in asked.items())
        since = now - span(asked["within"]) if "within" in asked else 0
        found = [one for one in person.heard if one.name == asked["event"] and since < one.at <= now]
        return not found if kind == "did_not" else len(found) >= asked.get("times", {"gte": 1})["gte"]

    def held_for(self, person: Person, asked: Doc, now: int) -> bool:
        """Whether it has held for long enough without a break, and was not away for longer than its grace."""
        holding, since, counted = self.holds(person, asked["when"], 0), -(1 << 62), False
        for at in sorted({one for one in self.turns(person, asked["when"]) if one <= now}):
            if self.holds(person, asked["when"], at) is not holding:
                for_us = at - since
                counted = (
                    counted or for_us >= asked["for"] if holding else counted and for_us < asked["grace"]
                )
                holding, since = not holding, at
        return counted or now - since >= asked["for"] if holding else counted and now - since < asked["grace"]

    def turns(self, person: Person, where: Doc) -> Iterator[int]:
        """When its answer may have changed."""
        ((kind, asked),) = where.items()
        if kind in ("all", "any"):
            for one in asked:
                yield from self.turns(person, one)
        elif kind in ("did", "did_not"):
            mine = [one.at for one in person.heard if one.name == asked["event"]]
            yield from mine
            yield from (at + span(asked["within"]) for at in mine if "within" in asked)

    def moments(self, person: Person, where: Doc) -> Iterator[int]:
        """When the answer may change by time alone."""
        ((kind, asked),) = where.items()
        if kind in ("all", "any"):
            for one in asked:
                yield from self.moments(person, one)
        elif kind == "held":
            turns = list(self.turns(person, asked["when"]))
            yield from (at + more for at in turns for more in (0, asked["for"], asked["grace"]))
        elif kind != "trait":
            yield from self.turns(person, where)


def at_least(levels: Doc, place: int) -> Doc:
    """Who has reached a level or a stronger one: with a ladder all up to it must be met."""
    asked = []
    for one in levels["levels"]:
        patience = {"for": span(one.get("held_for", "0m")), "grace": span(one.get("grace", "0m"))}
        asked.append({"held": {"when": one["when"], **patience}} if any(patience.values()) else one["when"])
    ladder = levels.get("ladder", "yes") == "yes"
    return {"all": asked[: place + 1]} if ladder else {"any": asked[place:]}
