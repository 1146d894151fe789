"""Clients send again what they are not sure of: however often, in whatever order, over whatever restarts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from hark.collect.source_changes import Set, apply
from hark.collect.sources import add_source
from hark.history.reader import open_snapshot
from hark.model import DAY, SECOND, Lane
from hark.store.contracts import NewRow
from tests.engine.world import World

SEGMENTS = """
segment: thrice
where: {did: {event: Order, times: {gte: 3}}}
---
segment: dear
where: {did: {event: Order, where: {revenue: {gte: 50}}, times: {gte: 2}}}
---
segment: never_visited
where: {all: [{did: Order}, {did_not: Visit}]}
"""
BATCH = 100


def call(number: int) -> str:
    """The n-th event: one of a tenth as many customers, at its own time."""
    name, customer = ("Order", "Visit", "Looked")[number * 7 % 3], number * 7919 % max(10, number // 10 + 10)
    properties = f'{{"revenue":{number % 100}}}'
    ids = f'"type":"track","userId":"u{customer}","messageId":"m{number}"'
    at = f"2025-12-31T00:{number % 60:02}:00Z"
    return f'{{{ids},"event":"{name}","properties":{properties},"timestamp":"{at}"}}'


def resent(events: int, seed: int) -> list[int]:
    """Each event's number 1 to 5 times, all of it shuffled."""
    chance = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(events), chance.integers(1, 6, events))
    chance.shuffle(numbers)
    found: list[int] = numbers.tolist()
    return found


def feed(world: World, numbers: list[int], cuts: list[int]) -> None:
    """Appends these calls in batches, at a second's distance; the engine is lost at each cut, once it has
    folded some of it, and starts again."""
    world.define(SEGMENTS)
    chance, begin = random.Random(1), 0
    for end in [*cuts, len(numbers)]:
        for start in range(begin, end, BATCH):
            body = f'{{"batch":[{",".join(map(call, numbers[start : min(end, start + BATCH)]))}]}}'
            world.clock.at += SECOND
            world.log.append([NewRow(Lane.LIVE, world.clock.at, "shop", "batch", body.encode())])
        begin = end
        engine = world.engine(seal_events=max(1_000, len(numbers) // 7))
        for _ in range(chance.randrange(1, 6)):
            engine.tick(chance.randrange(1, 4_000))
        engine.abort()
    world.catch_up()


Told: TypeAlias = tuple[Counter[tuple[str, str, int, str, bytes]], dict[str, list[str]]]


def story(world: World) -> Told:
    """(every event by who, what, when, message id and properties, how often it stands in the history; the
    segments of each customer), customers by the ids by which they were first seen."""
    reader = world.reader
    keys = {subject: (reader.key(subject) or ("", 0))[0] for subject in reader.subjects()}
    events = Counter(
        (keys[event.subject], event.name, event.at, event.message_id, event.properties)
        for event in open_snapshot(world.data, reader).events()
    )
    records = {key: reader.record(subject) for subject, key in keys.items()}
    return events, {key: sorted(record.members) if record else [] for key, record in records.items()}


def held_to_the_single_run(folder: Path, events: int, restarts: int) -> None:
    single, again = World(folder / "single"), World(folder / "again")
    feed(single, list(range(events)), [])
    numbers = resent(events, seed=7)
    feed(again, numbers, sorted(random.Random(2).sample(range(1, len(numbers)), restarts)))
    (once, inside), (twice, still) = story(single), story(again)
    assert (len(once), set(once.values())) == (events, {1})
    assert twice == once
    assert still == inside
    assert {"thrice", "dear", "never_visited"} == set(chain.from_iterable(inside.values()))
    for world in (single, again):
        world.log.close()


def test_what_is_sent_again_counts_once(tmp_path: Path) -> None:
    """2,000 events, each sent 1 to 5 times in random order over 5 lost engines: history, and who is in which
    segment, equal those of sending each once."""
    held_to_the_single_run(tmp_path, 2_000, 5)


@pytest.mark.torture
def test_a_million_sent_again_count_once(tmp_path: Path) -> None:
    """1,000,000 events, each sent 1 to 5 times in random order over 20 lost engines, equal the single run."""
    held_to_the_single_run(tmp_path, 1_000_000, 20)


def test_a_source_may_remember_for_longer(tmp_path: Path) -> None:
    """A message id that comes again after 27 days is dropped where the source asks for 28, and counted where
    it asks for the usual day."""
    for folder, expected in (("day", 2), ("month", 1)):
        world = World(tmp_path / folder)
        add_source(world.data, "shop", world.clock.at)
        if folder == "month":
            apply(world.data, Set("shop", dedupe_us=28 * DAY), world.clock.at)
        for _ in range(2):
            world.post("track", userId="ada", event="Order", messageId="m1")
            world.catch_up()
            world.clock.at += 27 * DAY
        assert world.names().count("Order") == expected
        world.log.close()
