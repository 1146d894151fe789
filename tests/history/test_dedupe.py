"""Nothing is stored twice within the span, nothing fresh is dropped, and a restart forgets nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hark.history.dedupe import BUCKETS, Dedupe, fingerprint
from hark.model import DAY, HOUR

TICKS = st.lists(st.tuples(st.integers(0, 2 * HOUR), st.lists(st.integers(0, 300), max_size=60)), max_size=25)


def prints(ids: list[int]) -> list[bytes]:
    return [fingerprint("shop", str(one)) for one in ids]


@given(TICKS, st.data())
@settings(max_examples=80, deadline=None)
def test_it_says_what_a_set_says(ticks: list[tuple[int, list[int]]], data: st.DataObject) -> None:
    """Within the span an id is fresh exactly once, as a plain set has it, also over restarts."""
    dedupe, known, kept, now = Dedupe(), set[int](), list[tuple[int, bytes]](), 0
    for passed, ids in ticks:
        now += passed
        expected = []
        for one in ids:
            expected.append(one not in known)
            known.add(one)
        assert dedupe.fresh(prints(ids), now, 28 * DAY) == expected
        kept += [(added.bucket, added.data) for added in dedupe.take()]
        if data.draw(st.booleans()):
            dedupe = Dedupe(now)
            dedupe.load(kept)
    assert len(dedupe) == len(known)


@given(st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(0, 40)), max_size=120))
@settings(max_examples=80, deadline=None)
def test_the_span_is_a_promise(arrivals: list[tuple[int, int]]) -> None:
    """An id seen less than 24 h of arrival time ago is never fresh; one never seen always is."""
    dedupe, last, now = Dedupe(), dict[int, int](), 0
    for passed, one in arrivals:
        now += passed
        (fresh,) = dedupe.fresh(prints([one]), now)
        if one not in last:
            assert fresh
        elif now - last[one] < DAY:
            assert not fresh
        if fresh:
            last[one] = now


def test_a_source_may_ask_for_a_longer_span() -> None:
    """An id of 28 days is known after 27, one of a day beside it is not; a changed span loses nothing."""
    dedupe = Dedupe()
    dedupe.fresh(prints([1]), 0, 28 * DAY)
    dedupe.fresh(prints([2, 3]), 0, DAY)
    assert dedupe.fresh(prints([3]), 20 * HOUR, 28 * DAY) == [False]
    assert dedupe.fresh(prints([1]), 27 * DAY, 28 * DAY) == [False]
    assert dedupe.fresh(prints([2]), 27 * DAY, DAY) == [True]


def test_old_ids_are_forgotten() -> None:
    """Memory is bounded: a day and a bucket later an id takes no place, and its rows may be dropped."""
    dedupe = Dedupe()
    dedupe.fresh(prints(list(range(1_000))), 0)
    later = DAY + 2 * DAY // BUCKETS
    assert dedupe.fresh(prints([1]), later) == [True]
    assert len(dedupe) == 1
    assert dedupe.take()[0].bucket < dedupe.oldest


def test_an_arrival_in_the_past_does_not_forget_early() -> None:
    """A late lane's old arrival is remembered from now on, for the buckets never go back."""
    dedupe = Dedupe()
    dedupe.fresh(prints([1]), 10 * DAY)
    assert dedupe.fresh(prints([2]), 0) == [True]
    assert dedupe.fresh(prints([2]), 10 * DAY + 20 * HOUR) == [False]


def test_the_source_is_part_of_the_id() -> None:
    """The same message id of two sources is two messages."""
    assert fingerprint("a", "1") != fingerprint("b", "1")


def test_an_id_takes_at_most_40_bytes() -> None:
    """Memory stays at 40 bytes an id at every size, once there are some thousands."""
    dedupe = Dedupe()
    for batch in range(60):
        dedupe.fresh(prints(list(range(batch * 500, batch * 500 + 500))), 0)
        if len(dedupe) > 2_000:
            assert dedupe.bytes / len(dedupe) <= 40


def test_a_fingerprint_of_zeros_is_one_like_others() -> None:
    """The slot that means empty is no hole."""
    dedupe = Dedupe()
    assert dedupe.fresh([bytes(16), bytes(16)], 0) == [True, False]
    assert dedupe.fresh([bytes(16)], 0) == [False]
