"""Long questions over the history: a process of their own, so that nobody waits for them but who asked.

Where the process runs, questions go through DIR/run/questions.sock: it keeps decoded columns and recent
answers, says how far a question is, and ends one on demand. Elsewhere the answer is computed in the calling
process. A question is `{kind: {...}}` (`kinds.KINDS`), its answer plain data.

`ask` waits for the answer. A page that must not wait uses `begin`, and `look` until the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from hark.clock import Clock, WallClock
from hark.errors import HarkError
from hark.loopback import Caller
from hark.model import JSON

SOCKET = "questions.sock"
PATIENCE_S = 120.0
"""For the process to say anything at all."""
LOOK_S = 1.0
"""How often `ask` hears how far a question is."""


class Progress(Struct, frozen=True):
    """How far a question is."""

    id: str
    done: int
    """Parts of the history gone over in the present round, `of` so many; 0 of 0 before the first."""
    of: int
    seconds: float
    """Since it was asked."""


class Answer(Struct, frozen=True):
    """What was asked for."""

    answer: JSON


def ask(
    data: Path,
    question: JSON,
    clock: Clock | None = None,
    told: Callable[[Progress], None] = lambda _progress: None,
) -> JSON:
    """The answer to a question, from the process if it runs, else computed here.

    `told` hears each second how far it is. Whatever ends the waiting (Ctrl-C) ends the question too.
    Raises HarkError: the question is wrong, too large, took too long, or too many are being answered.
    """
    found = begin(data, question, clock, LOOK_S)
    if isinstance(found, Answer):
        return found.answer
    try:
        return _waited(data, found, told)
    except HarkError as error:
        if error.id != "question.gone":
            raise
        return _here(data, question, clock)  # the process ended meanwhile
    except BaseException:
        cancel(data, found.id)
        raise


def _waited(data: Path, found: Answer | Progress, told: Callable[[Progress], None]) -> JSON:
    while isinstance(found, Progress):
        told(found)
        found = look(data, found.id, LOOK_S)
    return found.answer


def begin(
    data: Path, question: JSON, clock: Clock | None = None, patience_s: float = 0.0
) -> Answer | Progress:
    """The answer if it is there within `patience_s`; else how far it is, with the id to `look` by.

    Without a process the answer is computed here, however long that takes. Raises HarkError as `ask`.
    """
    if not (data / "run" / SOCKET).exists():
        return Answer(_here(data, question, clock))
    try:
        return _said(data, "POST", f"?patience={patience_s}", msgspec.json.encode(question))
    except HarkError as error:
        if error.id != "question.gone":
            raise
        return Answer(_here(data, question, clock))


def look(data: Path, id: str, patience_s: float = 0.0) -> Answer | Progress:
    """The answer to a question that was begun, or after `patience_s` how far it is.

    Raises HarkError: why there is no answer; `question.gone`: nothing is known of it (it was answered over a
    minute ago, or the process is another one by now). Who does not look for 30 s has given it up.
    """
    return _said(data, "GET", f"{id}?patience={patience_s}")


def cancel(data: Path, id: str) -> None:
    """End a question, for everybody who waits for it; one that is over already is left as it is."""
    try:
        _said(data, "DELETE", id)
    except HarkError as error:
        if error.id != "question.gone":
            raise


def _here(data: Path, question: JSON, clock: Clock | None) -> JSON:
    # Late: who asks the process needs nothing of what it computes with.
    from hark.questions.desk import Desk

    return Desk(data, clock or WallClock()).answer(question)


def _said(data: Path, method: str, path: str, content: bytes = b"") -> Answer | Progress:
    """What the process says. Raises HarkError, `question.gone` also if there is no process."""
    try:
        with Caller(data / "run" / SOCKET, PATIENCE_S) as caller:
            status, answer = caller.ask(method, f"/{path}", content)
    except TimeoutError:
        message = f"the questions process said nothing for {PATIENCE_S:g} s"
        raise HarkError(message, "ask again", "question.slow") from None
    except OSError:
        # A socket without a process behind it, or one that ended meanwhile.
        raise HarkError("the questions process is gone", "ask again", "question.gone") from None
    body = msgspec.json.decode(answer)
    if status == 202:
        return msgspec.convert(body, Progress)
    if status != 200:
        raise HarkError(body["message"], body["hint"], body["id"])
    return Answer(body)
