"""The compiled loops over a table of fingerprints (`dedupe`); `slots` and `words` are pairs of 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _slot(slots: Any, high: Any, low: Any) -> Any:
    """Where the fingerprint stands, or the empty slot where it would."""
    size = np.uint64(len(slots))
    at = high % size
    while (slots[at, 0] != high or slots[at, 1] != low) and (slots[at, 0] != 0 or slots[at, 1] != 0):
        at = at + np.uint64(1)
        if at == size:
            at = np.uint64(0)
    return at


@njit(cache=True, nogil=True)
def find(slots: Any, words: Any, new: Any) -> None:
    """Clears `new` where the table has the fingerprint."""
    for i in range(len(words)):
        if new[i]:
            at = _slot(slots, words[i, 0], words[i, 1])
            new[i] = slots[at, 0] == 0 and slots[at, 1] == 0


@njit(cache=True, nogil=True)
def insert(slots: Any, words: Any, new: Any) -> int:
    """Adds those marked new and returns how many; clears the mark where they were here already."""
    added = 0
    for i in range(len(words)):
        if new[i]:
            at = _slot(slots, words[i, 0], words[i, 1])
            new[i] = slots[at, 0] == 0 and slots[at, 1] == 0
            if new[i]:
                slots[at, 0], slots[at, 1] = words[i, 0], words[i, 1]
                added += 1
    return added
