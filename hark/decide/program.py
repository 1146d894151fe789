"""A variant's steps as a program: one flat list in which branches and splits jump.

So a run stands at one number, whatever is nested in what. Where nothing branches the program is the list of
the steps as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from msgspec import Struct

from hark.definitions.types import Branch, Send, Split, Step, Wait, Way
from hark.understand.conditions import Condition


class Jump(Struct, frozen=True):
    """Goes on at `to`."""

    to: int


class Fork(Struct, frozen=True):
    """Goes on at the place of the first condition that holds, where None always does."""

    ways: tuple[tuple[Condition | None, int], ...]
    id: str


class Draw(Struct, frozen=True):
    """Goes on where u = hash(salt, stable key) falls: (upper end of its part of [0, 1), name, share, place)
    for each way."""

    ways: tuple[tuple[float, str, float, int], ...]
    id: str


Instruction: TypeAlias = Step | Jump | Fork | Draw


class Program(Struct, frozen=True):
    """What is done place by place, and for each wait the place behind the steps that depend on it."""

    code: tuple[Instruction, ...]
    skips: dict[int, int]
    """By the place of a wait: that of the next wait beside it, or the end of their list."""


def program_of(steps: Sequence[Step]) -> Program:
    """The program of a variant."""
    code: list[Instruction] = []
    skips: dict[int, int] = {}
    _write(steps, code, skips)
    return Program(tuple(code), skips)


def _write(steps: Sequence[Step], code: list[Instruction], skips: dict[int, int]) -> None:
    """Appends a list of steps, each of whose ways ends with a jump behind it."""
    waiting: int | None = None
    for step in steps:
        if isinstance(step, Wait):
            if waiting is not None:
                skips[waiting] = len(code)
            waiting = len(code)
        if isinstance(step, Branch | Split):
            _fork(step, code, skips)
        else:
            code.append(step)
    if waiting is not None:
        skips[waiting] = len(code)


def _fork(step: Branch | Split, code: list[Instruction], skips: dict[int, int]) -> None:
    start = len(code)
    code.append(Jump(0))
    places, ends = [], []
    for way in step.ways:
        places.append(len(code))
        _write(way.steps, code, skips)
        ends.append(len(code))
        code.append(Jump(0))
    for end in ends:
        code[end] = Jump(len(code))
    code[start] = _branch(step, places, len(code)) if isinstance(step, Branch) else _split(step, places)


def _branch(step: Branch, places: Sequence[int], end: int) -> Fork:
    ways = [(way.when, place) for way, place in zip(step.ways, places, strict=True)]
    return Fork((*ways, (None, end)), step.id)


def _split(step: Split, places: Sequence[int]) -> Draw:
    total = sum(way.weight for way in step.ways)
    ends = accumulate(way.weight for way in step.ways)
    return Draw(
        tuple(
            (end / total, way.name, way.weight / total, place)
            for end, way, place in zip(ends, step.ways, places, strict=True)
        ),
        step.id,
    )


def first_sends(steps: Sequence[Step]) -> tuple[set[str], bool]:
    """The channels of the sends that may come first, and whether there is a way without any."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step, Send):  # a group has no address: each member's is asked when it comes to them
            return ({*found, *(channel for channel, _ in step.ways)} if not step.members else found), False
        if isinstance(step, Branch | Split):
            below = [first_sends(way.steps) for way in step.ways]
            found = found.union(*(channels for channels, _ in below))
            if _covers(step.ways) and not any(without for _, without in below):
                return found, False
    return found, True


def _covers(ways: Sequence[Way]) -> bool:
    """Whether everybody goes one of these ways: of a split, and of a branch with `otherwise`."""
    return ways[-1].when is None
