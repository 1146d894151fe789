"""The rules of docs/identity.md in other words: a forest of numbers, and ids that are at home at one of them.

Ids never move by a merge here; who somebody is today is asked by walking up the forest as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator

USER, ANONYMOUS = "u:", "a:"


class Model:
    """Numbers are given in the order of first sight, from 1."""

    def __init__(self) -> None:
        self.home: dict[str, int] = {}
        self.numbers = 0
        self.stated: dict[str, set[int]] = {}
        """The numbers that stated an address, by the id that stands for it."""
        self.merges: list[tuple[int, int, int]] = []
        """(younger, older, number of the merge undone or 0), in their order; numbers from 1."""

    def edges(self) -> dict[int, int]:
        """Younger → older of what was not undone."""
        undone = {number for _, _, number in self.merges if number}
        return {
            younger: older
            for number, (younger, older, undoes) in enumerate(self.merges, 1)
            if not undoes and number not in undone
        }

    def root(self, number: int) -> int:
        up = self.edges()
        while number in up:
            number = up[number]
        return number

    def ids(self, root: int) -> Iterator[str]:
        return (one for one, home in self.home.items() if self.root(home) == root)

    def see(self, id: str) -> int:
        """The home of an id, a new number for one never seen."""
        if id not in self.home:
            self.numbers += 1
            self.home[id] = self.numbers
        return self.home[id]

    def track(self, user: str, device: str) -> int:
        """The number for which it is written down."""
        return self.see(USER + user if user else ANONYMOUS + device)

    def identify(self, user: str, device: str) -> int:
        if not (user and device):
            return self.track(user, device)
        return self.link(USER + user, ANONYMOUS + device, respects_undo=True)

    def alias(self, user: str, previous: str, secret: bool) -> int | None:
        """None: refused."""
        me, other = USER + user, ANONYMOUS + previous
        if other not in self.home and USER + previous in self.home:
            other = USER + previous
        same = (
            me in self.home and other in self.home and self.root(self.home[me]) == self.root(self.home[other])
        )
        named = other in self.home and any(
            one.startswith(USER) for one in self.ids(self.root(self.home[other]))
        )
        if same or not named:
            return self.link(me, other, respects_undo=True)
        return self.link(me, other, respects_undo=False, named=False) if secret else None

    def link(self, me: str, other: str, respects_undo: bool, named: bool | None = None) -> int:
        if other not in self.home:
            self.home[other] = self.see(me)
            return self.home[me]
        there = self.root(self.home[other])
        if named is None:
            named = any(one.startswith(USER) for one in self.ids(there))
        if me in self.home and self.root(self.home[me]) == there:
            return self.home[me]
        if named or (respects_undo and me in self.home and self.apart(self.root(self.home[me]), there)):
            self.home[other] = self.see(me)
        elif me not in self.home:
            self.home[me] = self.home[other]
        else:
            here = self.root(self.home[me])
            self.merges.append((max(here, there), min(here, there), 0))
        return self.home[me]

    def together(self, ids: list[str]) -> int:
        """What a webhook says of several ids of one customer; the number for which it is written down."""
        for one in ids:
            self.lead(one)
        mine = next((one for one in ids if one.startswith(USER)), "") or next(
            (
                one
                for one in sorted(
                    ids, key=lambda one: (not self.named(one), one not in self.home, ids.index(one))
                )
            ),
        )
        for other in (one for one in ids if one != mine):
            if other not in self.home:
                self.home[other] = self.see(mine)
            elif mine not in self.home and not self.named(other):
                self.home[mine] = self.home[other]
            else:
                self.join(self.see(mine), self.home[other])
        return self.see(mine)

    def lead(self, one: str) -> None:
        """An address that nobody with a userId has is that of the only other who stated it."""
        if self.named(one):
            return
        mine = {self.root(self.home[one])} if one in self.home else set()
        others = {self.root(number) for number in self.stated.get(one, ())} - mine
        if len(others) == 1 and mine:
            self.join(*others, *mine)
        elif len(others) == 1:
            (self.home[one],) = others

    def named(self, one: str) -> bool:
        """Whether it is the id of somebody with a userId."""
        return one in self.home and self.user_there(self.root(self.home[one]))

    def user_there(self, root: int) -> bool:
        return any(one.startswith(USER) for one in self.ids(root))

    def join(self, one: int, other: int) -> None:
        """Both are one, unless both have userIds or were told apart before."""
        here, there = self.root(one), self.root(other)
        both = self.user_there(here) and self.user_there(there)
        if here != there and not both and not self.apart(here, there):
            self.merges.append((max(here, there), min(here, there), 0))

    def apart(self, one: int, other: int) -> bool:
        return any({self.root(a), self.root(b)} == {one, other} for a, b, undoes in self.merges if undoes)

    def undo(self, which: int) -> int | None:
        """Undoes one of the merges in force, if there is any; its number."""
        up = self.edges()
        live = [n for n, (a, b, undoes) in enumerate(self.merges, 1) if not undoes and up.get(a) == b]
        if not live:
            return None
        number = live[which % len(live)]
        younger, older, _ = self.merges[number - 1]
        self.merges.append((younger, older, number))
        return number
