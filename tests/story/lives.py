"""A process in which an engine lives many short lives: `python -m tests.story.lives DATA START SPEED`.

It loads everything once. Each line of its standard input is a `Life`: a fork of the process runs the engine
until every message has its outcome, or until it is killed, and how it ended is answered on a line. A life may
end at a marked point, by its own hand, or at any moment, by its parent's. SIGKILL both: nothing is tidied up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import msgspec
from msgspec import Struct

from hark.app import live_engine
from hark.definitions.parse import parse
from hark.definitions.stages import built_in
from hark.definitions.types import Sender
from hark.engine import loop, parts
from hark.engine.handoff import Deliverers
from hark.engine.loop import Engine
from hark.engine.messages import Messages
from hark.history.seal import Sealer
from hark.model import SECOND, Instant
from hark.speak import attachments, deliver, places
from hark.speak.channels import CHANNELS
from hark.speak.contract import Envelope, Job
from hark.speak.render import Rendered
from hark.speak.wire import Wire
from hark.store import state, state_write
from hark.store.checkpoint import Checkpoints
from hark.store.state_reader import open_reader
from hark.store.table import EventTable

LOADED = (attachments, places)
"""With these the engine loads for its first message."""
FOLLOWED_S, STILL_S = 0.01, 60.0
"""How long between two looks at whether all is done; and after how long without any progress a life ends."""
PAGES, TIMERS = 128, 64
"""Checkpoints come after so little that lives see some, and many ticks are needed for all timers."""


THERE = b"!"
"""What a life says when it comes by its marked point and is to go on until it is killed."""


class Life(Struct, frozen=True, kw_only=True):
    """How one life is to end."""

    edge: str = ""
    """At this edge, named by what happens there; "": at none."""
    call: int = 1
    """The how manyth time it comes by there."""
    after_s: float | None = None
    """So long after that, or after its start, wherever it then is."""
    messages: int = 0
    """It ends by itself once so many messages have their outcome."""


EDGES: dict[str, tuple[Any, str]] = {
    "start": (Messages, "abandon"),
    "tick": (Engine, "tick"),
    "timers": (Engine, "_timers"),
    "outcomes": (Messages, "outcomes"),
    "due": (Messages, "due"),
    "commit": (state.StateStore, "commit"),
    "put": (Deliverers, "put"),
    "deliver": (deliver.Deliverer, "__call__"),
    "exchange": (Wire, "exchange"),
    "outcome": (Deliverers, "_outcome"),
    "seal": (Sealer, "seal"),
    "history file": (EventTable, "write"),
    "history commit": (EventTable, "commit"),
    "compact": (parts.Parts, "compact"),
    "checkpoint": (Checkpoints, "_copy"),
}
"""Where the world may stop: before and after each of these calls."""
WRITES = ("write_meta", "write_records", "write_wanted", "write_turns", "write_chunk", "write_deliveries")
"""And within the transaction of a commit."""


class Marks:
    """Counts who comes by each edge, and kills the process where it is told to."""

    def __init__(self, life: Life, there: Callable[[], None]) -> None:
        """`there` is called at the marked point."""
        self._life, self._there = life, there
        self._lock = threading.Lock()
        self._passed: Counter[str] = Counter()

    def put_up(self) -> None:
        """Around every edge, for the rest of this process."""
        for name, (owner, attribute) in EDGES.items():
            patch.object(owner, attribute, self.around(name, getattr(owner, attribute))).start()
        writes = [self.around(step.__name__, step) if step.__name__ in WRITES else step for step in _STEPS]
        patch.object(state_write, "STEPS", writes).start()

    def around(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.pass_by(f"before {name}")
            result = real(*given, **named)
            self.pass_by(f"after {name}")
            return result

        return call

    def pass_by(self, edge: str) -> None:
        with self._lock:
            self._passed[edge] += 1
            if edge == self._life.edge and self._passed[edge] == self._life.call:
                self._there()


_STEPS = state_write.STEPS


class Passing:
    """A clock that goes on through all lives, so many times as fast as the wall's."""

    def __init__(self, start: Instant, speed: int) -> None:
        self._start, self._began, self._speed = start, time.monotonic(), speed

    def now(self) -> Instant:
        return self._start + int((time.monotonic() - self._began) * self._speed * SECOND)


def live(data: Path, clock: Passing, life: Life, there: Callable[[], None]) -> None:
    """A whole life, unless it is killed; `there` is called at its marked point."""
    marks, stop = Marks(life, there), threading.Event()
    marks.put_up()
    patch.object(state, "PAGES_TO_CHECKPOINT", PAGES).start()
    patch.object(loop, "TIMERS", TIMERS).start()
    engine = live_engine(data, clock, "http://127.0.0.1")
    threading.Thread(target=_follow, args=(data, life.messages, stop), daemon=True).start()
    engine.run(stop)


def _follow(data: Path, messages: int, stop: threading.Event) -> None:
    """Tells when all is done, or nothing comes any more."""
    before, since = dict[str, int](), time.monotonic()
    with closing(open_reader(data)) as reader:
        while time.monotonic() - since < STILL_S:
            counts = reader.outbox_counts()
            if counts != before:
                before, since = counts, time.monotonic()
            open_yet = counts.get("wanted", 0) + counts.get("sending", 0)
            if sum(counts.values()) - open_yet >= messages:
                break
            time.sleep(FOLLOWED_S)
    stop.set()


def begun(data: Path, clock: Passing, life: Life) -> bool:
    """Lives it in a fork; whether it was killed. A life that breaks ends this process."""
    inward, outward = os.pipe()
    child = os.fork()
    if not child:
        _in_fork(data, clock, life, outward)
    os.close(outward)
    with os.fdopen(inward, "rb") as pipe:
        if life.after_s is not None and (not life.edge or pipe.read(1) == THERE):
            time.sleep(life.after_s)
            os.kill(child, signal.SIGKILL)
        pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"a life broke: {code}"
    return bool(code)


def _in_fork(data: Path, clock: Passing, life: Life, outward: int) -> None:
    def there() -> None:
        if life.after_s is None:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(outward, THERE)

    code = 1
    try:
        live(data, clock, life, there)
        code = 0
    except BaseException as error:  # a fork must not go on as its parent
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(code)


class Lives:
    """`with Lives(data, start) as lives:` the process, from outside."""

    def __init__(self, data: Path, start: Instant, speed: int = 1) -> None:
        command = [sys.executable, "-m", "tests.story.lives", str(data), str(start), str(speed)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def live(self, life: Life) -> bool:
        """One life, from its beginning to its end; whether it was killed."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks and answers
        asks.write(msgspec.json.encode(life) + b"\n")
        asks.flush()
        answer = answers.readline()
        assert answer, "the lives broke, see above"
        return msgspec.json.decode(answer, type=bool)


def warm() -> None:
    """Loads what an engine reads once, and what the first mail of a process loads."""
    built_in("UTC")
    channel = CHANNELS["sendgrid"]
    sender = parse(channel.example)[0].definition
    assert isinstance(sender, Sender)
    channel.build(Job(Rendered("Hello", text="Hello"), Envelope("m", "b@shop.example", 0), sender))


def main(words: Sequence[str]) -> None:
    warm()
    data, clock = Path(words[0]), Passing(int(words[1]), int(words[2]))
    for line in sys.stdin.buffer:
        killed = begun(data, clock, msgspec.json.decode(line, type=Life))
        sys.stdout.buffer.write(msgspec.json.encode(killed) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
