"""Who became whom: merges of identities as one map from each id to the id that stands for it now.

Merges are numbered by their place in `StateReader.merges()`, oldest first. A file of the history follows
the first n of them; only the later ones are applied when it is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hark.store.contracts import Merge

Subjects = npt.NDArray[np.int64]


class Merged:
    """The map id → canonical id after all the merges given, in their order."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        self.count = len(merges)
        self._order = np.array([merge.younger for merge in merges], np.int64)
        into = {merge.younger: merge.older for merge in merges}
        self._younger = np.array(sorted(into), np.int64)
        self._older = np.array([_root(into, int(one)) for one in self._younger], np.int64)

    def canonical(self, subjects: Subjects) -> Subjects:
        """The canonical id of each subject."""
        if not len(self._younger):
            return subjects
        place = np.minimum(np.searchsorted(self._younger, subjects), len(self._younger) - 1)
        return np.where(self._younger[place] == subjects, self._older[place], subjects)

    def one(self, subject: int) -> int:
        """The canonical id of one subject."""
        return int(self.canonical(np.array([subject], np.int64))[0])

    def all_of(self, subject: int) -> list[int]:
        """Every id that stands for the same customer as `subject`, the canonical one first."""
        root = self.one(subject)
        return [root, *self._younger[self._older == root].tolist()]

    def after(self, number: int) -> Subjects:
        """The younger ids of all but the first `number` merges, ascending: what a file may still hold."""
        return np.unique(self._order[number:])


def _root(into: dict[int, int], subject: int) -> int:
    while subject in into:
        subject = into[subject]
    return subject
