"""The reference's part on attention: whose message is worth more, and what somebody has left to give."""

from __future__ import annotations

from statistics import NormalDist, fmean, pvariance

from tests.simulate.conditions import Conditions
from tests.simulate.nouns import Doc, Heard, Letter, Person
from tests.simulate.plainly import DAY, ceil_ms, hashed, share, span

EARNS = {"Goal Reached": "goal", "Content Read": "read", "Survey Answered": "reply"}


class Weighing(Conditions):
    """Ranks, the balance of attention, asks and tickets; of the policy and the campaigns in force."""

    def policy(self, name: str = "attention") -> Doc:
        return self.docs.get(("policy", name), [{}])[-1]

    def fallback(self) -> str:
        """The zone of those whose own nobody knows."""
        zone: str = self.policy().get("quiet_hours", {}).get("fallback_zone", "UTC")
        return zone

    def campaigns(self) -> list[tuple[str, Doc]]:
        found = [(name, versions[-1]) for (kind, name), versions in self.docs.items() if kind == "campaign"]
        return sorted(found, key=lambda one: one[0])

    def prospects(self) -> dict[str, tuple[float, float]]:
        """By campaign its effect, mean and standard deviation: as found, else as of all that were found,
        else as expected, as unsure as it is large."""
        asked = {name: doc for name, doc in self.campaigns() if "topic" in doc}
        known = {name: self.docs["effect", name][-1] for name in asked if ("effect", name) in self.docs}
        if known:
            means = [one["mean"] for one in known.values()]
            centre = fmean(means)
            usual = centre, (pvariance(means) + fmean(one["spread"] ** 2 for one in known.values())) ** 0.5
            found = {name: (one["mean"], one["spread"]) for name, one in known.items()}
            return {name: found.get(name, usual) for name in asked}
        expected = {name: share(doc["expects"]) for name, doc in asked.items() if "expects" in doc}
        mean = fmean(expected.values()) if expected else 1.0
        return {name: (expected.get(name, mean),) * 2 for name in asked}

    def rank(self, person: Person, campaign: str) -> float:
        """Worth times effect; on one day in ten, times a draw of the effect."""
        day = f"arbitration/{person.now // DAY}"
        worth: float = self.docs["campaign", campaign][-1].get("worth", 1)
        mean, deviation = self.prospects()[campaign]
        if hashed(day, person.key) >= 0.1:
            return worth * mean
        return worth * NormalDist(mean, deviation).inv_cdf(
            max(1e-12, hashed(f"{day}/{campaign}", person.key))
        )

    def before(self, person: Person, letter: Letter, other: Letter) -> bool:
        """Whether another that waits goes before: the worthier, if not due much later; or the first."""
        window = span(self.policy().get("arbitration", {"within": "0m"})["within"])
        mine, theirs = (self.rank(person, one.campaign) for one in (letter, other))
        at, then = (max(one.due, person.now) for one in (letter, other))
        if mine != theirs and (then <= at + window if mine < theirs else at <= then + window):
            return mine < theirs
        waiting = person.letters
        return letter not in waiting or waiting.index(other) < waiting.index(letter)

    def waiting_before(self, person: Person, letter: Letter) -> list[Letter]:
        others = [
            one for one in person.letters if one is not letter and one.about["topic"] and not one.sent_at
        ]
        return [one for one in others if self.before(person, letter, one)]

    def outranked(self, person: Person, letter: Letter) -> tuple[str, int | None] | None:
        """By a worthier one that wants the customer within the window, or had them within it."""
        if not (said := self.policy().get("arbitration")):
            return None
        within = span(said["within"])
        if person.now < letter.wanted + within:
            return "weighing", ceil_ms(letter.wanted + within)
        rivals = [one for one in person.letters if one.campaign != letter.campaign and one.about["topic"]]
        rivals = [
            one for one in rivals if self.rank(person, one.campaign) > self.rank(person, letter.campaign)
        ]
        rivals = [
            one
            for one in rivals
            if (one.sent_at > person.now - within if one.sent_at else one.due <= person.now + within)
        ]
        if not rivals:
            return None
        last = max([person.now, *(one.sent_at or one.due for one in rivals)])
        return "outranked", ceil_ms(last + within) if said.get("on_outranked", "wait") == "wait" else None

    def asked_lately(self, person: Person) -> bool:
        gap = span(self.policy().get("asks", {}).get("gap", "7d"))
        asks = [one for one in person.letters if one.sent_at and one.run.doc.get("intent") == "ask"]
        return any(one.sent_at > person.now - gap for one in asks if one.sent_at)

    def open_ticket(self, person: Person) -> bool:
        """Opened within 14 days, and not solved since."""
        opened = [(one.at, one.seq) for one in person.heard if one.name == "Ticket Opened"]
        solved = [(one.at, one.seq) for one in person.heard if one.name == "Ticket Solved"]
        lately = any(person.now - 14 * DAY < at <= person.now for at, _ in opened)
        return lately and (not solved or max(opened) > max(solved))

    def balance(self, person: Person) -> float:
        """What is left now: refilled by time, less for each message without a sign within a day."""
        said = self.policy()["budget"]
        points, _, per = said["refill"].partition(" per ")
        if person.balance is None:
            person.balance = said["most"], person.now
        ignored = [one for one in person.unanswered if one + DAY < person.now]
        for at, lost in [*((one + DAY, said.get("ignored", 0)) for one in ignored), (person.now, 0)]:
            left, since = person.balance
            if at > since:
                left = round(min(said["most"], left + float(points) * (at - since) / span(per)), 6)
            person.balance = max(0.0, left - lost), max(at, since)
        person.unanswered = [one for one in person.unanswered if one not in ignored]
        return person.balance[0]

    def share_balance(self, younger: Person, older: Person) -> None:
        """Of two who are one the lesser is left; messages of both wait for their sign."""
        younger.now = older.now
        if older.balance and younger.balance and self.policy().get("budget"):
            self.balance(older), self.balance(younger)
        balances = [one.balance for one in (older, younger) if one.balance]
        if balances:
            older.balance = min(left for left, _ in balances), max(at for _, at in balances)
        older.unanswered = sorted(older.unanswered + younger.unanswered)

    def earn(self, person: Person, heard: Heard, active: bool) -> None:
        """Signs of welcome: a goal reached first, reading, answers; anything within a day of a message."""
        said, kind = self.policy().get("budget"), EARNS.get(heard.name)
        if said is None or heard.imported or not (kind or (active and person.unanswered)):
            return
        self.balance(person)
        answered = [one for one in person.unanswered if active and one < heard.at <= one + DAY]
        person.unanswered = [one for one in person.unanswered if one not in answered]
        kinds = [kind if kind != "goal" or heard.says.get("first") else None, "return" if answered else None]
        for one in filter(None, kinds):
            left, since = person.balance or (0.0, 0)
            person.balance = min(said["most"], left + said.get("earned", {}).get(one, 0)), since

    def cost(self, letter: Letter) -> float:
        price: float = self.policy()["budget"].get(letter.run.doc.get("intent", "tell"), 1)
        return price

    def affordable(self, person: Person, letter: Letter) -> tuple[str, int | None] | None:
        if not (said := self.policy().get("budget")):
            return None
        points, _, per = said["refill"].partition(" per ")
        left, ahead = self.balance(person), self.waiting_before(person, letter)
        lacking = self.cost(letter) + sum(self.cost(one) for one in ahead) - left
        if lacking <= 0:
            return None
        until = ceil_ms(person.now + int(lacking / float(points) * span(per)) + 1)
        late = until > letter.wanted + span(said.get("max_wait", "2d"))
        return "budget", None if late else until

    def spend(self, person: Person, letter: Letter) -> None:
        if self.policy().get("budget") and letter.about["topic"]:
            left = self.balance(person)
            person.balance = max(0.0, left - self.cost(letter)), person.now
            person.unanswered.append(person.now)
