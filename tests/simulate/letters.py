"""The reference, first part: what may be said to whom, when, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.simulate.nouns import Doc, Fact, Letter, Moved, Person, Run
from tests.simulate.plainly import DAY, HOUR, MINUTE, ceil_ms, derived, hashed, quiet_end, span
from tests.simulate.weighing import Weighing

BY_ITSELF = ("", "finished", "step")
"""Ends of the steps which leave what was wanted before to go."""
REPORTS = {"delivered": "Message Delivered", "bounced": "Message Bounced", "complained": "Message Complained"}


class Letters(Weighing):
    """Consent, quiet hours, caps, and each message's way."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[Fact] = []
        self.turn = 0
        self.written: list[Letter] = []
        """Every message that was ever wanted."""

    def fact(self, person: Person, name: str, at: int | None = None, **says: Any) -> int:
        person.seq += 1
        self.facts.append(Fact(person.number, name, person.now if at is None else at, says))
        return person.seq

    def agreed(self, person: Person, topic: str, channel: str) -> bool:
        default = self.docs["topic", topic][-1].get("default", "out")
        return person.answers.get((topic, channel), (0, 0, default))[2] == "in"

    def send(self, person: Person, run: Run, step: Doc) -> None:
        """A send step's moment: withheld in a control, else wanted now, or when it may go, or not at all."""
        said, topic = step["send"], run.doc.get("topic", "")
        channel = said.get("channel") or self.channel(person, said["channels"], topic)
        template = said["template"] if isinstance(said["template"], str) else said["template"][channel]
        message = derived("message", run.id, step["id"], *([run.round] if run.round else []))
        about = {**run.about, "message": message, "step": step["id"], "topic": topic}
        about |= {"template": template, "channel": channel, "transactional": not topic}
        expires = person.now + span(said["expires"]) if "expires" in said else None
        letter = Letter(about, run, person.now, person.now, expires, len(self.written), turn=self.turn)
        reason, until = (run.arm, None) if run.arm.endswith("control") else self.held(person, letter)
        if reason and until is None:
            self.fact(person, "Message Withheld", **about, reason=reason)
            return
        letter.due = until or person.now
        why: Doc = {"reason": reason} if reason else {}
        person.letters.append(letter)
        self.written.append(letter)
        wanted: Doc = {"to": person.address(channel), "due": letter.due, "expires": expires}
        self.fact(person, "Message Wanted", **about, **wanted, **why)

    def channel(self, person: Person, channels: list[str], topic: str) -> str:
        """The first by which the customer can be reached and has agreed to be; else the first."""
        good = [one for one in channels if person.address(one) and person.address(one) not in person.barred]
        return next((one for one in good if not topic or self.agreed(person, topic, one)), channels[0])

    def held(self, person: Person, letter: Letter) -> tuple[str, int | None]:
        """The first rule that speaks against it now, and until when; waiting past its expiry is no use."""
        reason, until = next(self.objections(person, letter), ("", None))
        if until is not None and letter.expires is not None and until >= letter.expires:
            return "expired", None
        return reason, until

    def objections(self, person: Person, letter: Letter) -> Iterator[tuple[str, int | None]]:
        run, topic, address = letter.run, letter.about["topic"], person.address(letter.channel)
        if letter.expires is not None and person.now >= letter.expires:
            yield "expired", None
        if run.goal_at is not None and "goal" in run.doc.get("exit", []) and run.over in (*BY_ITSELF, "goal"):
            yield "goal_reached", None
        if run.over not in (*BY_ITSELF, "goal"):
            yield "exited", None
        if self.docs["campaign", run.campaign][-1].get("paused") == "yes":
            yield "paused", None
        if not address:
            yield "not_reachable", None
        if address in person.barred:
            yield "suppressed", None
        if topic and not self.agreed(person, topic, letter.channel):
            yield "no_consent", None
        if topic:
            yield from self.not_now(person, letter)

    def not_now(self, person: Person, letter: Letter) -> Iterator[tuple[str, int | None]]:
        intent, asks = letter.run.doc.get("intent", "tell"), self.policy().get("asks", {})
        if intent != "help" and self.policy().get("tickets") != "no" and self.open_ticket(person):
            yield "open_ticket", None
        if intent == "ask" and "after" in asks and not self.holds(person, asks["after"]):
            yield "no_payoff", None
        if intent == "ask" and self.asked_lately(person):
            yield "asked_recently", None
        if (found := self.outranked(person, letter)) is not None:
            yield found
        end = quiet_end(self.policy().get("quiet_hours"), person.now, person.trait("timezone"))
        if end is not None:
            yield "quiet_hours", ceil_ms(end + int(hashed("quiet", letter.message) * 10 * MINUTE))
        caps = self.policy().get("caps", [])
        mine = [cap for cap in caps if cap.get("channel") in (None, letter.channel)]
        until = [self.capped(person, letter, cap) for cap in mine]
        if None in until:
            yield "cap", None
        if any(until):
            yield "cap", max(one for one in until if one)
        if (found := self.affordable(person, letter)) is not None:
            yield found

    def capped(self, person: Person, letter: Letter, cap: Doc) -> int | None:
        """When a place is free; 0: now; None: too late, or it is not waited for. What went holds its place
        from then on, what goes before this one that of its moment."""
        mine = [one for one in person.letters if one is not letter and one.about["topic"]]
        went = [one.sent_at for one in mine if cap.get("channel") in (None, one.channel)]
        places = [at for at in went if at and at > person.now - span(cap["per"])]
        ahead = self.waiting_before(person, letter)
        places += [max(one.due, person.now) for one in ahead if cap.get("channel") in (None, one.channel)]
        if len(places) < cap["messages"]:
            return 0
        until = ceil_ms(sorted(places)[-cap["messages"]] + span(cap["per"]))
        late = "max_wait" in cap and until > letter.wanted + span(cap["max_wait"])
        return None if late or cap.get("on_cap", "skip") == "skip" else until

    def hand_off(self, person: Person, letter: Letter) -> None:
        """All is asked again; then it is *sending*."""
        reason, until = self.held(person, letter)
        if not reason and letter.about["topic"] and self.copied(person, letter):
            reason = "same_address"
        letter.turn = self.turn
        if not reason:
            self.spend(person, letter)
            letter.state, letter.sent_at, letter.to = "sending", person.now, person.address(letter.channel)
            letter.by, letter.handed = person.number, person.now
            person.gone = [one for one in person.gone if one is not letter] + [letter]
            self.fact(person, "Message Sending", **letter.about, to=letter.to)
        elif until is None:
            self.withdraw(person, letter, reason)
        else:
            letter.due = until
            self.fact(person, "Message Deferred", **letter.about, reason=reason, until=until)

    def copied(self, person: Person, letter: Letter) -> bool:
        """Whether somebody else, as they were then, was lately told the same at the same address."""
        same = [one for one in person.gone if one.to == person.address(letter.channel)]
        same = [one for one in same if one.what == letter.what and one is not letter]
        last = same[-1] if same else None
        return last is not None and last.by != person.number and last.handed > person.now - DAY

    def withdraw(self, person: Person, letter: Letter, reason: str) -> None:
        person.letters.remove(letter)
        letter.state, letter.turn = "withheld", self.turn
        self.fact(person, "Message Withheld", **letter.about, reason=reason)

    def came_out(self, person: Person, letter: Letter, said: Moved) -> None:
        """What a provider answered. What may have gone is not tried again, but once where transactional."""
        known = letter.state in ("sending", "unknown") and letter.state != said.state
        if not (known or (letter.state == "wanted" and letter.doubts and said.state == "sent")):
            return
        letter.turn = self.turn
        if letter.sent_at is not None and letter.sent_at <= person.now - 30 * DAY:
            letter.state = said.state  # nobody waits for an answer so long
            return
        if said.state == "failed":
            self.failed(person, letter, said)
            return
        again = ceil_ms(person.now + 5 * MINUTE)
        letter.doubts += said.state == "unknown"
        once = not letter.about["topic"] and letter.doubts == 1 and again < (letter.expires or again + 1)
        letter.state, letter.sent_at = said.state, letter.sent_at or person.now
        if said.state == "sent":
            self.fact(person, "Message Sent", **letter.about, to=letter.to)
            return
        self.fact(person, "Message Unknown", **letter.about, again=once)
        if once:
            self.wanted_again(person, letter, again, "unknown")

    def wanted_again(self, person: Person, letter: Letter, until: int, reason: str) -> None:
        letter.state, letter.sent_at, letter.due = "wanted", None, until
        self.fact(person, "Message Deferred", **letter.about, reason=reason, until=until)

    def failed(self, person: Person, letter: Letter, said: Moved) -> None:
        """For now: tried again, after a minute, tripled each time up to 4 h, less up to a quarter; at most
        eight times, and not past the expiry or the goal's window. For good: the address is suppressed."""
        letter.attempts += 1
        wait = min(MINUTE * 3 ** (letter.attempts - 1), 4 * HOUR)
        wait -= int(hashed(f"retry/{letter.attempts}", letter.message) * 0.25 * wait)
        until = ceil_ms(person.now + max(wait, min(said.after, DAY)))
        ends = [letter.expires or until + 1, letter.run.window if letter.about["topic"] else until + 1]
        if said.temporary and letter.state == "sending" and letter.attempts < 8 and until < min(ends):
            self.wanted_again(person, letter, until, "provider")
            return
        person.letters.remove(letter)
        letter.state = "failed"
        if said.permanent:
            self.bar(person, letter.to, "bounced")
        self.fact(person, "Message Failed", **letter.about, permanent=said.permanent)

    def bar(self, person: Person, address: str, why: str) -> None:
        if address not in person.barred:
            person.barred.add(address)
            self.fact(person, "Address Suppressed", address=address, why=why, topic="")
