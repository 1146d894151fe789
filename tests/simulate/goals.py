"""The reference's part on what runs are for: goals that happen or are judged, and how runs end."""

from __future__ import annotations

from typing import Any

from tests.simulate.nouns import Doc, Heard, Person, Run
from tests.simulate.plainly import DAY, fits, span
from tests.simulate.situations import Situations


class Goals(Situations):
    """What runs reach, and their ends."""

    def leave(self, person: Person, run: Run, reason: str) -> None:
        run.over, run.wakes, run.until = reason, None, None
        self.fact(person, "Campaign Exited", **run.about, reason=reason)

    def exits(self, person: Person, left: list[str]) -> None:
        for run in person.runs:
            if not run.over and any({"leaves": name} in run.doc.get("exit", []) for name in left):
                self.leave(person, run, "left_segment")

    def is_goal(self, goal: Doc, heard: Heard) -> bool:
        return goal.get("event") == heard.name and fits(goal.get("where"), heard.says)

    def pursued(self, doc: Doc) -> list[Doc]:
        """The goal, and what is followed beside it."""
        return [doc["goal"], *doc.get("also", [])] if "goal" in doc else []

    def goals(self, person: Person, heard: Heard) -> None:
        """A goal counts strictly after the entry, in its window, arrived within the grace."""
        for run in person.runs:
            for place, goal in enumerate(self.pursued(run.doc)):
                ends = run.entered[0] + span(goal["within"])
                after = self.is_goal(goal, heard) and (heard.at, heard.seq) > run.entered
                if after and heard.at <= ends and person.now <= ends + DAY:
                    self.reached(person, run, place, heard.at, heard.says.get(goal.get("value", "")))

    def judge(self, person: Person) -> None:
        """Goals that are a condition are judged once their window is over."""
        for run in person.runs:
            due = [place for place, at in run.judged.items() if at <= person.now]
            for place in sorted(due, key=lambda one: (run.judged[one], one)):
                goal = self.pursued(run.doc)[place]
                del run.judged[place]
                if self.holds(person, goal["when"]):
                    self.reached(person, run, place, run.entered[0] + span(goal["within"]), None)

    def reached(self, person: Person, run: Run, place: int, at: int, value: Any) -> None:
        """The goal, each time; what is followed beside it, once a run."""
        if place in run.also:
            return
        first = place > 0 or run.goal_at is None
        said: Doc = {"value": value, "first": first} | ({"also": place} if place else {})
        seq = self.fact(person, "Goal Reached", at, **run.about, **said)
        self.begun.append(Heard(at, seq, "Goal Reached", {"first": first and not place}, "", self.imported))
        if place:
            run.also.add(place)
            return
        run.goal_at = min(at, run.goal_at or at)
        if not run.over and "goal" in run.doc.get("exit", []):
            self.leave(person, run, "goal")
