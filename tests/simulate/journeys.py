"""The reference, second part: situations, entering a campaign, its arms, its steps, its goal."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.letters import Letters
from tests.simulate.nouns import Doc, Exposure, Heard, Person, Run
from tests.simulate.plainly import DAY, at_local, ceil_ms, derived, fits, hashed, moment, share, span, taken


class OverError(Exception):
    """An `exit` step."""


class Journeys(Letters):
    """What somebody's history means for them at a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.segments: dict[str, str] = {}
        """By name what is written of it, to see which events it asks for."""
        self.age, self.imported = 0, False
        self.begun: list[tuple[str, Heard]] = []
        """Segments come into just now, "" for traits set, not followed up yet."""

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

    def ask(self, person: Person, first: bool, changed: bool, heard: str | None) -> list[str]:
        """Asks the segments that an event may change; None: all of them. Those left now."""
        left = []
        for name, text in sorted(self.segments.items()):
            asked = heard is None or first or f'"{heard}"' in text or (changed and "trait" in text)
            left += self.asked(person, name) if asked else []
        return left

    def asked(self, person: Person, name: str) -> list[str]:
        """Sets the membership to what holds now and notes when it may change by time alone."""
        where = self.docs["segment", name][-1]["where"]
        inside, was = self.holds(person, where), name in person.inside
        moments = [at for at in self.moments(person, where) if at > person.now]
        person.changes.pop(name, None)
        if moments:
            person.changes[name] = ceil_ms(min(moments))
        if inside and not was:
            person.inside[name] = person.now
            seq = self.fact(person, "Segment Entered", segment=name)
            self.begun.append((name, Heard(person.now, seq, "Segment Entered", {}, "", self.imported)))
        elif was and not inside:
            self.fact(person, "Segment Left", segment=name, since=person.inside.pop(name))
            return [name]
        return []

    def holds(self, person: Person, where: Doc) -> bool:
        ((kind, asked),) = where.items()
        if kind in ("all", "any"):
            return (all if kind == "all" else any)(self.holds(person, one) for one in asked)
        if kind == "trait":
            return all(person.trait(name) == value for name, value in asked.items())
        found = sum(self.counts(person, one, asked) for one in person.heard)
        return found == 0 if kind == "did_not" else found >= asked.get("times", {"gte": 1})["gte"]

    def counts(self, person: Person, heard: Heard, asked: Doc) -> bool:
        lately = heard.at > person.now - span(asked["within"])
        return heard.name == asked["event"] and lately and heard.at <= person.now

    def moments(self, person: Person, where: Doc) -> Iterator[int]:
        """When one of the events counted goes out of its window."""
        ((kind, asked),) = where.items()
        if kind in ("all", "any"):
            for one in asked:
                yield from self.moments(person, one)
        elif kind != "trait":
            yield from (one.at + span(asked["within"]) for one in person.heard if one.name == asked["event"])

    def campaigns(self) -> list[tuple[str, Doc]]:
        found = [(name, versions[-1]) for (kind, name), versions in self.docs.items() if kind == "campaign"]
        return sorted(found, key=lambda one: one[0])

    def begin(self, person: Person) -> None:
        """Who has just come into a segment starts its campaigns; traits just set may bring them into one."""
        while self.begun:
            segment, heard = self.begun.pop(0)
            if not segment:
                self.exits(person, self.ask(person, False, True, ""))
            for name, doc in self.campaigns():
                if segment and doc["trigger"].get("enters") == segment:
                    self.consider(person, name, doc, heard)

    def consider(self, person: Person, name: str, doc: Doc, heard: Heard) -> None:
        key = str(heard.says.get(doc["key"].removeprefix("event."), "")) if "key" in doc else ""
        runs = (run for run in person.runs if (run.campaign, run.key) == (name, key) and not run.over)
        live, stale = next(runs, None), self.age > span(doc.get("fresh", "1d"))
        if self.imported:
            return
        if live and doc.get("on_retrigger") == "restart" and not stale:
            if "goal" not in live.doc or person.now <= live.window:
                self.restarted(person, live)
            return
        at, told = person.entries.get((name, key), (0, False))
        again = at and self.not_again(person, doc, live, at)
        if again and not told:
            person.entries[name, key] = (at, True)
        refused = again or next((why for why, no in self.refusals(person, name, doc, heard, stale) if no), "")
        if not refused:
            self.enter(person, name, doc, heard, key)
        elif not (again and told):
            said: Doc = {"campaign": name, "version": self.version(name), "trigger_at": heard.at}
            self.fact(person, "Not Eligible", **said, reason=refused)

    def not_again(self, person: Person, doc: Doc, live: Run | None, at: int) -> str:
        after = doc.get("reenter", "never")
        over = after == "never" or (after != "always" and person.now < at + span(after["after"]))
        return "already_running" if live else "already_entered" if over else ""

    def version(self, name: str) -> int:
        return len(self.docs["campaign", name])

    def refusals(
        self, person: Person, name: str, doc: Doc, heard: Heard, stale: bool
    ) -> Iterator[tuple[str, bool]]:
        """What may stand against an entry, before the draw and alike for every arm."""
        channels = {one for steps in self.variants(doc).values() for one in self.first_channels(steps)}
        yield "stale", stale
        yield "paused", doc.get("paused") == "yes"
        yield (
            "out_of_dates",
            not moment(doc.get("starts"), 0) <= person.now < moment(doc.get("ends"), 1 << 62),
        )
        yield "not_in_audience", "audience" in doc and not self.holds(person, doc["audience"])
        yield "not_reachable", not any(person.address(one) for one in channels)
        yield "suppressed", all(person.address(one) in person.barred for one in channels)
        yield (
            "no_consent",
            "topic" in doc and not any(self.agreed(person, doc["topic"], one) for one in channels),
        )
        yield "goal_already_met", "event" in doc["trigger"] and self.met(person, doc, heard)
        yield "not_in_ramp", hashed(f"campaign/{name}/ramp", person.key) >= share(doc.get("ramp", "100%"))

    def met(self, person: Person, doc: Doc, heard: Heard) -> bool:
        goals = [one for one in person.heard if self.is_goal(doc, one)]
        return any((one.at, one.seq) > (heard.at, heard.seq) for one in goals)

    def variants(self, doc: Doc) -> dict[str, list[Doc]]:
        return {name: one["steps"] for name, one in doc["variants"].items()}

    def first_channels(self, steps: list[Doc]) -> list[str]:
        send = next(step["send"] for step in steps if "send" in step)
        return send.get("channels") or [send["channel"]]

    def enter(self, person: Person, name: str, doc: Doc, heard: Heard, key: str) -> None:
        """The draw, the exposure of every arm alike, the first steps."""
        arm, variant, part, propensity, carried = self.draw(person, name, doc)
        times = heard.id if "event" in doc["trigger"] else str(heard.at)
        times = "0" if doc.get("reenter", "never") == "never" else times
        version = self.version(name)
        run = Run(
            derived("run", name, person.number, key, times), name, version, doc, key, arm, variant, person
        )
        new = Exposure(name, version, arm, person.now, person.seq + 1, run.id, part, propensity)
        said: Doc = {
            "variant": variant,
            "share": part,
            "propensity": propensity,
            "carried": carried,
        }
        first = self.expose(person, new)
        seq = self.fact(
            person, "Campaign Entered", **run.about, **said, key=key, first=first, trigger_at=heard.at
        )
        run.entered = (person.now, seq)
        person.runs.append(run)
        person.entries[name, key] = (person.now, False)
        self.walk_from_start(person, run)

    def expose(self, person: Person, new: Exposure) -> bool:
        """Whether it is the first entry into this version's comparison, in which no global control is."""
        same = [one for one in person.exposures if (one.campaign, one.version) == (new.campaign, new.version)]
        if same and not (same[0].arm == "global_control" != new.arm):
            return False
        person.exposures = [one for one in person.exposures if one not in same] + [new]
        return True

    def draw(self, person: Person, name: str, doc: Doc) -> tuple[str, str, float, float, bool]:
        weights = doc.get("allocation", {}).get("weights") or dict.fromkeys(doc["variants"], 1)
        variant, weight = taken(hashed(f"campaign/{name}/variant", person.key), weights)
        control = share(doc.get("control", "0%"))
        if "topic" not in doc:
            return variant, variant, 0.0, weight, False
        everybody = share(self.policy().get("global_control", {}).get("share", "0%"))
        if everybody and person.left_alone is None:
            person.left_alone = hashed("global", person.key) < everybody
        if everybody and person.left_alone:
            return "global_control", variant, control, everybody, False
        arms = {*doc["variants"], *(["control"] if control else [])}
        known = [one for one in person.exposures if one.campaign == name and one.arm in arms]
        if known:
            last = max(known, key=lambda one: (one.version, one.at, one.seq))
            return last.arm, variant if last.arm == "control" else last.arm, last.share, last.propensity, True
        if hashed(f"campaign/{name}/control", person.key) < control:
            return "control", variant, control, control, False
        return variant, variant, control, (1 - control) * weight, False

    def walk_from_start(self, person: Person, run: Run) -> None:
        run.way = self.walk(run, run.doc["variants"][run.variant]["steps"])
        self.go_on(person, run)

    def go_on(self, person: Person, run: Run) -> None:
        """Up to the next wait, or to the end."""
        run.wakes, run.until = None, None
        try:
            run.wakes, run.until = next(run.way or iter(()))
        except StopIteration:
            self.leave(person, run, "finished")
        except OverError:
            self.leave(person, run, "step")

    def walk(self, run: Run, steps: list[Doc]) -> Iterator[tuple[int, Doc | None]]:
        """Does each step at its moment; of a wait its end, and the event that ends it before."""
        for step in steps:
            person = run.person
            if "wait" in step:
                yield self.wait(person, run, step["wait"])
            elif "send" in step:
                self.send(person, run, step)
            elif "branch" in step:
                ways = (way for way in step["branch"] if "when" not in way or self.holds(person, way["when"]))
                way: Doc = next(ways, {})
                yield from self.walk(run, way.get("steps") or way.get("otherwise") or [])
            elif "split" in step:
                yield from self.walk(run, self.split(person, run, step))
            elif "update" in step and not run.arm.endswith("control"):
                traits = step["update"]["traits"]
                seq = self.fact(person, "Traits Updated", **run.about, traits=traits)
                if self.learn(person, traits, person.now, seq):
                    self.begun.append(("", Heard(person.now, seq, "", {})))
            elif "exit" in step:
                raise OverError

    def wait(self, person: Person, run: Run, wait: Doc) -> tuple[int, Doc | None]:
        run.since = person.now, person.seq
        if "for" in wait:
            return ceil_ms(person.now + span(wait["for"])), wait.get("until")
        fallback = self.policy().get("quiet_hours", {}).get("fallback_zone", "UTC")
        zone = person.trait("timezone") if wait.get("zone", "customer") == "customer" else wait["zone"]
        return at_local(person.now, wait["at"], zone or fallback, wait.get("days")), None

    def split(self, person: Person, run: Run, step: Doc) -> list[Doc]:
        u = hashed(f"campaign/{run.campaign}/split/{step['id']}", person.key)
        way, part = taken(u, {name: one.get("weight", 1) for name, one in step["split"].items()})
        self.fact(person, "Split Entered", **run.about, split=step["id"], way=way, share=part)
        steps: list[Doc] = step["split"][way]["steps"]
        return steps

    def leave(self, person: Person, run: Run, reason: str) -> None:
        run.over, run.wakes, run.until = reason, None, None
        self.fact(person, "Campaign Exited", **run.about, reason=reason)

    def exits(self, person: Person, left: list[str]) -> None:
        for run in person.runs:
            if not run.over and any({"leaves": name} in run.doc.get("exit", []) for name in left):
                self.leave(person, run, "left_segment")

    def restarted(self, person: Person, run: Run) -> None:
        """The steps begin anew; what had not gone is withdrawn."""
        for letter in [one for one in person.letters if one.run is run and one.state == "wanted"]:
            self.withdraw(person, letter, "restarted")
        run.round += 1
        self.fact(person, "Campaign Restarted", **run.about, round=run.round)
        self.walk_from_start(person, run)

    def is_goal(self, doc: Doc, heard: Heard) -> bool:
        goal = doc.get("goal", {})
        return goal.get("event") == heard.name and fits(goal.get("where"), heard.says)

    def goals(self, person: Person, heard: Heard) -> None:
        """A goal counts strictly after the entry, in its window, arrived within the grace."""
        for run in person.runs:
            if not self.is_goal(run.doc, heard) or (heard.at, heard.seq) <= run.entered:
                continue
            if heard.at <= run.window and person.now <= run.window + DAY:
                value, first = heard.says.get(run.doc["goal"].get("value")), run.goal_at is None
                run.goal_at = min(heard.at, run.goal_at or heard.at)
                self.fact(person, "Goal Reached", heard.at, **run.about, value=value, first=first)
                if not run.over and "goal" in run.doc.get("exit", []):
                    self.leave(person, run, "goal")
