"""The reference's part on journeys: entering a campaign, its arms, its steps."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.goals import Goals
from tests.simulate.nouns import Doc, Exposure, Heard, Person, Run
from tests.simulate.plainly import at_local, ceil_ms, derived, hashed, moment, share, span, taken
from tests.simulate.starts import UNSAID, following, timed


class OverError(Exception):
    """An `exit` step."""


class Journeys(Goals):
    """Ways through campaigns."""

    def begin(self, person: Person) -> None:
        """Facts just made are followed up: campaigns start by them, traits change, goals are welcome."""
        while self.begun:
            heard = self.begun.pop(0)
            self.earn(person, heard, False)
            if heard.name == "Traits Updated":
                self.exits(person, self.ask(person, False, True, ""))
                self.arm(person)
            for name, doc in self.campaigns():
                trigger = doc["trigger"]
                entered = heard.name == "Segment Entered" and trigger.get("enters") == heard.says["segment"]
                if entered or (heard.name == "Level Changed" and self.crossed(trigger, heard.says)):
                    self.consider(person, name, doc, heard)

    def crossed(self, trigger: Doc, says: Doc) -> bool:
        """Whether a change of level, also over several at once, is the one that starts a campaign."""
        said = trigger.get("engagement", {})
        if said.get("definition") != says["engagement"]:
            return False
        names = [None, *(one["name"] for one in self.docs["engagement", says["engagement"]][-1]["levels"])]
        before, now = names.index(says["from"]), names.index(says["to"])
        if "reaches" in said:
            return before < names.index(said["reaches"]) <= now
        return now < names.index(said["falls_below"]) <= before

    def arm(self, person: Person, only: str = "") -> None:
        """Notes when campaigns start by time alone next."""
        for name, doc in self.campaigns():
            if timed(doc) and only in ("", name):
                known = person.starts.pop(name, None)
                after = person.now - (known is not None and known.at == person.now)  # that has still to come
                over = doc.get("reenter", "never") == "never" and (name, "") in person.entries
                start = None if over else following(name, doc, person, after, self.fallback())
                if start:
                    person.starts[name] = start

    def start(self, person: Person) -> None:
        """What starts at this moment, and when it does next."""
        for name in sorted(name for name, one in person.starts.items() if one.at <= person.now):
            start, doc = person.starts.pop(name), self.docs["campaign", name][-1]
            if start.late or start == following(name, doc, person, start.at - 1, self.fallback()):
                self.consider(person, name, doc, Heard(start.nominal, person.seq, timed(doc), {}))
            if timed(doc) != "broadcast":
                self.arm(person, name)

    def consider(self, person: Person, name: str, doc: Doc, heard: Heard) -> None:
        key = str(heard.says.get(doc["key"].removeprefix("event."), "")) if "key" in doc else ""
        runs = (run for run in person.runs if (run.campaign, run.key) == (name, key) and not run.over)
        live, stale = next(runs, None), self.age > span(doc.get("fresh", "1d"))
        if self.imported:
            return
        if live and doc.get("on_retrigger", "ignore") != "ignore" and not stale:
            if doc["on_retrigger"] == "restart" and ("goal" not in live.doc or person.now <= live.window):
                self.restarted(person, live)
            return
        at, told = person.entries.get((name, key), (0, False))
        again = at and self.not_again(person, doc, live, at)
        if again and not told:
            person.entries[name, key] = (at, True)
        refused = again or next((why for why, no in self.refusals(person, name, doc, heard, stale) if no), "")
        if not refused:
            self.enter(person, name, doc, heard, key)
        elif not (again and told) and (again or not timed(doc) or refused not in UNSAID):
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
        internal = self.policy("internal").get("where")
        yield "internal", bool("topic" in doc and internal and self.holds(person, internal))
        yield "not_in_audience", "audience" in doc and not self.holds(person, doc["audience"])
        yield "not_reachable", not any(person.address(one) for one in channels)
        yield "suppressed", all(person.address(one) in person.barred for one in channels)
        yield (
            "no_consent",
            "topic" in doc and not any(self.agreed(person, doc["topic"], one) for one in channels),
        )
        yield "goal_already_met", "event" in doc["trigger"] and self.met(person, doc, heard)
        yield "exclusive", "exclusive" in doc and self.chosen(person, doc["exclusive"]) != name
        yield "not_in_ramp", hashed(f"campaign/{name}/ramp", person.key) >= share(doc.get("ramp", "100%"))

    def chosen(self, person: Person, group: str) -> str:
        """Of a group's campaigns the one that was entered first, else that of the highest hash."""
        names = [name for name, doc in self.campaigns() if doc.get("exclusive") == group]
        entered = [(one.at, one.campaign) for one in person.exposures if one.campaign in names]
        first = min(entered, default=None)
        return (
            first[1] if first else max(names, key=lambda one: hashed(f"exclusive/{group}/{one}", person.key))
        )

    def met(self, person: Person, doc: Doc, heard: Heard) -> bool:
        goals = [one for one in person.heard if self.is_goal(doc.get("goal", {}), one)]
        return any((one.at, one.seq) > (heard.at, heard.seq) for one in goals)

    def variants(self, doc: Doc) -> dict[str, list[Doc]]:
        return {name: one["steps"] for name, one in doc["variants"].items()}

    def first_channels(self, steps: list[Doc]) -> list[str]:
        send = next(step["send"] for step in steps if "send" in step)
        return send.get("channels") or [send["channel"]]

    def enter(self, person: Person, name: str, doc: Doc, heard: Heard, key: str) -> None:
        """The draw, the exposure of every arm alike, the first steps."""
        times = heard.id if "event" in doc["trigger"] else str(heard.at)
        times = "0" if doc.get("reenter", "never") == "never" else times
        arm, variant, part, propensity, carried = self.draw(person, name, doc, times)
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
        judged = [(place, one) for place, one in enumerate(self.pursued(doc)) if "when" in one]
        run.judged = {place: ceil_ms(person.now + span(one["within"])) for place, one in judged}
        person.runs.append(run)
        person.entries[name, key] = (person.now, False)
        self.walk_from_start(person, run)

    def expose(self, person: Person, new: Exposure) -> bool:
        """Whether it is the first entry into this version's comparison, in which no global control is."""
        same = [one for one in person.exposures if (one.campaign, one.version) == (new.campaign, new.version)]
        never = ("global_control", "programme_control")
        if same and not (same[0].arm in never and new.arm not in never):
            return False
        person.exposures = [one for one in person.exposures if one not in same] + [new]
        return True

    def draw(self, person: Person, name: str, doc: Doc, times: str) -> tuple[str, str, float, float, bool]:
        """(arm, variant walked, share of the control, propensity, whether recorded before)."""
        key = f"{person.key}/{times}" if doc.get("arm") == "per_entry" else person.key
        weights = doc.get("allocation", {}).get("weights") or dict.fromkeys(doc["variants"], 1)
        variant, weight = taken(hashed(f"campaign/{name}/variant", key), weights)
        control = share(doc.get("control", "0%"))
        if "topic" not in doc:
            return variant, variant, 0.0, weight, False
        if left := self.left_alone(person):
            return "global_control", variant, control, left, False
        if left := self.in_programme(person, doc.get("programme"), name):
            return "programme_control", variant, control, left, False
        arms = {*doc["variants"], *(["control"] if control else [])}
        known = [one for one in person.exposures if one.campaign == name and one.arm in arms]
        if known and doc.get("arm") != "per_entry":
            last = max(known, key=lambda one: (one.version, one.at, one.seq))
            return last.arm, variant if last.arm == "control" else last.arm, last.share, last.propensity, True
        if hashed(f"campaign/{name}/control", key) < control:
            return "control", variant, control, control, False
        return variant, variant, control, (1 - control) * weight, False

    def left_alone(self, person: Person) -> float:
        """The share of the global control where the customer is in it; drawn once, or once in each period."""
        said = self.policy().get("global_control", {"share": "0%"})
        period = person.now // span(said["redraw"]) if "redraw" in said else 0
        salt = f"global/{period}" if "redraw" in said else "global"
        if (everybody := share(said["share"])) and (person.left_alone or (-1,))[0] != period:
            person.left_alone = period, hashed(salt, person.key) < everybody
        return everybody if everybody and person.left_alone and person.left_alone[1] else 0.0

    def in_programme(self, person: Person, name: str | None, campaign: str) -> float:
        """The share of a programme's control where the customer is in it; drawn on first qualifying."""
        if name is None:
            return 0.0
        if name not in person.programmes:
            versions = self.docs["programme", name]
            part = share(versions[-1]["control"])
            arm = "control" if hashed(f"programme/{name}", person.key) < part else "treated"
            person.programmes[name] = person.now, arm, part
            said: Doc = {"programme": name, "version": len(versions), "arm": arm, "share": part}
            said["propensity"] = part if arm == "control" else 1 - part
            self.fact(person, "Programme Entered", **said, campaign=campaign)
        return person.programmes[name][2] if person.programmes[name][1] == "control" else 0.0

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
                    self.begun.append(Heard(person.now, seq, "Traits Updated", {}))
            elif "exit" in step:
                raise OverError

    def wait(self, person: Person, run: Run, wait: Doc) -> tuple[int, Doc | None]:
        run.since = person.now, person.seq
        if "for" in wait:
            return ceil_ms(person.now + span(wait["for"])), wait.get("until")
        zone = person.trait("timezone") if wait.get("zone", "customer") == "customer" else wait["zone"]
        return at_local(person.now, wait["at"], zone or self.fallback(), wait.get("days")), None

    def split(self, person: Person, run: Run, step: Doc) -> list[Doc]:
        u = hashed(f"campaign/{run.campaign}/split/{step['id']}", person.key)
        way, part = taken(u, {name: one.get("weight", 1) for name, one in step["split"].items()})
        self.fact(person, "Split Entered", **run.about, split=step["id"], way=way, share=part)
        steps: list[Doc] = step["split"][way]["steps"]
        return steps

    def restarted(self, person: Person, run: Run) -> None:
        """The steps begin anew; what had not gone is withdrawn."""
        for letter in [one for one in person.letters if one.run is run and one.state == "wanted"]:
            self.withdraw(person, letter, "restarted")
        run.round += 1
        self.fact(person, "Campaign Restarted", **run.about, round=run.round)
        self.walk_from_start(person, run)
