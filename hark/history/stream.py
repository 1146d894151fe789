"""All events in the order of (known_at, seq), in bounded memory, for replay.

Files are sorted by subject, so this is an external merge sort: as many rows as are held at once are sorted
and put aside in a temporary folder; then all that was put aside is merged.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from hark.history.columns import events, micros
from hark.model import Event

HELD = 1_000_000
"""Rows that are sorted at once, in memory."""
_BATCH = 4096


def by_known_at(parts: Iterable[pa.Table], held: int = HELD) -> Iterator[Event]:
    """The events of all parts (the columns of `columns.CHUNK`, in any order) by (known_at, seq)."""
    with TemporaryDirectory(prefix="hark-replay-") as folder:
        sorted_ = (_ordered(block) for block in _blocks(parts, held))
        last = next(sorted_, None)
        aside: list[Path] = []
        for block in sorted_:
            aside.append(_put_aside(last, Path(folder) / f"{len(aside)}.arrow"))
            last = block
        sources = [_read_back(path) for path in aside] + ([] if last is None else [events(last)])
        yield from heapq.merge(*sources, key=_place) if len(sources) > 1 else sources[0] if sources else ()


def _place(event: Event) -> tuple[int, int]:
    return event.known_at, event.seq


def _blocks(parts: Iterable[pa.Table], rows: int) -> Iterator[list[pa.Table]]:
    block: list[pa.Table] = []
    for part in parts:
        block.append(part)
        if sum(piece.num_rows for piece in block) >= rows:
            yield block
            block = []
    if block:
        yield block


def _ordered(block: Sequence[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(block).unify_dictionaries()
    return rows.take(pa.array(np.lexsort([rows["seq"].to_numpy(), micros(rows["known_at"])])))


def _put_aside(rows: pa.Table, path: Path) -> Path:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, rows.schema) as writer:
        writer.write_table(rows.combine_chunks(), max_chunksize=_BATCH)
    return path


def _read_back(path: Path) -> Iterator[Event]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield from events(pa.Table.from_batches([batch]))
