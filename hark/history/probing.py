"""The compiled loops over a table of fingerprints (`dedupe`); `slots` and `words` are pairs of 64 bits.

A big table's slots lie in memory, not in a cache, and whether a probe goes on is a branch that nobody can
foretell: one after another, each fingerprint would wait for memory. So the home slots of a block are read
first, without a branch between the reads, and the waits fall together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK = 512
"""Fingerprints whose home slots are read together: 32 KiB of cache lines."""


@njit(cache=True, nogil=True)
def _home(high: Any, size: Any) -> Any:
    """The slot where a fingerprint's probe begins: the upper 32 bits of `high`, scaled to `size` (< 2^32)."""
    return ((high >> np.uint64(32)) * size) >> np.uint64(32)


@njit(cache=True, nogil=True)
def _touch(slots: Any, words: Any, begin: int, end: int) -> Any:
    """Reads the home slots of a block; what it returns only keeps the reads from being left out."""
    size, read = np.uint64(len(slots)), np.uint64(0)
    for i in range(begin, end):
        read |= slots[_home(words[i, 0], size), 0]
    return read


@njit(cache=True, nogil=True)
def _slot(slots: Any, high: Any, low: Any) -> Any:
    """Where the fingerprint stands, or the empty slot where it would."""
    size = np.uint64(len(slots))
    at = _home(high, size)
    while (slots[at, 0] != high or slots[at, 1] != low) and (slots[at, 0] != 0 or slots[at, 1] != 0):
        at = at + np.uint64(1)
        if at == size:
            at = np.uint64(0)
    return at


@njit(cache=True, nogil=True)
def find(slots: Any, words: Any, new: Any) -> Any:
    """Clears `new` where the table has the fingerprint. (What it returns says nothing.)"""
    read = np.uint64(0)
    for begin in range(0, len(words), BLOCK):
        end = min(begin + BLOCK, len(words))
        read |= _touch(slots, words, begin, end)
        for i in range(begin, end):
            if new[i]:
                at = _slot(slots, words[i, 0], words[i, 1])
                new[i] = slots[at, 0] == 0 and slots[at, 1] == 0
    return read


@njit(cache=True, nogil=True)
def insert(slots: Any, words: Any, new: Any) -> Any:
    """Adds those marked new; clears the mark where they were here already. First answer: how many."""
    added, read = 0, np.uint64(0)
    for begin in range(0, len(words), BLOCK):
        end = min(begin + BLOCK, len(words))
        read |= _touch(slots, words, begin, end)
        for i in range(begin, end):
            if new[i]:
                at = _slot(slots, words[i, 0], words[i, 1])
                new[i] = slots[at, 0] == 0 and slots[at, 1] == 0
                if new[i]:
                    slots[at, 0], slots[at, 1] = words[i, 0], words[i, 1]
                    added += 1
    return added, read
