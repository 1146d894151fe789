"""Several senders: shares, rests and places, against laws and hand-made timelines."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.definitions.types import Sender
from hark.speak.contract import Verdict
from hark.speak.senders import Desk, in_turn

FAULT = Verdict("failed", temporary=True, ours=True)
ONE = Sender("one", channel="sms", rate_per_s=10)
IDS = [f"{number:032x}" for number in range(6000)]


def test_each_sender_gets_its_share() -> None:
    """Of 6,000 messages weight 2 gets two thirds (within 4 standard deviations), weight 0 none."""
    senders = [
        replace(ONE, name=name, weight=weight) for name, weight in [("a", 2.0), ("b", 1.0), ("c", 0.0)]
    ]
    firsts = Counter(in_turn(message, senders)[0].name for message in IDS)
    assert abs(firsts["a"] - 4000) < 4 * (6000 * 2 / 9) ** 0.5
    assert firsts["c"] == 0
    assert all(in_turn(message, senders)[-1].name == "c" for message in IDS)


@given(st.lists(st.sampled_from("abcdefg"), unique=True, min_size=1), st.sampled_from(IDS))
def test_a_new_sender_moves_only_what_it_takes(names: list[str], message: str) -> None:
    """With one more sender a message goes to it, or where it went before."""
    senders = [replace(ONE, name=name) for name in names]
    more = [*senders, replace(ONE, name="new")]
    assert in_turn(message, more)[0].name in ("new", in_turn(message, senders)[0].name)


def waits(desk: Desk, message: str, at_s: float) -> float | None:
    """None: the sender may take it; else the seconds it is told to wait."""
    said = next(desk.ready(message, [ONE], at_s))
    return said.retry_after_s if isinstance(said, Verdict) else None


def test_a_sender_rests_after_five_faults_and_is_tried_by_one() -> None:
    """Five faults in a row: 15 s of rest; then one message tries, the others wait; a success ends it."""
    desk = Desk()
    for number in range(5):
        assert waits(desk, f"m{number}", 100.0) is None
        desk.heard(ONE, FAULT, 100.0)
    assert waits(desk, "m6", 101.0) == 14.0
    assert waits(desk, "m6", 115.0) is None
    assert waits(desk, "m7", 115.1) is not None
    desk.heard(ONE, FAULT, 116.0)
    assert (waits(desk, "m8", 117.0) or 0) > 14.0
    assert waits(desk, "m9", 150.0) is None
    desk.heard(ONE, Verdict("sent"), 150.0)
    assert [waits(desk, f"n{number}", 150.1) for number in range(3)] == [None] * 3


def test_one_bad_address_never_rests_a_sender() -> None:
    """Refused recipients, however many, say nothing of the sender: the others are not held up."""
    desk = Desk()
    for number in range(50):
        assert waits(desk, f"m{number}", 100.0 + number) is None
        desk.heard(ONE, Verdict("failed", permanent=True), 100.0 + number)


def test_retry_after_is_kept_for_all_of_a_sender() -> None:
    """Who is told to come again in a minute doesn't try with the next message."""
    desk = Desk()
    assert waits(desk, "a", 100.0) is None
    desk.heard(ONE, Verdict("failed", temporary=True, retry_after_s=60), 100.0)
    assert waits(desk, "b", 110.0) == 50.0
    assert waits(desk, "b", 160.5) is None


def test_who_waits_for_a_sender_waits_once_and_the_rate_is_kept() -> None:
    """100 at once at 10 a second: a second's worth goes, each of the others has a place, all different."""
    desk = Desk()
    told = {message: waits(desk, message, 1000.0) for message in IDS[:100]}
    later = sorted(wait for wait in told.values() if wait is not None)
    assert len(later) in (89, 90)
    assert all(0.0999 < after - before < 0.1001 for before, after in pairwise(later))
    for message, wait in told.items():
        assert wait is None or waits(desk, message, 1000.001 + wait) is None
