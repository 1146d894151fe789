"""Group commit: many wait, one transaction answers them all, each with its own numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hark.collect.queue import Appender, OverloadError
from hark.model import Lane
from hark.store.contracts import LogBrokenError, NewRow, Reject
from hark.store.log import LogReader, LogStore


def row(body: str, lane: Lane = Lane.LIVE) -> NewRow:
    return NewRow(lane, 1, "web", "track", body.encode())


class Counting(LogStore):
    """A real log which counts its transactions."""

    groups = 0

    def append(self, rows: Sequence[NewRow], rejects: Sequence[Reject] = ()) -> list[int]:
        self.groups += 1
        return super().append(rows, rejects)


def test_each_waiter_gets_its_own_numbers_from_few_transactions(tmp_path: Path) -> None:
    """200 waiting requests of 1 to 3 rows are written in few groups, each under the numbers it was told."""
    store = Counting(tmp_path)

    async def run() -> list[list[int]]:
        appender = Appender(store, lambda: None)
        rows = [[row(f"{n}-{m}", Lane(n % 3)) for m in range(n % 3 + 1)] for n in range(200)]
        told = await asyncio.gather(*(appender.append(each) for each in rows))
        await appender.close()
        return told

    told = asyncio.run(run())
    assert store.groups < 100
    reader = LogReader(tmp_path)
    stored = {one.seq: one.body.decode() for lane in Lane for one in reader.read(lane, 0, 1000)}
    assert [[stored[seq] for seq in seqs] for seqs in told] == [
        [f"{n}-{m}" for m in range(n % 3 + 1)] for n in range(200)
    ]


@pytest.mark.parametrize("limits", [{"waiting": 2}, {"waiting_bytes": 25}])
def test_more_than_the_room_is_refused_at_once(tmp_path: Path, limits: dict[str, Any]) -> None:
    """What does not fit into the queue raises, what waits is written, and then there is room again."""

    async def run() -> list[object]:
        appender = Appender(LogStore(tmp_path), lambda: None, **limits)
        first = await asyncio.gather(
            *(appender.append([row("x" * 10)]) for _ in range(3)), return_exceptions=True
        )
        again = await appender.append([row("y" * 10)])
        await appender.close()
        return [*first, again]

    one, two, refused, again = asyncio.run(run())
    assert isinstance(refused, OverloadError)
    assert [one, two, again] == [[1], [2], [3]]


def test_a_broken_log_answers_all_who_wait_and_says_so_once_each_group(tmp_path: Path) -> None:
    """Nobody waits for ever on a log that can't be written, and the process is told to end."""
    store, told = LogStore(tmp_path), []
    store.file.set_commit_hook(lambda: True)

    async def run() -> list[object]:
        appender = Appender(store, lambda: told.append("broken"))
        found = await asyncio.gather(*(appender.append([row("x")]) for _ in range(5)), return_exceptions=True)
        await appender.close()
        return list(found)

    assert {type(one) for one in asyncio.run(run())} == {LogBrokenError}
    assert told
