"""What happens in a simulated world: drawn from its seed alone, day by day, so that a shorter world is the
beginning of a longer one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from hark.clock import instant, moment
from hark.model import DAY, HOUR, MINUTE, SECOND, Lane
from tests.simulate.documents import Documents

ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland"),
    *("America/Santiago", "Africa/Casablanca", "Europe/London", ""),
)
STARTS = ("2026-03-20", "2026-10-18", "2026-03-05", "2026-10-30", "2026-04-01", "2026-09-22", "2026-01-02")
"""Around the days on which clocks change, here and there."""
EVENTS = (
    *("Visited", "Visited", "Visited", "Visited", "Added", "Added", "Added", "Added", "Bought", "Bought"),
    *("Looked", "Looked", "Content Read", "Survey Answered", "Ticket Opened", "Ticket Solved"),
)
USERS, VISITORS = 6, 3


class Post(NamedTuple):
    """A row that arrives."""

    lane: Lane
    kind: str
    body: dict[str, Any]


class Crash(NamedTuple):
    """The engine ends at its `commit`-th commit from here: before it, after it, or once messages went."""

    commit: int
    when: str


class Moment(NamedTuple):
    """Rows arrive, then the engine looks a few times, about `budget` events each."""

    at: int
    rows: list[Post]
    budget: int
    crash: Crash | None = None


class Script:
    """One world's definitions, people, and what they do."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"world/{seed}")
        start = self._chance.choice(STARTS)
        self.start = instant(start + "T00:00:00Z")
        self._documents = Documents(self._chance, date.fromisoformat(start))
        self._seed = seed
        self._count = 0
        self._said: list[tuple[int, Post]] = []

    def moments(self, days: int) -> Iterator[Moment]:
        """The definitions, who everybody is, then what happens on each day."""
        first = [self._command(self._documents.all())]
        first += [self._identify(self._user(one), None, self.start) for one in range(USERS)]
        yield Moment(self.start, first, 1 << 10)
        for day in range(days):
            yield from self._day(self.start + (day * DAY) + HOUR)

    def _day(self, begins: int) -> Iterator[Moment]:
        offset = self._chance.choice([0] * 12 + [-2 * HOUR, 3 * HOUR])
        times = sorted(self._time() for _ in range(self._chance.randint(1, 3)))
        for time in times:
            at = begins + offset + time
            rows = [self._happening(at) for _ in range(self._chance.randint(1, 5))]
            yield Moment(at, rows, self._chance.choice([1, 2, 1 << 10]), self._crash())

    def _time(self) -> int:
        hours = self._chance.randrange(0, 22) * HOUR
        return hours + (0 if self._chance.random() < 0.6 else self._chance.randrange(3600) * SECOND)

    def _crash(self) -> Crash | None:
        if self._chance.random() > 0.06:
            return None
        return Crash(self._chance.randint(1, 3), self._chance.choice(["before", "after", "gone"]))

    def _happening(self, now: int) -> Post:
        kinds: list[tuple[float, Callable[[int], Post]]] = [
            (0.70, self._event),
            (0.74, self._again),
            (0.87, self._sign_in),
            (0.91, self._consent),
            (0.97, self._import),
            (1.0, self._edit),
        ]
        u = self._chance.random()
        return next(make for end, make in kinds if u < end)(now)

    def _id(self) -> str:
        self._count += 1
        return f"m{self._count}"

    def _who(self) -> dict[str, str]:
        if self._chance.random() < 0.75:
            return {"userId": self._user(self._chance.randrange(USERS))}
        return {"anonymousId": self._visitor()}

    def _user(self, number: int) -> str:
        """Other people in every world, since arms follow from their ids."""
        return f"u{number}-{self._seed}"

    def _visitor(self) -> str:
        """One of those who came lately."""
        return f"a{self._count // 12 + self._chance.randrange(VISITORS)}-{self._seed}"

    def _call(self, now: int, oldest: int) -> dict[str, Any]:
        name = self._chance.choice(EVENTS)
        says: dict[str, Any] = {"n": self._chance.randint(1, 4), "k": self._chance.choice("xy")}
        late = self._chance.random() < 0.25
        at = now - self._chance.choice([-HOUR, 1, MINUTE, HOUR, 20 * HOUR, oldest]) if late else None
        call = {"event": name, "properties": says, "messageId": self._id(), **self._who(), **_timed(at)}
        if self._chance.random() < 0.3:
            call["context"] = {"groupId": self._chance.choice("gh"), "groupType": "account"}
        return call

    def _event(self, now: int) -> Post:
        call = self._call(now, 2 * DAY)
        if self._chance.random() < 0.08:
            says = {
                "topic": self._chance.choice(["news", "offers"]),
                "channel": self._chance.choice(["email", "sms"]),
            }
            call |= {"event": "Subscription Requested", "properties": says}
        post = Post(Lane.LIVE, "track", call)
        self._said.append((now, post))
        return post

    def _again(self, now: int) -> Post:
        """A client repeats what it said a moment ago."""
        recent = [post for at, post in self._said[-1:] if now - at < 20 * HOUR]
        return recent[0] if recent else self._event(now)

    def _sign_in(self, now: int) -> Post:
        user, anonymous = self._user(self._chance.randrange(USERS + 2)), self._visitor()
        if self._chance.random() < 0.3:
            return self._identify(None, anonymous, now)
        return self._identify(user, anonymous if self._chance.random() < 0.6 else None, now)

    def _identify(self, user: str | None, anonymous: str | None, now: int) -> Post:
        ids = {"userId": user, "anonymousId": anonymous}
        name = user or f"{anonymous}-{self._count}"
        traits: dict[str, Any] = {"plan": self._chance.choice(["pro", "free"] * 8 + ["staff"])}
        if self._chance.random() < 0.3:
            traits["born"] = f"19{self._chance.randint(60, 99)}-{self._day_near(now)[5:]}"
        if self._chance.random() < 0.3:
            traits["trial"] = self._day_near(now) + self._chance.choice(["", "T02:30", "T12:00:00+02:00"])
        if self._chance.random() < 0.95:
            traits["email"] = f"{name}@shop.example"
        if self._chance.random() < 0.4:
            traits["phone"] = f"+4915{ord(name[0])}{name[1:].replace('-', '')}"
        if zone := self._chance.choice(ZONES):
            traits["timezone"] = zone
        said = {key: value for key, value in ids.items() if value}
        return Post(Lane.LIVE, "identify", {**said, "traits": traits, "messageId": self._id()})

    def _day_near(self, now: int) -> str:
        return f"{moment(now + self._chance.randint(-2, 20) * DAY):%Y-%m-%d}"

    def _consent(self, _now: int) -> Post:
        said = {
            "topic": self._chance.choice(["news", "offers"]),
            "channel": self._chance.choice(["email", "sms"]),
        }
        subject = self._chance.randint(1, USERS)
        return Post(
            Lane.URGENT, "consent", {"name": "Unsubscribed", "subject": subject, **said, "message": ""}
        )

    def _import(self, now: int) -> Post:
        calls = [self._call(now, 5 * DAY) | {"type": "track"} for _ in range(self._chance.randint(1, 3))]
        for call in calls:
            call.setdefault("timestamp", _timed(now - self._chance.choice([HOUR, DAY, 3 * DAY]))["timestamp"])
        return Post(Lane.BULK, "import", {"batch": calls})

    def _edit(self, _now: int) -> Post:
        return self._command([self._documents.edited()])

    def _command(self, documents: list[dict[str, Any]]) -> Post:
        said = {"name": "define", "documents": documents, "author": "ada", "note": "n"}
        return Post(Lane.URGENT, "command", json.loads(json.dumps(said)))


def _timed(at: int | None) -> dict[str, str]:
    return {} if at is None else {"timestamp": moment(at).isoformat()}
