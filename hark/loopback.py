"""HTTP with the processes of this machine: collect's control door, the questions' socket.

By the standard library's client: it is loaded in a tenth of the time of the larger one that speaks to the
outside, and every command waits for that.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Caller:
    """One connection to a process here, `at` its address (http://HOST:PORT) or its socket in a directory.

    Opened by the first request, and anew once the other side has closed it. Not for two threads at once.
    """

    def __init__(self, at: str | Path, timeout_s: float) -> None:
        self._http = _OverSocket(at, timeout_s) if isinstance(at, Path) else _over_tcp(at, timeout_s)

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and the body. Raises OSError where no answer came, TimeoutError where it came too late;
        the request may have been carried out all the same."""
        if self._http.sock and select.select([self._http.sock], [], [], 0)[0]:
            self._http.close()
        try:
            with suppress(BrokenPipeError):  # who refuses without reading has answered all the same
                self._http.request(method, path, content, dict(headers or {}))
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except HTTPException as error:
            self._http.close()
            raise ConnectionError(f"no whole answer: {error!r}") from error
        except OSError:
            self._http.close()
            raise

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _over_tcp(url: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)


class _OverSocket(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
