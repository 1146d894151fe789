"""Long questions over the history: a process of their own, so that nobody waits for them but who asked.

`ask` goes through DIR/run/questions.sock where the process runs, which keeps decoded columns and recent
answers; elsewhere it computes in the calling process. A question is `{kind: {...}}`
(`kinds.KINDS`), its answer plain data.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec

from hark.clock import Clock, WallClock
from hark.errors import HarkError
from hark.model import JSON

SOCKET = "questions.sock"
PATIENCE_S = 120.0


def ask(data: Path, question: JSON, clock: Clock | None = None) -> JSON:
    """The answer to a question, from the process if it runs, else computed here.

    Raises HarkError: the question is wrong, too large, or too many are being answered.
    """
    path = data / "run" / SOCKET
    if path.exists():
        try:
            return _asked(path, question)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            pass  # a socket without a process behind it, or one that ended meanwhile
    # Late: who asks the process needs nothing of what it computes with.
    from hark.questions.desk import Desk

    return Desk(data, clock or WallClock()).answer(question)


def _asked(path: Path, question: JSON) -> JSON:
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, timeout=PATIENCE_S, trust_env=False) as client:
        try:
            found = client.post("http://questions/", content=msgspec.json.encode(question))
        except httpx.ReadTimeout:
            message = f"no answer within {PATIENCE_S:.0f} s"
            raise HarkError(message, "ask something smaller", "question.slow") from None
    body = msgspec.json.decode(found.content)
    if found.status_code != 200:
        raise HarkError(body["message"], body["hint"], body["id"])
    return body
