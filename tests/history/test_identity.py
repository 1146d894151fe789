"""Whose event it is: the rules of docs/engine.md, and that ticks and memory change nothing."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from hark.history.identity import ANONYMOUS, USER, Counter, First, Resolved, Resolver
from hark.store.changes import Changes, Moved, NewSubject
from hark.store.contracts import Merge
from hark.store.state import StateStore


class Ids(Struct, frozen=True):
    user_id: str = ""
    anonymous_id: str = ""


class Town:
    """A resolver over a real state; `tick` commits what it found."""

    def __init__(self, remember: int = 1_000) -> None:
        self.state = StateStore(":memory:", "e")
        self.resolver = Resolver(self.state, Counter(1), remember)

    def track(self, user: str = "", anonymous: str = "", at: int = 1) -> Resolved:
        return self.resolver.belongs(Ids(user, anonymous), at)

    def identify(self, user: str = "", anonymous: str = "", at: int = 1) -> Resolved:
        return self.resolver.identify(Ids(user, anonymous), at)

    def tick(self) -> None:
        taken = self.resolver.take()
        self.state.commit(
            Changes(
                subjects=[NewSubject(one.subject, one.key, one.at) for one in taken.firsts.values()],
                ids=taken.ids,
                merges=[
                    Moved(Merge(one.younger, one.older, one.at, one.cause), one.moved)
                    for one in taken.mergings
                ],
            )
        )


@pytest.fixture(params=[False, True], ids=["one-tick", "tick-by-tick"])
def town(request: pytest.FixtureRequest) -> Town:
    """Each rule must hold within one tick, and over ticks with nothing remembered between them."""
    town = Town()
    if request.param:
        inner = town.resolver
        for name in ("belongs", "identify"):
            setattr(inner, name, committing(town, getattr(inner, name)))
    return town


def committing(town: Town, method):  # type: ignore[no-untyped-def]
    def call(*given: object) -> Resolved:
        found: Resolved = method(*given)
        town.tick()
        town.resolver.forget()
        return found

    return call


def test_a_first_sight_gives_the_next_number_and_the_stable_key() -> None:
    """The key is u:<userId> or a:<anonymousId>, by which the subject was first seen, and when."""
    town = Town()
    assert town.track(user="ada", anonymous="x", at=7).subject == 1
    assert town.track(anonymous="y", at=8).subject == 2
    assert town.resolver.first(1) == First(1, "u:ada", 7)
    assert town.resolver.first(2) == First(2, "a:y", 8)
    town.tick()
    assert town.state.key(1) == ("u:ada", 7)


def test_identify_of_two_unknown_ids_makes_one_customer_with_both(town: Town) -> None:
    """Neither known: a new customer with both."""
    one = town.identify("ada", "x").subject
    assert town.track(user="ada").subject == town.track(anonymous="x").subject == one


def test_identify_attaches_the_unknown_id(town: Town) -> None:
    """One of the two known: the other is attached to it, whichever it is."""
    ada = town.track(user="ada").subject
    assert town.identify("ada", "x").subject == ada
    assert town.track(anonymous="x").subject == ada
    visitor = town.track(anonymous="y").subject
    assert town.identify("bob", "y").subject == visitor
    assert town.track(user="bob").subject == visitor


def test_only_identify_links(town: Town) -> None:
    """A track with both ids goes to the userId's customer and leaves the anonymous id alone."""
    ada = town.track(user="ada", anonymous="x").subject
    assert town.track(anonymous="x").subject != ada


@pytest.mark.parametrize("user_first", [True, False])
def test_an_anonymous_customer_is_merged_into_the_older(town: Town, user_first: bool) -> None:
    """The one first seen (the smaller number) stays; the ids of the other move to it."""
    if user_first:
        town.track(user="ada"), town.track(anonymous="x")
    else:
        town.track(anonymous="x"), town.track(user="ada")
    found = town.identify("ada", "x", at=9)
    assert found.subject == 1
    assert found.merging is not None
    assert (found.merging.younger, found.merging.older, found.merging.at) == (2, 1, 9)
    assert found.merging.cause == "identify"
    assert found.merging.moved == ((ANONYMOUS, "x") if user_first else (USER, "ada"),)
    assert town.track(user="ada").subject == town.track(anonymous="x").subject == 1


def test_a_shared_device_merges_nobody(town: Town) -> None:
    """An anonymous id of another user's customer follows the new user from now on; nobody is merged."""
    ada = town.identify("ada", "tablet").subject
    bob = town.identify("bob", "tablet")
    assert bob.merging is None and bob.subject != ada
    assert town.track(anonymous="tablet").subject == bob.subject
    assert town.track(user="ada").subject == ada


def test_after_sign_out_nothing_happens(town: Town) -> None:
    """A fresh anonymous id after a sign-out is a customer of its own."""
    ada = town.identify("ada", "x").subject
    assert town.track(anonymous="fresh").subject != ada


def test_all_ids_of_the_younger_move(town: Town) -> None:
    """Several anonymous ids of one customer move together, also over two merges."""
    town.track(user="ada")
    town.track(user="bob")
    shared = town.track(anonymous="x").subject
    town.identify("carl", "x")
    assert town.track(user="carl").subject == shared
    town.track(anonymous="y")
    assert town.identify("carl", "y").merging is not None
    assert {town.track(anonymous=one).subject for one in "xy"} == {shared}


def test_identify_with_one_id_only_is_no_link(town: Town) -> None:
    """A null id is absent."""
    assert town.identify("ada", "").subject == town.track(user="ada").subject
    assert town.identify("", "x").subject == town.track(anonymous="x").subject


class Reference:
    """The same rules in other words: customers as sets of ids, and no numbers but the order of sight."""

    def __init__(self) -> None:
        self.customers: list[set[tuple[int, str]]] = []

    def home(self, one: tuple[int, str]) -> int | None:
        return next((place for place, ids in enumerate(self.customers) if one in ids), None)

    def settle(self, one: tuple[int, str]) -> int:
        place = self.home(one)
        if place is None:
            self.customers.append({one})
            return len(self.customers) - 1
        return place

    def identify(self, user: tuple[int, str], device: tuple[int, str]) -> int:
        there = self.home(device)
        if there is not None and not any(kind == USER for kind, _ in self.customers[there]):
            mine = self.home(user)
            first = there if mine is None else min(mine, there)
            joined = self.customers[there] | {user} | (set() if mine is None else self.customers[mine])
            for place in (there, mine):
                if place is not None:
                    self.customers[place] = set()
            self.customers[first] = joined
            return first
        place = self.settle(user)
        if there is not None:
            self.customers[there].discard(device)
        self.customers[place].add(device)
        return place


CALLS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["", "u1", "u2", "u3"]), st.sampled_from(["", *"abcde"])).filter(
        lambda call: bool(call[1] or call[2])
    ),
    max_size=40,
)


def by_reference(calls: Iterable[tuple[bool, str, str]]) -> list[int]:
    reference, found = Reference(), []
    for linking, user, device in calls:
        if linking and user and device:
            found.append(reference.identify((USER, user), (ANONYMOUS, device)))
        else:
            found.append(reference.settle((USER, user) if user else (ANONYMOUS, device)))
    return [place + 1 for place in found]


def cut_up(calls: list[tuple[bool, str, str]], cuts: list[bool]) -> Iterator[list[tuple[bool, str, str]]]:
    """The calls as ticks: one ends after each call whose cut is true."""
    tick = list[tuple[bool, str, str]]()
    for call, cut in zip(calls, cuts, strict=False):
        tick.append(call)
        if cut:
            yield tick
            tick = []
    yield tick


@given(CALLS, st.lists(st.booleans(), min_size=40, max_size=40), st.sampled_from([2, 6, 1_000]))
@settings(max_examples=150, deadline=None)
def test_any_calls_in_any_ticks_go_where_the_rules_say(
    calls: list[tuple[bool, str, str]], cuts: list[bool], remember: int
) -> None:
    """Subjects equal those of the rules in other words, wherever ticks are cut and however little is
    remembered."""
    town, found = Town(remember), list[int]()
    for tick in cut_up(calls, cuts):
        ids = [Ids(user, device) for _, user, device in tick]
        for (linking, _, _), one, owner in zip(tick, ids, town.resolver.prepare(ids), strict=True):
            resolver = town.resolver
            resolved = resolver.identify(one, 1) if linking else resolver.belongs(one, 1, owner)
            found.append(resolved.subject)
        town.tick()
    assert found == by_reference(calls)
    held = {subject: set(town.state.ids(subject)) for subject in set(found)}
    assert all(one not in held[b] for a in held for one in held[a] for b in held if a != b)
