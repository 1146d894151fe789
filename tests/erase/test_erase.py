"""Erasing a customer: hidden at once, out of every file in the end, and never back by an old event."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from hark.engine import Engine
from hark.history.columns import decode
from hark.history.erased import rewrite
from hark.history.merged import Merged
from hark.history.reader import Snapshot, open_snapshot
from hark.model import DAY, HOUR, SECOND, Event, Lane
from tests.engine.world import RECEIPTS, World, sent
from tests.history.waiting import Place, histories

MARK = "zebrafinch"
"""Stands in everything that is the erased customer's and nowhere else."""
ADA = f"ada-{MARK}"


@pytest.fixture
def shop(tmp_path: Path) -> World:
    """Two customers with all that a customer can have: ids, traits, a merge, events old and new, messages."""
    world = World(tmp_path)
    world.define(RECEIPTS)
    for user, mark in (("bob", "bob"), (ADA, MARK)):
        world.post("track", anonymousId=f"device-{mark}", event="Seen", properties={"page": mark})
        world.identify(user, f"device-{mark}", email=f"{mark}@shop.example", phone=f"+49{len(mark)}12345")
        world.track(user, "Order Completed", order=f"{mark}-1")
    engine = world.engine(sent, seal_events=1)
    while engine.tick():
        pass
    engine.close()
    world.clock.at += HOUR
    for user in ("bob", ADA):
        world.track(user, "Order Completed", order=f"{user}-2")
    world.catch_up()
    return world


def erase(world: World, customer: str = ADA) -> int:
    return world.post("command", Lane.URGENT, name="erase", customer=customer, author="grace")


def snapshot(world: World) -> Snapshot:
    return open_snapshot(world.data, world.reader)


def others(world: World) -> list[Event]:
    """Bob's whole story."""
    found = world.reader.find("bob")
    assert found
    return snapshot(world).subject_events(found)


def holding(folder: Path) -> set[str]:
    """The files in which a byte for byte search finds the mark."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and MARK.encode() in path.read_bytes()
    }


def counted(now: Snapshot) -> set[int]:
    """The subjects whose rows kernels count."""
    runs = [run for bucket in range(now.buckets) for run in now.runs(bucket)]
    return {one for run in runs for low, high in run.kept for one in run.subject[low:high].tolist()}


def step_by_step(world: World) -> Engine:
    """An engine that has carried the command out, with nothing of it cleaned yet."""
    engine = world.engine()
    engine._sealing.poll = lambda: None  # type: ignore[method-assign]
    while engine.tick():
        pass
    return engine


def test_no_byte_of_the_erased_is_left_but_in_the_log(shop: World) -> None:
    """Once the engine has ended, a search through every byte of the directory finds the customer in files of
    the log only; the other customer's story is the same event for event."""
    before = others(shop)
    (shop.data / "run").mkdir(exist_ok=True)
    (shop.data / "run" / "catalogue.msgpack").write_bytes(MARK.encode())
    assert {path.split("/")[0] for path in holding(shop.data)} >= {"log", "history", "state.db"}
    erase(shop)
    shop.catch_up()
    shop.log.close()
    assert {path.split("/")[0] for path in holding(shop.data)} == {"log"}
    assert others(shop) == before
    (done,) = shop.reader.erasures()
    assert done.author == "grace" and done.rewritten_at and done.gone_at


def test_hidden_at_once(shop: World) -> None:
    """From the commit of the command on nobody finds the customer, while the files still hold them."""
    subject = shop.reader.find(ADA)
    assert subject
    count = snapshot(shop).count()
    theirs = len(snapshot(shop).subject_events(subject))
    erase(shop)
    engine = step_by_step(shop)
    assert any(path.startswith("history/") for path in holding(shop.data))
    now, reader = snapshot(shop), shop.reader
    assert reader.find(ADA) is reader.find(f"device-{MARK}") is reader.find(f"#{subject}") is None
    assert now.subject_events(subject) == [] and now.count() == count - theirs
    assert all(MARK.encode() not in event.properties for event in now.events(facts=True))
    assert subject not in counted(now)
    assert all(event.subject != subject for chunk in reader.newest(100) for event in decode(chunk))
    assert reader.record(subject) is None and reader.outbox(subject) == []
    assert reader.customers() == 1
    engine.abort()


def test_a_crash_before_the_cleaning_only_delays_it(shop: World) -> None:
    """After kill -9 right behind the commit the next engine cleans what the first had left."""
    erase(shop)
    step_by_step(shop).abort()
    assert any(path.startswith("history/") for path in holding(shop.data))
    shop.catch_up()
    shop.log.close()
    assert {path.split("/")[0] for path in holding(shop.data)} == {"log"}


def test_a_running_engine_cleans_after_a_day(shop: World) -> None:
    """The history is written anew soon after the command, the state a day later, without any restart."""
    erase(shop)
    engine = shop.engine()
    while engine.tick() or engine._sealing._running:
        pass
    assert [one.gone_at for one in shop.reader.erasures()] == [None]
    assert snapshot(shop).count() and shop.reader.erased() == []
    shop.clock.at += DAY
    for _ in range(200):
        engine.tick()
        if shop.reader.erasures()[0].gone_at:
            break
        shop.clock.at += SECOND
    assert shop.reader.erasures()[0].gone_at == shop.clock.at or shop.reader.erasures()[0].gone_at
    assert MARK.encode() not in (shop.data / "state.db").read_bytes()
    engine.close()


def test_what_was_before_stays_out_and_what_comes_after_is_somebody_new(shop: World) -> None:
    """Old events of the id are left out, whether they wait, come late or are imported; new ones make a new
    customer who has nothing of the old."""
    old = shop.reader.find(ADA)
    shop.identify(ADA, f"phone-{MARK}", plan="pro")  # unread when the command overtakes it in the urgent lane
    erase(shop)
    shop.clock.at += HOUR
    late = {"type": "track", "userId": ADA, "event": "Late", "timestamp": "2026-01-01T00:10:00Z"}
    shop.post("batch", batch=[{**late, "messageId": "late"}])
    shop.post("import", Lane.BULK, batch=[{**late, "messageId": "from a file"}])
    shop.catch_up()
    assert shop.reader.find(ADA) is None
    assert sum(one.reason == "erased.late" for one in shop.reader.problems()) >= 1
    shop.track(ADA, "Order Completed", order="new")
    shop.catch_up()
    new = shop.reader.find(ADA)
    assert new and new != old
    assert [event.name for event in snapshot(shop).subject_events(new)][:1] == ["Order Completed"]
    assert not shop.reader.find(f"device-{MARK}")


def test_a_consent_and_an_outcome_for_the_erased_do_nothing(shop: World) -> None:
    """A link in an old letter and a provider's answer bring nobody back."""
    subject = shop.reader.find(ADA)
    erase(shop)
    shop.catch_up()
    shop.post(
        "consent",
        Lane.URGENT,
        name="Unsubscribed",
        subject=subject,
        topic="news",
        channel="email",
        message="m",
    )
    shop.catch_up()
    assert subject and shop.reader.record(subject) is None
    assert snapshot(shop).subject_events(subject) == []


def test_an_unknown_id_is_kept_out_all_the_same(tmp_path: Path) -> None:
    """The command may overtake the customer's first events, which then make no customer."""
    world = World(tmp_path)
    world.track("eve", "Signed Up")
    erase(world, "eve")
    world.catch_up()
    assert world.reader.find("eve") is None and world.reader.customers() == 0
    world.log.close()


@settings(max_examples=15, deadline=None)
@given(histories(), st.sets(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 2), st.integers(1, 4))
def test_files_are_written_anew_without_them(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], gone: set[int], merges: int, parts: int
) -> None:
    """Whatever was merged and however the files were cut, the rows left are those of everybody else."""
    place = Place(tmp_path_factory.mktemp("history"))
    for start in range(parts):
        place.waiting.add(events[start::parts]) if events[start::parts] else None
        place.seal()
    for number in range(merges):
        place.waiting.merge(6 - number, 1)
    merged = Merged(place.waiting.merges())
    erased = {one for subject in gone for one in merged.all_of(subject)}
    rewrite(place.table, erased, merged)
    place.seal()
    expected = {event.message_id for event in events if event.subject not in erased}
    assert {event.message_id for event in place.snapshot().events(facts=True)} == expected
