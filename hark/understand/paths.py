"""Paths: what people do next after an event, or did before it, as a tree of counts.

`specification` is what the answer means, in plain Python; `ask_paths` gives the same answer by the kernel
(`understand.kernels.paths`). Each customer counts once, by the path from their first anchor in the range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hark.definitions.asked import FOREVER, Paths
from hark.definitions.types import EventMatch
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import Event, Instant
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.split import OTHER
from hark.understand.steps import is_activity, matches, named
from hark.understand.tabular import Row, Tabular

Codes = npt.NDArray[np.int64]
END = -1
"""Stands behind the last step of a path."""


class Node(Struct, frozen=True):
    """A step, and what came next (on the way back: before). Whoever is in no branch ended here."""

    event: str
    customers: int
    next: tuple[Node, ...] = ()
    """Branches, the most frequent first; rare ones are one branch "other" at the end."""
    branches: int = 1
    """How many branches are in it; more than one only in "other"."""


class Way(Struct, frozen=True):
    """One whole path, anchor first, and how many took exactly it."""

    path: tuple[str, ...]
    customers: int


class PathsAnswer(Tabular, frozen=True):
    """{"tree": {"event", "customers", "next": [...]}, "paths": 44, "top": [{"path", "customers"}]}."""

    tree: Node
    paths: int
    """How many different paths there are, of at most `depth` steps."""
    top: tuple[Way, ...]
    """The most frequent of them."""

    def rows(self) -> Iterator[Row]:
        """One row a branch of the tree."""
        yield from _rows(self.tree, ())


def _rows(node: Node, before: tuple[str, ...]) -> Iterator[Row]:
    path = (*before, node.event)
    yield {"path": " > ".join(path), "depth": len(before), "customers": node.customers}
    for one in node.next:
        yield from _rows(one, path)


@dataclass(frozen=True)
class Partial:
    """What one bucket adds: (paths, depth) codes of different paths, and how many customers took each."""

    steps: Codes
    customers: Ints
    words: tuple[str, ...]


# -- what it means --------------------------------------------------------------------------------------


def specification(question: Paths, histories: Iterable[Sequence[Event]], now: Instant) -> PathsAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    ways: Counter[tuple[str, ...]] = Counter()
    for history in histories:
        events = [one for one in history if one.at <= now and (question.facts or is_activity(one))]
        found = path(question, events)
        if found is not None:
            ways[found] += 1
    words = tuple(sorted({name for way in ways for name in way}))
    steps = [[*map(words.index, way), *[END] * (question.depth - len(way))] for way in ways]
    matrix = np.array(steps, np.int64).reshape(-1, question.depth)
    return answer(question, [Partial(matrix, np.array([*ways.values()], np.int64), words)])


def path(question: Paths, events: Sequence[Event]) -> tuple[str, ...] | None:
    """What one subject did after the anchor (before it, on the way back); None without an anchor."""
    for row, event in enumerate(events):
        if question.start <= event.at < question.end and matches(anchor(question), event):
            ahead = events[row:] if question.origin else events[row::-1]
            return _walked(question, ahead)
    return None


def _walked(question: Paths, events: Sequence[Event]) -> tuple[str, ...]:
    steps: list[str] = []
    for before, event in pairwise(events):
        apart = abs(event.at - before.at)
        if len(steps) == question.depth or (question.gap_us is not None and apart >= question.gap_us):
            break
        if not (question.collapse and event.name == before.name):
            steps.append(event.name)
            if question.origin and question.target and matches(question.target, event):
                break
    return tuple(steps)


def anchor(question: Paths) -> EventMatch:
    found = question.origin or question.target
    assert found, "a question about paths has an anchor"
    return found


# -- from the history -----------------------------------------------------------------------------------


def ask_paths(history: Snapshot | People, question: Paths, now: Instant) -> PathsAnswer:
    """The answer from a history, one bucket a thread."""
    whom = people(history, now).among(question.among)
    return answer(question, over_buckets(whom, lambda bucket: _of_bucket(whom, question, now, bucket)))


def _of_bucket(whom: People, question: Paths, now: Instant, bucket: int) -> Partial:
    from hark.understand.kernels import paths as kernel
    from hark.understand.kernels.retention import begun
    from hark.understand.kernels.rows import Bit, stream, wanted

    last = question.target if question.origin else None
    bits = [Bit(event, question.facts) for event in (anchor(question), *([last] if last else []))]
    runs = whom.runs(bucket, values=wanted(bits))
    rows = stream(runs, [*bits, Bit(None, question.facts)], named=True)
    anchors = begun(rows, question.start, question.end, now)
    gap = FOREVER if question.gap_us is None else question.gap_us
    how = bool(question.origin), question.collapse, last is not None
    steps = kernel.walked(rows, anchors, question.depth, *how, gap, now)
    return Partial(*distinct(steps, np.ones(len(steps), np.int64)), rows.words)


def distinct(steps: Codes, customers: Ints) -> tuple[Codes, Ints]:
    """The different rows of (n, depth) codes, and how many customers are behind each.

    Column by column a row's number becomes that of what was read of it so far, so it never gets too large.
    """
    number = np.zeros(len(steps), np.int64)
    wide = int(steps.max(initial=END)) + 2
    bound = 1
    for column in steps.T:
        if bound > FOREVER // wide:
            different, number = np.unique(number, return_inverse=True)
            bound = len(different)
        number = number * wide + column + 1
        bound *= wide
    _, first, back = np.unique(number, return_index=True, return_inverse=True)
    return steps[first], np.bincount(back, customers, len(first)).astype(np.int64)


# -- adding up ------------------------------------------------------------------------------------------


def answer(question: Paths, partials: Sequence[Partial]) -> PathsAnswer:
    """All partials together."""
    words = tuple(sorted({word for one in partials for word in one.words}))
    place = {word: number for number, word in enumerate(words)}
    recoded = [np.array([*(place[word] for word in one.words), END], np.int64)[one.steps] for one in partials]
    empty = np.empty((0, question.depth), np.int64)
    customers = np.concatenate([np.empty(0, np.int64), *(one.customers for one in partials)])
    steps, customers = distinct(np.concatenate([empty, *recoded]), customers)
    order = np.lexsort(tuple(reversed(steps.T)))
    tree = _Tree(question, words, steps[order], customers[order])
    return PathsAnswer(tree.root(), len(steps), tree.top())


class _Tree:
    """The sorted different paths, cut into branches."""

    def __init__(self, question: Paths, words: tuple[str, ...], steps: Codes, customers: Ints) -> None:
        self.question, self.words, self.steps, self.customers = question, words, steps, customers
        self.least = question.rare * int(customers.sum())

    def root(self) -> Node:
        total = int(self.customers.sum())
        return Node(named(anchor(self.question)), total, self.branches(0, len(self.steps), 0))

    def branches(self, low: int, high: int, depth: int) -> tuple[Node, ...]:
        """What follows on the paths from `low` to `high`, which begin alike."""
        if depth == self.question.depth or low == high:
            return ()
        codes, starts = np.unique(self.steps[low:high, depth], return_index=True)
        ends = [*(starts[1:] + low).tolist(), high]
        sums = np.add.reduceat(self.customers[low:high], starts).tolist()
        places = zip(codes.tolist(), (starts + low).tolist(), ends, sums, strict=True)
        found = sorted((one for one in places if one[0] != END), key=lambda one: (-one[3], one[0]))
        kept = [one for one in found[: self.question.top] if one[3] >= self.least]
        rare = found[len(kept) :]
        nodes = [
            Node(self.words[code], size, self.branches(first, last, depth + 1))
            for code, first, last, size in kept
        ]
        other = [Node(OTHER, sum(one[3] for one in rare), (), len(rare))] if rare else []
        return tuple(nodes + other)

    def top(self) -> tuple[Way, ...]:
        first = named(anchor(self.question))
        order = np.argsort(-self.customers, kind="stable")[: self.question.top].tolist()
        return tuple(
            Way(
                (first, *(self.words[code] for code in self.steps[row].tolist() if code != END)),
                int(self.customers[row]),
            )
            for row in order
        )
