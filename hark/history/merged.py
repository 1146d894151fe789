"""Who became whom: merges of identities and their undoing, as one map from each id to the one that stands
for it now.

Merges and undos are numbered together by their place in `StateReader.merges()`, oldest first, from 1. Merges
are edges of a forest, younger → older; undoing one takes its edge away, whatever was merged before or after.
A file of the history follows the first n of them, and keeps in `origin` the id that a row was written with:
so rows go back to who had them without being written anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hark.store.contracts import Merge

Subjects = npt.NDArray[np.int64]


class Merged:
    """The map id → canonical id after all the merges and undos given, in their order."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        self.count = len(merges)
        self._merges = merges
        self._order = np.array([merge.younger for merge in merges], np.int64)
        self._undos = np.array([number for number, merge in enumerate(merges, 1) if merge.undoes], np.int64)
        self._into = standing(merges)
        into = {younger: merge.older for younger, merge in self._into.items()}
        self._younger = np.array(sorted(into), np.int64)
        self._older = _roots(self._younger, np.array([into[one] for one in self._younger.tolist()], np.int64))
        self._then: dict[int, Merged] = {}

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

    def making(self, subject: int) -> list[Merge]:
        """The merges in force that made this customer."""
        return [self._into[one] for one in self.all_of(subject)[1:]] if len(self._younger) else []

    def after(self, number: int) -> Subjects:
        """The ids, ascending, under which a file that follows the first `number` may hold rows of others."""
        later = self._order[number:]
        return np.unique(self.then(number).canonical(later) if len(self._undos) else later)

    def undone_after(self, number: int) -> bool:
        """Whether a row's `origin` tells whose it is today, in a file that follows the first `number`."""
        return bool(len(self._undos)) and int(self._undos[-1]) > number

    def under(self, subject: int, number: int) -> list[int]:
        """The ids under which a file that follows the first `number` holds this customer's rows."""
        mine = np.array(self.all_of(subject), np.int64)
        held: list[int] = np.unique([*mine, *self.then(number).canonical(mine)]).tolist()
        return held

    def then(self, number: int) -> Merged:
        """The map as it was after the first `number`."""
        if number not in self._then:
            self._then[number] = Merged(self._merges[:number])
        return self._then[number]


def standing(merges: Sequence[Merge]) -> dict[int, Merge]:
    """The merges that were not undone, by their younger."""
    found: dict[int, Merge] = {}
    for merge in merges:
        if merge.undoes:
            found.pop(merge.younger, None)
        else:
            found[merge.younger] = merge
    return found


def _roots(younger: Subjects, older: Subjects) -> Subjects:
    """Where each chain ends; `younger` ascends. Each round doubles how far every id looks."""
    while len(younger):
        place = np.minimum(np.searchsorted(younger, older), len(younger) - 1)
        goes_on = younger[place] == older
        if not goes_on.any():
            break
        older = np.where(goes_on, older[place], older)
    return older
