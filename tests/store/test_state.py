"""The engine's state: one transaction a tick, and readers that are never in its way."""

from pathlib import Path

import apsw
import pytest

from hark.definitions.document import Document
from hark.errors import HarkError
from hark.model import Lane
from hark.store.changes import ANONYMOUS, USER, Changes, Chunk, Kept, Moved, NewSubject, Prints, Turn
from hark.store.contracts import Merge, OutboxRow
from hark.store.state import StateStore, open_reader


def wanted(message: str, subject: int = 1, due: int = 5) -> OutboxRow:
    return OutboxRow(message, subject, "c", "r", "t", "email", "wanted", due, 1, {"to": "a@x.example"})


@pytest.fixture
def state(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "state.db", "epoch")


def test_a_tick_is_written_whole_or_not_at_all(state: StateStore, tmp_path: Path) -> None:
    """If any part cannot be written, nothing of the tick is there."""
    state.commit(Changes(subjects=[NewSubject(1, "u:ada", 3)], cursors={Lane.LIVE: 1}))
    again = Changes(
        cursors={Lane.LIVE: 2}, records={1: Kept(b"x", None)}, subjects=[NewSubject(1, "u:bob", 4)]
    )
    with pytest.raises(apsw.ConstraintError):
        state.commit(again)
    assert state.cursors()[Lane.LIVE] == 1
    assert state.kept(1) is None
    assert open_reader(tmp_path).key(1) == ("u:ada", 3)


def test_readers_see_what_was_committed_while_the_engine_is_open(state: StateStore, tmp_path: Path) -> None:
    """A reader of another connection finds ids, outbox, merges and documents of the last tick."""
    reader = open_reader(tmp_path)
    state.commit(
        Changes(
            subjects=[NewSubject(1, "u:ada", 3), NewSubject(2, "a:x", 4)],
            ids={(USER, "ada"): 1, (ANONYMOUS, "x"): 1},
            merges=[Moved(Merge(2, 1, 9, "identify"), ((ANONYMOUS, "x"),))],
            wanted=[wanted("m1"), wanted("m2", subject=2)],
            documents=[Document("topic", "news", 1, {"says": "n"}), Document("topic", "news", 2, {})],
            engine_time=7,
        )
    )
    assert reader.find("ada") == reader.find("x") == reader.find("#2") == 1
    assert reader.find("nobody") is reader.find("#3") is None
    assert reader.ids(1) == [("user", "ada"), ("anonymous", "x")]
    assert [(row.message, row.subject) for row in reader.outbox()] == [("m2", 1), ("m1", 1)]
    assert reader.merges() == [Merge(2, 1, 9, "identify")]
    assert [one.version for one in reader.documents()] == [2]
    assert [one.version for one in reader.versions("topic", "news")] == [1, 2]
    assert (reader.customers(), reader.engine_time(), reader.epoch()) == (1, 7, "epoch")


def test_a_message_is_wanted_once(state: StateStore) -> None:
    """A message id that is known is ignored, whatever became of it."""
    state.commit(Changes(wanted=[wanted("m")]))
    state.commit(Changes(turns=[Turn("m", "sent", 9)]))
    state.commit(Changes(wanted=[wanted("m")]))
    found = state.message("m")
    assert found is not None and found.state == "sent"
    assert state.due(100, 10) == []


def test_a_deferred_message_waits_for_its_new_moment(state: StateStore) -> None:
    """It stays wanted and comes due later; earlier ones go first."""
    state.commit(Changes(wanted=[wanted("late", due=9), wanted("soon", due=2), wanted("moved", due=1)]))
    state.commit(Changes(turns=[Turn("moved", "wanted", 1, "quiet_hours", due_at=20)]))
    assert [row.message for row in state.due(9, 10)] == ["soon", "late"]
    assert [row.message for row in state.due(20, 10)] == ["soon", "late", "moved"]


def test_timers_come_in_order_of_their_moment(state: StateStore) -> None:
    """Armed subjects up to a moment, earliest first; a record without a moment has no timer."""
    state.commit(Changes(records={1: Kept(b"a", 9), 2: Kept(b"b", 3), 3: Kept(b"c", None), 4: Kept(b"d", 5)}))
    assert state.armed(5, 10) == [2, 4]
    assert state.armed(99, 2) == [2, 4]
    state.commit(Changes(records={2: None}))
    assert state.armed(99, 10) == [4, 1]


def test_chunk_numbers_never_restart(state: StateStore, tmp_path: Path) -> None:
    """After all chunks are sealed and dropped the next one has the next number."""
    for data in (b"one", b"two"):
        state.commit(Changes(chunk=Chunk(1, b"", data)))
    reader = open_reader(tmp_path)
    assert reader.numbered(1) == [(2, b"two")]
    state.commit(Changes(sealed=2))
    assert list(reader.recent(0)) == []
    state.commit(Changes(chunk=Chunk(1, b"", b"three")))
    assert reader.numbered(0) == [(3, b"three")]


def test_recent_finds_the_chunks_of_a_subject(state: StateStore, tmp_path: Path) -> None:
    """Only chunks in which the subject occurs are given."""
    for subjects in ([1, 5, 9], [2, 5], [7]):
        packed = b"".join(one.to_bytes(8, "little") for one in subjects)
        state.commit(Changes(chunk=Chunk(1, packed, str(subjects).encode())))
    reader = open_reader(tmp_path)
    assert list(reader.recent_of([5], 0)) == [b"[1, 5, 9]", b"[2, 5]"]
    assert list(reader.recent_of([7], 0)) == [b"[7]"]
    assert list(reader.recent_of([3], 0)) == []


def test_old_fingerprints_are_dropped_a_few_at_a_time(state: StateStore) -> None:
    """Dropping a day's fingerprints never makes one tick long."""
    for number in range(100):
        state.commit(Changes(prints=[Prints(number // 90, bytes(16))]))
    state.commit(Changes(oldest_bucket=1))
    assert 10 < len(list(state.seen())) < 100
    state.commit(Changes(oldest_bucket=1))
    assert [bucket for bucket, _ in state.seen()] == [1] * 10


def test_another_epoch_is_refused(state: StateStore, tmp_path: Path) -> None:
    """The state belongs to one log."""
    state.close()
    with pytest.raises(HarkError) as error:
        StateStore(tmp_path / "state.db", "other")
    assert error.value.id == "epoch.differs"


def test_without_a_state_the_reader_says_so(tmp_path: Path) -> None:
    """A reader may be made before the engine ever ran; its questions are a clear error until then."""
    reader = open_reader(tmp_path)
    with pytest.raises(HarkError) as error:
        reader.documents()
    assert error.value.id == "state.missing"
    StateStore(tmp_path / "state.db", "e")
    assert reader.documents() == []
