"""Suppressing a customer, as Customer.io's API asks for it."""

from __future__ import annotations

from pathlib import Path

from hark.model import Lane
from tests.engine.world import START, World


def suppressed(world: World, user: str) -> dict[str, int]:
    subject = world.reader.find(user)
    assert subject is not None
    record = world.reader.record(subject)
    assert record
    return record.suppressed


def say(world: World, name: str, user: str) -> None:
    world.post("command", Lane.URGENT, name=name, customer=user, author="web")


def test_a_suppressed_customer_is_not_written_to(tmp_path: Path) -> None:
    """From the command on no address of theirs may be used, until it is taken back."""
    world = World(tmp_path)
    world.identify("ada", email="ada@example.com")
    world.catch_up()
    say(world, "suppress", "ada")
    world.catch_up()
    assert suppressed(world, "ada") == {"*": START}
    say(world, "unsuppress", "ada")
    world.catch_up()
    assert suppressed(world, "ada") == {}


def test_the_command_may_come_before_the_customer(tmp_path: Path) -> None:
    """The urgent lane is read first: an id not seen before is suppressed, and stays the same customer."""
    world = World(tmp_path)
    world.identify("ada", anonymous="visitor", email="ada@example.com")
    say(world, "suppress", "ada")
    world.catch_up()
    assert suppressed(world, "ada") == {"*": START}
    assert world.reader.find("visitor") == world.reader.find("ada")
