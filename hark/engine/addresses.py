"""E-mail addresses, phone numbers and devices by which customers are found, taken from their calls.

Several customers may have the same one (a family, a desk, a shared tablet): it never makes two of them one.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hark.collect.calls import Call
from hark.model import JSON
from hark.store.changes import DEVICE, EMAIL, KINDS, PHONE
from hark.store.contracts import address

REMEMBERED = 100_000
LONGEST = 1_000


class _Stated(Struct):
    email: JSON = None
    phone: JSON = None


class Addresses:
    """Notes what is new, as far as is remembered; the store ignores what it knows."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._half = most // 2
        self._young: set[tuple[int, str, int]] = set()
        self._old: set[tuple[int, str, int]] = set()
        self._new: list[tuple[int, str, int]] = []

    def keep(self, call: Call, home: int) -> list[tuple[int, str, int]]:
        """What the call states of its customer's addresses; what of it is new, as far as is remembered."""
        before = len(self._new)
        if call.device_token:
            self._keep(DEVICE, call.device_token, home)
        if b'"email"' in call.traits or b'"phone"' in call.traits:
            stated = _stated.decode(call.traits)
            self._keep(EMAIL, stated.email, home)
            self._keep(PHONE, stated.phone, home)
        return self._new[before:]

    def noted(self, kind: int, value: str) -> list[int]:
        """Who stated this address since the last `take`."""
        return [home for *stated, home in self._new if stated == [kind, value]]

    def take(self) -> list[tuple[int, str, int]]:
        """What came in since the last `take`."""
        taken, self._new = self._new, []
        return taken

    def _keep(self, kind: int, stated: JSON, home: int) -> None:
        if isinstance(stated, bool) or not isinstance(stated, str | int):
            return
        value = address(KINDS[kind], str(stated))[:LONGEST]
        one = (kind, value, home)
        if not value or one in self._young or one in self._old:
            return
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        self._young.add(one)
        self._new.append(one)


_stated = msgspec.json.Decoder(_Stated)
