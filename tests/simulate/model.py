"""The reference: what Hark has to decide, plainly and slowly, from everything a customer ever did.

Written from semantics.md and definitions.md, with docs/decide.md for the order of the rules, and without any
code of `hark`. It keeps the whole history and asks it anew each time; a run's way through its steps is a
generator. `Model` hears what a tick of the engine took in, and says which facts must come of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulate.journeys import Journeys
from tests.simulate.letters import REPORTS
from tests.simulate.nouns import GROUPS, Doc, Exposure, Fact, Heard, Letter, Moved, Person, Row
from tests.simulate.plainly import fits, moment
from tests.simulate.starts import timed


class Model(Journeys):
    """Everybody's histories, and every version of every document."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[int, Person] = {}
        self.groups: dict[str, Person] = {}
        self.ids: dict[str, int] = {}
        self.seen: set[str] = set()

    def tick(self, rows: Sequence[Row], answers: Sequence[Moved], time: int) -> list[Fact]:
        """Rows in their order, then what providers answered, then all that is due by the engine's time."""
        self.facts, self.turn = [], self.turn + 1
        due = [(one.due, one.number, who, one) for who, one in self.letters("wanted") if one.due <= time]
        for row in rows:
            self.row(row)
        for answer in answers:
            self.answered(answer, time)
        for person in [*self.people.values(), *self.groups.values()]:
            self.timers(person, time + 1)
        for _, _, person, letter in sorted(due, key=lambda one: one[:2]):
            if letter in person.letters and letter.turn != self.turn:
                self.to(person, time)
                self.hand_off(person, letter)
        return self.facts

    def restart(self, time: int) -> list[Fact]:
        """What was with a provider when the engine ended may have left, or not."""
        self.facts, self.turn = [], self.turn + 1
        for _, letter in sorted(self.letters("sending"), key=lambda one: one[1].number):
            self.answered(Moved(letter.message, "unknown"), time)
        return self.facts

    def letters(self, state: str) -> list[tuple[Person, Letter]]:
        return [(who, one) for who in self.people.values() for one in who.letters if one.state == state]

    def answered(self, said: Moved, at: int) -> None:
        found = ((who, one) for who in self.people.values() for one in who.letters)
        for person, letter in [one for one in found if one[1].message == said.message]:
            self.to(person, at)
            self.came_out(person, letter, said)

    def row(self, row: Row) -> None:
        if row.kind == "command":
            zone = self.fallback()
            for doc in row.body["documents"]:
                versions = self.docs.setdefault((doc["kind"], doc["name"]), [])
                if not versions or versions[-1] != doc["body"]:
                    versions.append(doc["body"])
            self.defined()
            elsewhere = zone != self.fallback() and any(timed(doc) for _, doc in self.campaigns())
            for person in self.people.values() if elsewhere else ():
                if person.into is None:
                    self.to(person, row.received)
                    self.arm(person)
        elif row.kind == "consent":
            heard = Heard(row.received, row.place(0), row.body["name"], row.body)
            self.hear(self.today(row.body["subject"]), heard, row.instants.pop(0))
        elif row.kind == "receipt":
            self.reported(row)
        else:
            for member, call in enumerate(row.body["batch"] if row.kind == "import" else [row.body]):
                if call["messageId"] not in self.seen:
                    self.seen.add(call["messageId"])
                    self.call(row, member, call)

    def call(self, row: Row, member: int, call: Doc) -> None:
        at, identify = min(moment(call.get("timestamp"), row.received), row.received), "traits" in call
        imported = row.kind == "import" and at < row.received
        person = self.whose(call, identify, row.received, imported)
        name, says = ("Identify", call["traits"]) if identify else (call["event"], call["properties"])
        heard = Heard(at, row.place(member), name, says, call["messageId"], imported)
        self.hear(person, heard, row.instants.pop(0))
        if "context" in call:
            self.hear_together(call["context"]["groupId"], heard, row.instants.pop(0))

    def hear_together(self, name: str, heard: Heard, instant: int) -> None:
        """What a member does in a group is the group's history too."""
        new = Person(GROUPS + 1 + len(self.groups), name)
        group = self.groups.setdefault(name, new)
        self.to(group, instant)
        group.heard.append(heard)
        self.ask(group, group is new, False, heard.name)
        self.begin(group)

    def reported(self, row: Row) -> None:
        """What a provider says later, each kind once and in its order. It had been accepted, then."""
        rank = list(REPORTS).index(row.body["what"]) + 1
        person, letter = next(
            (who, one)
            for who in self.people.values()
            for one in who.gone
            if one.message == row.body["message"]
        )
        if rank <= letter.reported:
            return
        letter.reported, letter.turn = rank, self.turn
        self.to(person, row.received)
        self.came_out(person, letter, Moved(letter.message, "sent"))
        lasting = rank == 3 or (rank == 2 and row.body["permanent"])
        if lasting:
            self.bar(person, letter.to, row.body["what"])
        self.fact(person, REPORTS[row.body["what"]], **letter.about, to=letter.to, permanent=lasting)

    def whose(self, call: Doc, links: bool, at: int, imported: bool) -> Person:
        """The customer of a call; one that names both ids may show two customers to be one."""
        user, anonymous = f"u:{call.get('userId')}", f"a:{call.get('anonymousId')}"
        if not (links and call.get("userId") and call.get("anonymousId")):
            return self.known(user if call.get("userId") else anonymous)
        mine, theirs = self.ids.get(user), self.ids.get(anonymous)
        if theirs is None or any(one == theirs for name, one in self.ids.items() if name[0] == "u"):
            self.ids[anonymous] = self.known(user).number
        elif mine is None:
            self.ids[user] = theirs
        else:
            self.merge(self.people[max(mine, theirs)], self.people[min(mine, theirs)], at, imported)
        return self.known(user)

    def known(self, id: str) -> Person:
        if id not in self.ids:
            self.ids[id] = len(self.people) + 1
            self.people[self.ids[id]] = Person(self.ids[id], id)
        return self.people[self.ids[id]]

    def today(self, number: int) -> Person:
        while (into := self.people[number].into) is not None:
            number = into
        return self.people[number]

    def hear(self, person: Person, heard: Heard, instant: int) -> None:
        """One event: traits and consent, segments, goals, exits, waits, triggers, in this order."""
        self.to(person, instant)
        first = not person.heard
        person.seq, self.age, self.imported = (
            max(person.seq, heard.seq),
            person.now - heard.at,
            heard.imported,
        )
        person.heard.append(heard)
        self.earn(person, heard, heard.id != "")
        changed = heard.name == "Identify" and self.learn(person, heard.says, heard.at, heard.seq)
        self.consent(person, heard)
        left = self.ask(person, first, changed, heard.name)
        self.goals(person, heard)
        self.exits(person, left)
        for run in list(person.runs):
            awaited = run.wakes and run.until and run.until["event"] == heard.name
            if awaited and (heard.at, heard.seq) > run.since:
                self.go_on(person, run)
        for name, doc in self.campaigns():
            trigger = doc["trigger"]
            if trigger.get("event") == heard.name and fits(trigger.get("where"), heard.says):
                self.consider(person, name, doc, heard)
        self.begin(person)
        if first or heard.name == "Identify":
            self.arm(person)

    def to(self, person: Person, at: int) -> None:
        """Goes to a moment, with all that time alone brings before it."""
        self.timers(person, at)
        person.now, self.age, self.imported = max(person.now, at), 0, False

    def timers(self, person: Person, before: int) -> None:
        """All that time alone brings before a moment, each at its own."""
        while (due := self.next(person)) is not None and due < before:
            person.now, self.age, self.imported = max(person.now, due), 0, False
            names = sorted(name for name, at in person.changes.items() if at <= person.now)
            self.exits(person, self.asked(person, names))
            self.start(person)
            self.judge(person)
            for run in list(person.runs):
                if run.wakes is not None and run.wakes <= person.now:
                    self.go_on(person, run)
            self.begin(person)

    def next(self, person: Person) -> int | None:
        """When time alone changes something for somebody."""
        wakes = [run.wakes for run in person.runs if run.wakes is not None]
        starts = [one.at for one in person.starts.values()]
        wakes += [at for run in person.runs for at in run.judged.values()]
        return min([*wakes, *starts, *person.changes.values()], default=None)

    def merge(self, younger: Person, older: Person, at: int, imported: bool) -> None:
        """Two customers turn out to be one: the older's key stands, and all of both is theirs."""
        self.to(younger, at)
        self.to(older, younger.now)
        self.imported, younger.into = imported, older.number
        for name in [name for name, one in self.ids.items() if one == younger.number]:
            self.ids[name] = older.number
        older.heard, older.seq = older.heard + younger.heard, max(older.seq, younger.seq)
        for name, (when, seq, value) in younger.traits.items():
            self.learn(older, {name: value}, when, seq)
        for key, said in younger.answers.items():
            known = older.answers.get(key, said)
            older.answers[key] = max(known, said, key=lambda one: (one[2] == "out", one))
        older.barred |= younger.barred
        older.inside |= {name: min(one, older.inside.get(name, one)) for name, one in younger.inside.items()}
        self.join_runs(younger, older)
        self.share_balance(younger, older)
        for name, drawn in younger.programmes.items():
            older.programmes[name] = min(older.programmes.get(name, drawn), drawn, key=lambda one: one[0])
        younger.letters, younger.changes, younger.runs, younger.starts = [], {}, [], {}
        left = self.ask(older, False, True, None)
        self.exits(older, left)
        self.begin(older)
        self.arm(older)

    def join_runs(self, younger: Person, older: Person) -> None:
        older.gone += younger.gone
        older.letters = sorted(older.letters + younger.letters, key=lambda one: (one.wanted, one.message))
        for run in younger.runs:
            run.person = older
        older.runs = sorted(older.runs + younger.runs, key=lambda run: (run.entered[0], run.id))
        for key, entry in younger.entries.items():
            older.entries[key] = max(entry, older.entries.get(key, entry), key=lambda one: one[0])
        if older.left_alone is None:
            older.left_alone = younger.left_alone
        for campaign in sorted({one.campaign for one in older.exposures + younger.exposures}):
            self.join_arms(younger, older, campaign)
        seen: set[tuple[str, str]] = set()
        for run in [one for one in older.runs if not one.over]:
            if (run.campaign, run.key) in seen:
                self.leave(older, run, "merged")
            seen.add((run.campaign, run.key))

    def join_arms(self, younger: Person, older: Person, campaign: str) -> None:
        """In different arms of one campaign the earlier entry counts, and a fact says so."""
        both = [[one for one in who.exposures if one.campaign == campaign] for who in (older, younger)]
        others = [one for one in older.exposures if one.campaign != campaign]
        arms = [max(ones, key=lambda one: (one.version, one.at)).arm for ones in both if ones]
        if len(set(arms)) < 2:
            firsts: dict[int, Exposure] = {}
            for one in sorted([*both[0], *both[1]], key=lambda one: (one.at, one.run)):
                firsts.setdefault(one.version, one)
            older.exposures = others + list(firsts.values())
            return
        mine_first = min(one.at for one in both[0]) <= min(one.at for one in both[1])
        kept = arms[0] if mine_first else arms[1]
        older.exposures = others + both[0 if mine_first else 1]
        dropped = arms[1] if mine_first else arms[0]
        self.fact(older, "Arm Conflict", campaign=campaign, kept=kept, dropped=dropped)
        for run in older.runs:
            if run.campaign == campaign and not run.over and run.arm != kept:
                self.leave(older, run, "arm_conflict")
