"""Many campaigns want the same customers at the same instant, while the engine crashes: who is written to?

Not compared with the model, which is slow: what must hold is counted at the provider's end.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from hark.clock import instant
from hark.model import DAY, HOUR, Kind, Lane
from tests.simulate import nouns
from tests.simulate.plainly import hashed
from tests.simulate.script import Crash, Moment, Post
from tests.simulate.world import World

CAMPAIGNS = 64
SHARE = 0.5
CAPS = ((2, 3 * DAY), (1, 12 * HOUR))
"""(messages, in any so long a time)."""


class Rush:
    """Everybody visits every few hours, and each visit is the trigger of 64 campaigns."""

    def __init__(self, seed: int, people: int) -> None:
        self._chance = random.Random(f"crowd/{seed}")
        self._seed, self._people, self._count = seed, people, 0
        self.start = instant("2026-03-27T00:00:00Z")

    def moments(self, days: int) -> Iterator[Moment]:
        said = {"name": "define", "documents": _documents(), "author": "ada", "note": "n"}
        told = [
            self._call("identify", one, traits={"email": f"{one}@x.example"}) for one in self._everybody()
        ]
        yield Moment(self.start, [Post(Lane.URGENT, "command", said), *told], 1 << 12)
        for hour in range(1, days * 24, 7):
            rows = [self._call("track", one, event="Visited", properties={}) for one in self._everybody()]
            yield Moment(self.start + hour * HOUR, rows, self._chance.choice([4, 1 << 12]), self._crash())

    def _everybody(self) -> list[str]:
        return [f"u{self._seed}-{number}" for number in range(self._people)]

    def _call(self, kind: str, user: str, **said: object) -> Post:
        self._count += 1
        return Post(Lane.LIVE, kind, {"userId": user, "messageId": f"m{self._count}", **said})

    def _crash(self) -> Crash | None:
        if self._chance.random() > 0.5:
            return None
        return Crash(self._chance.randint(1, 4), self._chance.choice(["before", "after", "gone"]))


class Crowd(World):
    """Such a world, in which only what was decided and what went out is noted."""

    def __init__(self, seed: int, data: Path, people: int) -> None:
        super().__init__(seed, data, Rush(seed, people))

    def decisions(self) -> int:
        """How many entries were decided: let in, or refused."""
        return sum(one.name in ("Campaign Entered", "Not Eligible") for one in self.told)

    def to_the_control(self) -> list[str]:
        """Messages handed over to somebody whom the campaign's control has, as anybody can recompute."""
        emails = ((one, str(one.content["to"]).partition("@")[0]) for one in self.provider.handed)
        return [
            one.message
            for one, user in emails
            if hashed(f"campaign/{one.content['campaign']}/control", f"u:{user}") < SHARE
        ]

    def over_a_cap(self) -> list[tuple[int, int]]:
        """(subject, when) of each hand-over with which more were accepted than a cap allows."""
        times = defaultdict(list)
        for one in self.provider.handed:
            if one.accepted:
                times[one.subject].append(one.at)
        return [
            (subject, at)
            for subject, handed in times.items()
            for most, per in CAPS
            for at in handed
            if sum(at - per < other <= at for other in handed) > most
        ]

    def _hear(self) -> None:
        self._taken()
        self._compare([])

    def _after_start(self) -> None:
        self._compare([])

    def _compare(self, _expected: list[nouns.Fact]) -> None:
        self.told += [one for one in self.events if self.changes and one.kind == Kind.FACT]

    def _compare_disk(self) -> None:
        """What is counted here was told by commits."""


def _documents() -> list[dict[str, object]]:
    caps = [
        {"messages": 2, "per": "3d"},
        {"messages": 1, "per": "12h", "on_cap": "wait", "max_wait": "1d"},
    ]
    bodies: list[dict[str, object]] = [
        {"topic": "news", "says": "News", "default": "in"},
        {"template": "mail", "channel": "email", "subject": "Hello", "text": "Hello"},
        {"sender": "shop", "address": "Shop <shop@shop.example>", "rate_per_s": 100_000},
        {"policy": "attention", "caps": caps},
        *(_campaign(f"c{number}") for number in range(CAMPAIGNS)),
    ]
    names = [next(iter(body.items())) for body in bodies]
    return [
        {"kind": kind, "name": name, "body": body} for (kind, name), body in zip(names, bodies, strict=True)
    ]


def _campaign(name: str) -> dict[str, object]:
    return {
        "campaign": name,
        "trigger": {"event": "Visited"},
        "reenter": "always",
        "topic": "news",
        "control": f"{SHARE:.0%}",
        "goal": {"event": "Bought", "within": "2d"},
        "steps": [{"send": {"channel": "email", "template": "mail"}}],
    }
