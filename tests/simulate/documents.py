"""Definitions as a team might write them: drawn, and edited while campaigns run."""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]

NAMES = (
    "Visited",
    "Added",
    "Bought",
    "Looked",
    "Content Read",
    "Survey Answered",
    "Ticket Opened",
    "Ticket Solved",
)
SEGMENTS: dict[str, Body] = {
    "keen": {"did": {"event": "Bought", "times": {"gte": 2}, "within": "4d"}},
    "idle": {
        "all": [
            {"did": {"event": "Visited", "within": "6d"}},
            {"did_not": {"event": "Bought", "within": "2d"}},
        ]
    },
    "quiet": {"did_not": {"event": "Visited", "within": "36h"}},
    "lookers": {"did": {"event": "Looked", "within": "1d"}},
    "lively": {"any": [{"did": {"event": name, "within": "1h"}} for name in NAMES]},
    "pros": {"all": [{"trait": {"plan": "pro"}}, {"did": {"event": "Added", "within": "3d"}}]},
}
ACCOUNT: Body = {"subject": {"group": "account"}}
OF_GROUPS: dict[str, Body] = {
    "busy": ACCOUNT | {"where": {"did": {"event": "Visited", "times": {"gte": 2}, "within": "2d"}}},
    "asleep": ACCOUNT | {"where": {"did_not": {"event": "Bought", "within": "3d"}}},
}
TRIGGERS: tuple[Body, ...] = (
    {"event": "Visited"},
    {"event": "Added"},
    {"event": "Added", "where": {"n": {"gte": 2}}},
    *({"enters": name} for name in SEGMENTS),
    {"schedule": {"cron": "30 2 * * *"}},
    {"schedule": {"cron": "0 9 * * MON,THU", "zone": "Europe/Berlin"}},
    {"date": {"trait": "born", "yearly": "yes", "at": "09:00"}},
    {"date": {"trait": "trial", "offset": "-1d"}},
    {"date": {"trait": "trial", "offset": "6h", "zone": "Australia/Lord_Howe"}},
    {"engagement": {"definition": "reader", "reaches": "often"}},
    {"engagement": {"definition": "reader", "falls_below": "now"}},
)
READER: Body = {
    "engagement": "reader",
    "levels": [
        {"name": "now", "when": {"did": {"event": "Visited", "within": "3d"}}, "grace": "1d"},
        {"name": "often", "when": {"did": {"event": "Visited", "times": {"gte": 2}, "within": "4d"}}},
        {
            "name": "keen",
            "when": {"did": {"event": "Bought", "within": "4d"}},
            "held_for": "1d",
            "grace": "12h",
        },
    ],
}
HOURS = (("21:00", "08:00"), ("01:30", "02:30"), ("22:00", "02:15"), ("12:00", "14:00"))
WAITS: tuple[Body, ...] = (
    {"for": "6h"},
    {"for": "1d"},
    {"until": {"event": "Looked"}, "for": "1d"},
    {"until": {"event": "Added"}, "for": "12h"},
    {"at": "09:00"},
    {"at": "02:30", "zone": "Europe/Berlin"},
    {"at": "02:30"},
)
"""Some at local times that a change of clocks skips, or brings twice."""


KEPT = ("caps", "asks", "arbitration", "tickets")
"""What is not changed: messages that it concerns may be forgotten already, or the past would be filled in."""


class Documents:
    """The documents of one world, and their edits."""

    def __init__(self, chance: random.Random, start: date) -> None:
        self._chance, self._start = chance, start
        self._step = 0
        self._campaigns = {f"c{one}": self._campaign(f"c{one}") for one in range(chance.randint(3, 4))}
        self._policy = self._attention()

    def all(self) -> list[Body]:
        """Everything, as a `define` command has it."""
        fixed: list[Body] = [
            {"topic": "news", "says": "News", "opt_in": "single", "default": "in"},
            {"topic": "offers", "says": "Offers", "opt_in": "single", "default": "out"},
            {"template": "mail", "channel": "email", "subject": "Hello", "text": "Hello"},
            {"template": "text", "channel": "sms", "text": "Hello"},
            {"sender": "shop", "address": "Shop <shop@shop.example>", "rate_per_s": 100_000},
        ]
        segments = [{"segment": name, "where": where} for name, where in SEGMENTS.items()]
        segments += [{"segment": name, **body} for name, body in OF_GROUPS.items()]
        segments += [READER, self._programme(), {"policy": "internal", "where": {"trait": {"plan": "staff"}}}]
        return [_document(one) for one in [*fixed, *segments, self._policy, *self._campaigns.values()]]

    def edited(self) -> Body:
        """One of them, changed."""
        if self._chance.random() < 0.2:
            caps = {name: self._policy[name] for name in KEPT if name in self._policy}
            fresh = {name: said for name, said in self._attention().items() if name not in KEPT}
            self._policy = fresh | caps
            return _document(self._policy)
        if self._chance.random() < 0.1:
            return _document(self._programme())
        name = self._chance.choice(sorted(self._campaigns))
        if self._chance.random() < 0.2 and "topic" in self._campaigns[name]:
            return _document(self._effect(name))
        body = copy.deepcopy(self._campaigns[name])
        if "paused" in body:
            del body["paused"]
        elif self._chance.random() < 0.3:
            body["paused"] = "yes"
        elif "topic" in body:
            body |= self._controlled()
        if self._chance.random() < 0.3 and "topic" in body:
            body["variants"] = self._variants(True)
            body.pop("allocation", None)
        self._campaigns[name] = body
        return _document(body)

    def _attention(self) -> Body:
        policy: Body = {"policy": "attention"}
        if self._chance.random() < 0.7:
            start, end = self._chance.choice(
                [("21:00", "08:00"), ("01:30", "02:30"), ("22:00", "02:15"), ("12:00", "14:00")]
            )
            zone = self._chance.choice(["customer", "customer", "America/New_York"])
            policy["quiet_hours"] = {"from": start, "to": end, "zone": zone, "fallback_zone": "Europe/London"}
        caps = [
            {"messages": 2, "per": "3d", "on_cap": "wait", "max_wait": "2d"},
            {"messages": 1, "per": "12h"},
            {"messages": 3, "per": "5d", "on_cap": "wait"},
            {"messages": 1, "per": "1d", "channel": "sms", "on_cap": "skip"},
        ]
        if chosen := self._chance.sample(caps, self._chance.choice([0, 1, 1, 2, 2])):
            policy["caps"] = chosen
        if self._chance.random() < 0.4:
            redraw = {"redraw": "10d"} if self._chance.random() < 0.3 else {}
            policy["global_control"] = {"share": "15%"} | redraw
        if self._chance.random() < 0.6:
            earned = {"goal": 2, "read": 1, "reply": 0.5, "return": 0.5}
            refill = self._chance.choice(["1 per 2d", "2 per 3d", "0.5 per 12h"])
            policy["budget"] = {"refill": refill, "most": 2, "ask": 2, "ignored": 1, "earned": earned}
        if self._chance.random() < 0.3:
            on_outranked = self._chance.choice(["wait", "skip"])
            policy["arbitration"] = {
                "within": self._chance.choice(["1h", "8h"]),
                "on_outranked": on_outranked,
            }
        if self._chance.random() < 0.3:
            policy["asks"] = {"gap": "3d", "after": {"did": {"event": "Bought", "within": "8d"}}}
        if self._chance.random() < 0.2:
            policy["tickets"] = "no"
        return policy

    def _programme(self) -> Body:
        goal = {"event": "Bought", "within": "30d"}
        return {"programme": "loyalty", "control": self._chance.choice(["20%", "40%"]), "goal": goal}

    def _effect(self, name: str) -> Body:
        mean, spread = self._chance.choice([-0.01, 0.02, 0.05]), self._chance.choice([0.005, 0.02])
        return {"effect": name, "of": 1, "mean": mean, "spread": spread}

    def _controlled(self) -> Body:
        return {"control": self._chance.choice(["20%", "50%", "30%"])}

    def _campaign(self, name: str) -> Body:
        chance = self._chance
        trigger: Body = chance.choice(TRIGGERS) if chance.random() < 0.9 else self._broadcast()
        body: Body = {"campaign": name, "trigger": trigger}
        body["reenter"] = chance.choice(["never", "always", "always", {"after": "2d"}, {"after": "5d"}])
        if "event" in trigger and chance.random() < 0.4:
            body["key"] = "event.k"
        if chance.random() < 0.3:
            body["on_retrigger"] = chance.choice(["restart", "restart", "gather"])
        if chance.random() < 0.2:
            body["fresh"] = "6h"
        if chance.random() < 0.2:
            at_least = {"engagement": {"definition": "reader", "level": {"at_least": "often"}}}
            body["audience"] = chance.choice([{"trait": {"plan": "pro"}}, at_least])
        if "event" in trigger and chance.random() < 0.2:
            return body | {"transactional": "yes", "variants": self._variants(False)}
        body |= {"topic": chance.choice(["news", "news", "news", "offers"]), **self._controlled()}
        body |= {"worth": chance.choice([1, 1, 3]), "intent": chance.choice(["tell", "tell", "help", "ask"])}
        body |= self._kept_together()
        body["goal"] = {"event": "Bought", "within": chance.choice(["4d", "7d"]), "value": "n"}
        if chance.random() < 0.2:
            body["goal"]["where"] = {"n": {"gte": 2}}
        elif chance.random() < 0.2:
            when = {"did_not": {"event": "Ticket Opened", "within": "3d"}}
            body["goal"] = {"when": when, "within": "6d"}
        if chance.random() < 0.3:
            body["also"] = [{"event": "Looked", "within": "2d"}]
        if chance.random() < 0.2:
            body["ramp"] = "60%"
        exits: list[Any] = [*(["goal"] if chance.random() < 0.6 and "event" in body["goal"] else [])]
        if "enters" in trigger and chance.random() < 0.6:
            exits.append({"leaves": trigger["enters"]})
        body["variants"] = self._variants(True)
        return body | ({"exit": exits} if exits else {})

    def _kept_together(self) -> Body:
        """What it has to do with other campaigns, and with the calendar."""
        chance, ends = self._chance, str(self._start + timedelta(days=self._chance.randint(5, 30)))
        drawn: list[tuple[float, Body]] = [
            (0.3, {"expects": chance.choice(["2%", "5%"])}),
            (0.3, {"programme": "loyalty"}),
            (0.3, {"exclusive": "one"}),
            (0.15, {"arm": "per_entry"}),
            (0.1, {"ends": ends}),
        ]
        return {key: said for share, one in drawn if chance.random() < share for key, said in one.items()}

    def _broadcast(self) -> Body:
        day = self._start + timedelta(days=self._chance.randint(1, 20))
        said = {"at": f"{day}T{self._chance.choice(['02:30', '09:00', '22:15'])}"}
        if self._chance.random() < 0.5:
            said["late"] = "send"
        if self._chance.random() < 0.5:
            said["spread"] = "6h"
        return {"broadcast": said | ({"zone": "Europe/London"} if self._chance.random() < 0.3 else {})}

    def _variants(self, rich: bool) -> Body:
        names = ["a", "b"] if rich and self._chance.random() < 0.7 else ["a"]
        return {name: {"steps": self._steps(rich)} for name in names}

    def _steps(self, rich: bool) -> list[Body]:
        first = [self._wait()] if self._chance.random() < 0.4 else []
        steps = [*first, self._send()]
        if rich:
            for _ in range(self._chance.randint(0, 2)):
                steps += self._more()
        return steps

    def _more(self) -> list[Body]:
        chance = self._chance
        branch = {
            "branch": [
                {"when": {"trait": {"plan": "pro"}}, "steps": [self._send()]},
                {"otherwise": [self._wait()]},
            ]
        }
        split = {"split": {"x": {"weight": 2, "steps": [self._send()]}, "y": {"steps": [self._leave()]}}}
        update = {"update": {"traits": {"plan": chance.choice(["pro", "free"])}}}
        found: Body = chance.choice([branch, split, update, self._send(), self._send()])
        return [self._wait(), self._named(found)]

    def _leave(self) -> Body:
        return {"exit": "nothing to say"}

    def _named(self, step: Body) -> Body:
        self._step += 1
        return step if "id" in step else {"id": f"s{self._step}", **step}

    def _send(self) -> Body:
        send: Body = {"channel": "email", "template": "mail"}
        u = self._chance.random()
        if u < 0.25:
            send = {"channels": ["sms", "email"], "template": {"sms": "text", "email": "mail"}}
        elif u < 0.4:
            send = {"channel": "sms", "template": "text"}
        if self._chance.random() < 0.25:
            send["expires"] = self._chance.choice(["6h", "1d"])
        return self._named({"send": send})

    def _wait(self) -> Body:
        return self._named({"wait": self._chance.choice(WAITS)})


def _document(body: Body) -> Body:
    kind, name = next(iter(body.items()))
    return {"kind": kind, "name": name, "body": body}
