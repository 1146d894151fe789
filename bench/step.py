"""How long `step` takes for a watched event: 20 live campaigns, 50 event names, one core.

    python -m bench.step [--events N] [--profile] [--budget]

Prints one JSON document. `us_per_watched_event` must stay under 12; the record is in memory, decoding and
encoding it (which the engine pays once a tick) stand beside it. Measured in processor time, with
the garbage collector set as the engine sets it.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import random
import time
from collections import Counter

from hark.clock import derived_id
from hark.decide.plan import Plan
from hark.decide.record import decode, encode, fresh
from hark.decide.step import step
from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.model import SECOND, Event, Kind, Record, sequence

SUBJECTS = 20_000
NAMES = [f"Event {number}" for number in range(50)]
"""The n-th is as frequent as 1/(n+1): page views first, purchases far behind."""
SEED = 7


def segment(number: int) -> str:
    return (
        f"segment: s{number}\nwhere:\n  all:\n"
        f"    - did: {{event: Event {number + 5}, times: {{gte: {number % 3 + 2}}}, within: 30d}}\n"
        f"    - did_not: {{event: Event {number + 15}, within: 7d}}"
    )


def campaign(number: int) -> str:
    trigger = f"{{enters: s{number // 2}}}" if number % 2 else f"{{event: Event {number + 20}}}"
    return (
        f"campaign: c{number}\ntrigger: {trigger}\ngoal: {{event: Event {number + 25}, within: 14d}}\n"
        "topic: news\nreenter: {after: 30d}\n"
        "steps: [{send: {channel: email, template: t}}, {wait: {for: 2d}},"
        " {send: {channel: email, template: t}}]"
    )


BUDGET = "policy: attention\nbudget: {refill: 1 per 3d, most: 5, ignored: 1, earned: {goal: 2, read: 1}}"


def definitions(budget: bool) -> Plan:
    """20 campaigns, half of them by 10 segments; 40 of the 50 event names are watched. With a budget every
    activity is."""
    texts = ["topic: news\ndefault: in\n---\ntemplate: t\nchannel: email\nsubject: s\ntext: t"]
    texts += [BUDGET] if budget else []
    texts += [segment(number) for number in range(10)] + [campaign(number) for number in range(20)]
    parsed = parse("\n---\n".join(texts))
    return Plan.compile([Document(one.kind, one.name, 1, one.body) for one in parsed])


def happened(subject: int, row: int, kind: Kind, name: str, properties: bytes) -> Event:
    """One event; 500 arrive in a second."""
    at = row * SECOND // 500
    return Event(
        subject, at, sequence(row, 0), name, kind.value, "shop", f"m{row}", at, at, at, properties=properties
    )


def stream(count: int) -> list[Event]:
    """Events of random subjects in order of arrival, the same for each run."""
    chance = random.Random(SEED)
    weights = [1 / (number + 1) for number in range(50)]
    names = chance.choices(NAMES, weights, k=count)
    return [
        happened(
            chance.randrange(SUBJECTS), SUBJECTS + row, Kind.TRACK, name, b'{"product_id":"p-1","price":12.5}'
        )
        for row, name in enumerate(names)
    ]


def identified(subject: int, plan: Plan) -> Record:
    traits = b'{"email":"someone@shop.example","plan":"pro","country":"GB"}'
    event = happened(subject, subject, Kind.IDENTIFY, "Identify", traits)
    return step(fresh(subject, f"key-{subject}", 0), event, plan)[0]


def walk(records: list[Record], events: list[Event], plan: Plan) -> Counter[str]:
    facts: Counter[str] = Counter()
    for event in events:
        _, made = step(records[event.subject], event, plan)
        if made:
            facts.update([fact.name for fact in made])
    return facts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--budget", action="store_true", help="With a balance of attention.")
    given = parser.parse_args()
    plan, events = definitions(given.budget), stream(given.events)
    records = [identified(subject, plan) for subject in range(SUBJECTS)]
    watched = [event for event in events if plan.touches(event)]
    profile = cProfile.Profile()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    begin = time.process_time()
    facts = profile.runcall(walk, records, watched, plan) if given.profile else walk(records, watched, plan)
    spent = time.process_time() - begin
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    print(json.dumps(report(len(events), len(watched), facts, spent, records), indent=1))


def reference() -> float:
    """What one derived id costs on this machine now (0.9 us on a quiet core), to judge the rest by."""
    begin = time.process_time()
    for number in range(50_000):
        derived_id(number, "reference")
    return (time.process_time() - begin) / 50_000 * 1e6


def report(
    events: int, watched: int, facts: Counter[str], spent: float, records: list[Record]
) -> dict[str, object]:
    begin = time.process_time()
    data = [encode(record) for record in records]
    encoded = time.process_time()
    for one in data:
        decode(one)
    decoded = time.process_time()
    return {
        "events": events,
        "watched": watched,
        "facts": dict(facts),
        "us_per_watched_event": round(spent / watched * 1e6, 2),
        "limit_us": 12,
        "us_derived_id": round(reference(), 2),
        "us_per_fact_if_all_were_theirs": round(spent / max(1, sum(facts.values())) * 1e6, 2),
        "record_bytes": sum(map(len, data)) // len(data),
        "us_encode": round((encoded - begin) / len(data) * 1e6, 2),
        "us_decode": round((decoded - encoded) / len(data) * 1e6, 2),
    }


if __name__ == "__main__":
    main()
